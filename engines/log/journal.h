// The journal of a log-structured engine: what a commit policy drives (kv/commit/concept.h). It
// numbers groups, writes them to the active segment, points the index at them, and begins another
// segment when the active one is full.
//
// The log is the data: there is no second copy of a record and nothing to do in Insert. A segment
// is durable before the next one is begun, where the commit policy syncs at all, and the header of
// the next says where it ended, so recovery finds a loss between them.
//
// Thread safety: as commit policies promise: one thread at a time, and one in Sync beside it.
#ifndef ENGINES_LOG_JOURNAL_H_
#define ENGINES_LOG_JOURNAL_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "engines/log/merge_job.h"
#include "engines/log/store.h"
#include "kv/base/status.h"
#include "kv/commit/concept.h"
#include "kv/commit/stalls.h"
#include "kv/contract/write_batch.h"
#include "kv/io/environment.h"
#include "kv/io/next_log.h"

namespace kv {

template <typename Parts, typename Environment>
class SegmentJournal {
 public:
  using StoreType = LogStore<Environment>;
  using SegmentType = typename StoreType::SegmentType;
  using SegmentRef = typename StoreType::SegmentRef;
  using Job = MergeJob<Parts, Environment>;
  static constexpr bool kSynced = Parts::Commit::kDurableOnReturn;
  static constexpr bool kBackgroundThreads =
      Environment::kBackgroundWork == BackgroundWork::kThreads;

  // `active` is the store's active segment; `next` numbers the next write.
  SegmentJournal(StoreType& store, SegmentRef active, uint64_t segment_bytes, Sequence next)
      : store_(store),
        active_(std::move(active)),
        segment_bytes_(segment_bytes),
        next_(next),
        stalls_(store.environment().clock, store.counters()) {}

  // Starts a segment with room for `bytes` of records in `store`'s directory, as its active one.
  // Its header and its name are durable on return. `previous` is null for the first one of an open.
  static absl::StatusOr<SegmentRef> Start(StoreType& store, uint64_t bytes, SegmentType* previous) {
    const uint64_t number = store.NewNumber();
    SegmentHeader header{.number = number, .synced = kSynced};
    if (previous != nullptr) {
      header.previous_number = previous->number();
      header.previous_end = previous->writer()->End();
    }
    const std::string path = store.names().Written(number);
    SegmentRef segment;
    absl::Status status = [&]() -> absl::Status {
      KV_ASSIGN_OR_RETURN(auto writer, SegmentType::Writer::Start(store.files(), path, header,
                                                                  kSegmentHeaderBytes + bytes));
      KV_RETURN_IF_ERROR(store.files().SyncDirectory(store.names().Directory()));
      segment = std::make_shared<SegmentType>(store.files(), store.names(), std::move(writer));
      return store.keydir().Add(segment.get());
    }();
    if (status.ok()) return segment;
    if (!IsOutOfSpace(status)) return status;
    return TakeBack(store.files(), store.names().Directory(), path, std::move(status));
  }

  uint64_t MonotonicNanos() { return store_.environment().clock.MonotonicNanos(); }

  bool HasRoom(CommitGroup group) {
    return !stalls_.Due() && active_->writer()->HasRoom(MostBytes(group)) && store_.Poisoned().ok();
  }

  absl::Status Reserve(CommitGroup group) {
    if (HasRoom(group)) [[likely]] {
      return absl::OkStatus();
    }
    KV_RETURN_IF_ERROR(store_.Poisoned());
    stalls_.Pay();
    const uint64_t bytes = MostBytes(group);
    return active_->writer()->HasRoom(bytes) ? absl::OkStatus() : Rotate(bytes);
  }

