// The journal of an LSM engine: what a commit policy drives (kv/commit/concept.h). It numbers
// groups, writes them to the log, inserts them into the active memtable, and changes to a new
// memtable and log when the active one is full.
//
// A log is complete before the next one is begun: a synced log has synced each of its records, and
// the header of the next says where it ended, so recovery finds a loss between them.
//
// A log of a policy that syncs is durable before the next is begun, whoever asks for the change.
//
// Thread safety: as commit policies promise: one thread at a time, and beside it one in Sync.
#ifndef ENGINES_LSM_JOURNAL_H_
#define ENGINES_LSM_JOURNAL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engines/lsm/store.h"
#include "kv/base/status.h"
#include "kv/base/sticky_error.h"
#include "kv/commit/concept.h"
#include "kv/commit/stalls.h"
#include "kv/contract/write_batch.h"
#include "kv/io/environment.h"
#include "kv/io/log_writer.h"
#include "kv/io/next_log.h"

namespace kv {

template <typename Parts, typename Environment>
class LsmJournal {
 public:
  using StoreType = Store<Parts, Environment>;
  using Memory = typename StoreType::Memory;
  using Writer = LogWriter<typename StoreType::Files, typename Parts::WalCompression>;
  static constexpr bool kSyncedLog = Parts::Commit::kDurableOnReturn;
  static constexpr bool kBackgroundThreads =
      Environment::kBackgroundWork == BackgroundWork::kThreads;

  // `log` is the log of the store's active memtable; `next` numbers the next write.
  LsmJournal(StoreType& store, Writer log, uint64_t memtable_bytes, Sequence next)
      : store_(store),
        log_(std::move(log)),
        active_(store.Share()->active),
        active_bytes_(memtable_bytes / (1 + kMaxImmutable)),
        next_(next),
        stalls_(store.environment().clock, store.counters()) {}

  // Starts the log `number` in `store`'s directory, over a spare file if there is one. Its header
  // and its name are durable on return, also where its records will not be: a later manifest or log
  // names it. `previous` is null for the first log of an open.
  static absl::StatusOr<Writer> StartLog(StoreType& store, uint64_t number,
                                         const Writer* previous) {
    auto& files = store.environment().file_system;
    const std::string path = store.names().Log(number);
    if (const std::optional<uint64_t> spare = store.TakeSpareLog()) {
      KV_RETURN_IF_ERROR(files.Rename(store.names().Log(*spare), path));
    }
    const LogHeader header{.generation = number,
                           .previous_generation = previous ? previous->Generation() : 0,
                           .previous_end = previous ? previous->End() : 0,
                           .synced = kSyncedLog};
    return StartNextLog<Writer>(files, store.names().Directory(), path, header);
  }

  uint64_t MonotonicNanos() const { return store_.environment().clock.MonotonicNanos(); }

  bool HasRoom(CommitGroup) const {
    return !error_.failed() && !stalls_.Due() && active_->MemoryBytes() < active_bytes_;
  }

  absl::Status Reserve(CommitGroup group) {
    if (HasRoom(group)) [[likely]] {
      return absl::OkStatus();
    }
    KV_RETURN_IF_ERROR(error_.Get());
    stalls_.Pay();
    return active_->MemoryBytes() < active_bytes_ ? absl::OkStatus() : Rotate();
  }

  absl::Status Log(CommitGroup group) {
    KV_RETURN_IF_ERROR(error_.Get());
    uint64_t count = 0;
    size_t bytes = 0;
    for (CommitRequest* request : group) {
      request->first = next_ + count;
      count += request->count;
      bytes += request->entries.size();
    }
    const uint64_t begin = log_.End();
    absl::Status status =
        log_.AppendRecord(next_, static_cast<uint32_t>(count), [&](std::string* to) {
          for (const CommitRequest* request : group) to->append(request->entries);
        });
    if (!status.ok()) return Keep(std::move(status));
    next_ += count;
    stalls_.OweForBytes(bytes, store_.Debt());
    active_->CountLogged(log_.End() - begin);
    store_.counters().Add(LsmCounter::kWalBytes, log_.End() - begin);
    store_.counters().Add(LsmCounter::kWalRawBytes, bytes + kLogRecordHeaderBytes);
    return absl::OkStatus();
  }

  absl::Status WriteOut() { return Keep(log_.WriteOut()); }

  absl::Status Sync() {
    store_.counters().Add(LsmCounter::kWalSyncs);
    return error_.Keep(log_.SyncFile());
  }