  absl::Status Log(CommitGroup group) {
    KV_RETURN_IF_ERROR(store_.Poisoned());
    auto& writer = *active_->writer();
    // What would not find space is refused before it is there.
    if (!kSynced && writer.Unwritten() >= kWriteOutBytes) KV_RETURN_IF_ERROR(WriteOut());
    KV_RETURN_IF_ERROR(store_.PoisonUnlessOk(writer.TakeSpace(MostBytes(group))));
    for (CommitRequest* request : group) {
      request->first = next_;
      next_ += request->count;
    }
    const uint64_t begin = writer.End();
    for (const CommitRequest* request : group) {
      WriteBatch::ForEach(request->entries, request->first, [&](const Record& record) {
        writer.Append(record, record.sequence + 1 == next_);
      });
    }
    store_.counters().Add(LogCounter::kWalBytes, writer.End() - begin);
    stalls_.OweForBytes(writer.End() - begin, store_.Debt());
    if (kSynced || writer.Unwritten() < kWriteOutBytes) return absl::OkStatus();
    absl::Status status = WriteOut();
    return IsOutOfSpace(status) ? absl::OkStatus() : status;  // the next one is refused
  }

  absl::Status WriteOut() { return store_.PoisonUnlessOk(active_->writer()->WriteOut()); }

  absl::Status Sync() {
    store_.counters().Add(LogCounter::kWalSyncs);
    return store_.PoisonUnlessOk(active_->writer()->SyncFile());
  }

  void Insert(CommitGroup) {}

  // Each request takes effect at one instant. Groups come in the order in which they were logged.
  void Publish(CommitGroup group) {
    if (group.empty()) return;
    for (const CommitRequest* request : group) {
      published_ = store_.keydir().Publish(*active_, published_, request->count);
    }
    store_.SetVisible(group.back()->first + group.back()->count - 1);
  }

  // Begins another segment, with room for `bytes`. All that was logged is published: policies call
  // Reserve, and run actions exclusively, only then.
  absl::Status Rotate(uint64_t bytes = 0) {
    KV_RETURN_IF_ERROR(store_.Poisoned());
    if (published_ != active_->writer()->End()) {
      return absl::InternalError("the commit policy wants room before it has published");
    }
    KV_RETURN_IF_ERROR(WaitForSealed());
    if constexpr (Parts::Commit::kSyncs) {
      KV_RETURN_IF_ERROR(store_.PoisonUnlessOk(active_->writer()->Sync()));
    } else {
      KV_RETURN_IF_ERROR(WriteOut());
    }
    auto fresh = Start(store_, std::max(bytes, segment_bytes_), active_.get());
    // The new one may be there already and say where the old one ends, and then the old one must
    // not grow.
    if (!fresh.ok()) return store_.PoisonUnlessOk(std::move(fresh).status());
    active_ = *fresh;
    published_ = kSegmentHeaderBytes;
    store_.Rotate(*std::move(fresh));
    if constexpr (!kBackgroundThreads) {
      KV_RETURN_IF_ERROR(store_.SealOldest());
      return Job(store_, segment_bytes_).RunAll();
    } else {
      return absl::OkStatus();
    }
  }

  bool ActiveIsEmpty() const { return active_->writer()->End() == kSegmentHeaderBytes; }

  // Seals the active segment. No write comes after this.
  absl::Status Close() {
    KV_RETURN_IF_ERROR(store_.Poisoned());
    KV_RETURN_IF_ERROR(store_.PoisonUnlessOk(active_->writer()->Sync()));
    store_.Rotate(nullptr);
    return store_.SealAll();
  }

 private:
  static constexpr uint64_t kWriteOutBytes = uint64_t{64} << 10;

  // At least what the group takes in a segment, without looking at each entry.
  static uint64_t MostBytes(CommitGroup group) {
    uint64_t bytes = 0;
    for (const CommitRequest* request : group) {
      bytes += request->entries.size() + request->count * (kLogEntryHeaderBytes + kRecordAlignment);
    }
    return bytes;
  }

  absl::Status WaitForSealed() {
    if (!store_.SealPending()) return absl::OkStatus();
    return stalls_.Wait([&] {
      if constexpr (!kBackgroundThreads) {
        return store_.SealAll();  // the last one failed, and nobody else will try again
      } else {
        return store_.WaitForSealed();
      }
    });
  }

  StoreType& store_;
  SegmentRef active_;
  const uint64_t segment_bytes_;
  Sequence next_;
  uint64_t published_ = kSegmentHeaderBytes;  // of the active segment: all before this offset
  Stalls<typename Environment::Clock, LogCounters> stalls_;
};

}  // namespace kv

#endif  // ENGINES_LOG_JOURNAL_H_