  // Readers look no further than the last published sequence number.
  void Insert(CommitGroup group) {
    uint64_t bytes = 0;
    for (const CommitRequest* request : group) {
      WriteBatch::ForEach(request->entries, request->first, [&](const Record& record) {
        active_->Insert(record);
        bytes += record.key.size() + record.value.size();
      });
    }
    store_.counters().Add(LsmCounter::kUserBytesWritten, bytes);
  }

  void Publish(CommitGroup group) {
    if (group.empty()) return;
    uint64_t count = 0;
    for (const CommitRequest* request : group) count += request->count;
    store_.PublishSequence(group.back()->first + group.back()->count - 1);
    store_.counters().Add(LsmCounter::kWrites, count);
  }

  // Makes the active memtable immutable, unless it is empty, whatever its size.
  absl::Status Rotate() {
    KV_RETURN_IF_ERROR(error_.Get());
    if (active_->Empty()) return absl::OkStatus();
    // First, because waiting may take longer than a policy lets writes go unsynced.
    KV_RETURN_IF_ERROR(Keep(Parts::Commit::kSyncs ? log_.Sync() : log_.WriteOut()));
    KV_RETURN_IF_ERROR(WaitForRoom());
    const uint64_t number = store_.NewFileNumber();
    auto log = StartLog(store_, number, &log_);
    // The new log may be there already and say where the old one ends, and then the old one must
    // not grow.
    if (!log.ok()) return Keep(std::move(log).status());
    log_ = *std::move(log);
    active_ = std::make_shared<Memory>(number);
    store_.Rotate(active_);
    if constexpr (Environment::kBackgroundWork == BackgroundWork::kInline) {
      return WorkInline();
    } else {
      return absl::OkStatus();
    }
  }

  // Numbers a write that goes into tables and not through this journal. Nothing may be under way.
  Sequence TakeNumber() { return next_++; }

  // Ends the log and says so in the manifest. No write comes after this.
  absl::Status Close() {
    KV_RETURN_IF_ERROR(error_.Get());
    if constexpr (!Parts::Commit::kSyncs) KV_RETURN_IF_ERROR(SyncOlderLogs());
    KV_RETURN_IF_ERROR(log_.Seal(next_));
    return store_.RecordCleanClose(log_.Generation(), log_.End());
  }

 private:
  // One memtable may wait for its flush while the next fills.
  static constexpr size_t kMaxImmutable = 1;

  // Ends the journal with an error, but for a want of space, which leaves it as it was; what a log
  // cannot go on after it returns ever after.
  absl::Status Keep(absl::Status status) {
    return IsOutOfSpace(status) ? status : error_.Keep(std::move(status));
  }

  absl::Status WaitForRoom() {
    if (store_.Share()->immutable.size() < kMaxImmutable) return absl::OkStatus();
    return stalls_.Wait([&] {
      if constexpr (Environment::kBackgroundWork == BackgroundWork::kInline) {
        return store_.FlushOldest();  // the last one failed, and nobody else will try again
      } else {
        return store_.WaitForImmutableBelow(kMaxImmutable);
      }
    });
  }

  // The logs of memtables that wait for their flush were handed to the file and never synced. The
  // manifest is about to say that the log after them is whole, so they must be.
  absl::Status SyncOlderLogs() {
    auto& files = store_.environment().file_system;
    for (const auto& memory : store_.Share()->immutable) {
      KV_ASSIGN_OR_RETURN(auto file,
                          files.OpenForOverwrite(store_.names().Log(memory->log_number)));
      KV_RETURN_IF_ERROR(file.Sync());
    }
    return absl::OkStatus();
  }

  absl::Status WorkInline() {
    KV_RETURN_IF_ERROR(store_.FlushOldest());
    for (;;) {
      KV_ASSIGN_OR_RETURN(const bool more, store_.CompactOnce([](const TreeShape& shape) {
        return Parts::Compaction::Choose(shape);
      }));
      if (!more) return absl::OkStatus();
    }
  }

  StoreType& store_;
  Writer log_;
  std::shared_ptr<Memory> active_;
  const uint64_t active_bytes_;  // at which the active memtable is full
  Sequence next_;
  Stalls<typename Environment::Clock, LsmCounters> stalls_;
  StickyError error_{kReopenAdvice};
};

}  // namespace kv

#endif  // ENGINES_LSM_JOURNAL_H_
