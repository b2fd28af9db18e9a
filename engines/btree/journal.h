// The journal of a B+tree engine: what a commit policy drives (kv/commit/concept.h). It numbers
// groups, writes them to the log, puts them into the tree, and begins checkpoints.
//
// A checkpoint begins between two groups: the log is complete, the next one takes over, and what
// has changed so far is the checkpoint's to write. Writers are slowed down in proportion to the
// changes that come on top while it runs; only at four times what one begins with do they wait for
// its end.
//
// Thread safety: as commit policies promise: one thread at a time, and beside it one in Sync.
#ifndef ENGINES_BTREE_JOURNAL_H_
#define ENGINES_BTREE_JOURNAL_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "engines/btree/store.h"
#include "kv/base/status.h"
#include "kv/base/sticky_error.h"
#include "kv/commit/concept.h"
#include "kv/commit/stalls.h"
#include "kv/contract/write_batch.h"
#include "kv/io/environment.h"
#include "kv/io/log_writer.h"
#include "kv/io/next_log.h"

namespace kv::btree {

template <typename Parts, typename Environment>
class Journal {
 public:
  using StoreType = Store<Parts, Environment>;
  using Writer = LogWriter<typename StoreType::Files>;
  static constexpr bool kSyncedLog = Parts::Commit::kDurableOnReturn;
  static constexpr bool kBackgroundThreads =
      Environment::kBackgroundWork == BackgroundWork::kThreads;

  // `next` numbers the next write.
  Journal(StoreType& store, Writer log, Sequence next)
      : store_(store),
        log_(std::move(log)),
        next_(next),
        stalls_(store.environment().clock, store.counters()) {}

  // Starts the log `number`, over a spare file if there is one. Its header and its name are durable
  // on return: a header of the store, or the next log, names it. `previous` is null for the first
  // log of an open.
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
    auto log = StartNextLog<Writer>(files, store.names().Directory(), path, header);
    if (log.ok()) store.AddLog(number);
    return log;
  }

  uint64_t MonotonicNanos() const { return store_.environment().clock.MonotonicNanos(); }

  bool HasRoom(CommitGroup /*group*/) const {
    return !error_.failed() && !store_.failed() && store_.Debt(log_.End()) < 1 &&
           store_.pool().AllResident();
  }

  absl::Status Reserve(CommitGroup group) {
    KV_RETURN_IF_ERROR(MakeRoom());
    return Prefault(group);
  }

  // Sees to it that pages may be changed.
  absl::Status MakeRoom() {
    KV_RETURN_IF_ERROR(CheckError());
    return store_.Debt(log_.End()) < 1 ? absl::OkStatus() : PayDebt();
  }

  absl::Status Log(CommitGroup group) {
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
    store_.counters().Add(BtreeCounter::kWalBytes, log_.End() - begin);
    store_.counters().Add(BtreeCounter::kWalRawBytes, bytes + kLogRecordHeaderBytes);
    return absl::OkStatus();
  }

  absl::Status WriteOut() { return Keep(log_.WriteOut()); }

  absl::Status Sync() {
    store_.counters().Add(BtreeCounter::kWalSyncs);
    return error_.Keep(log_.SyncFile());
  }

  // Readers do not look beyond the published sequence number, so they see nothing of it yet.
  void Insert(CommitGroup group) {
    uint64_t count = 0;
    uint64_t bytes = 0;
    for (const CommitRequest* request : group) {
      WriteBatch::ForEach(request->entries, request->first, [&](const Record& record) {
        absl::Status status = store_.writer().Insert(record);
        if (!status.ok()) [[unlikely]] {
          store_.Break(std::move(status));
        }
        bytes += record.key.size() + record.value.size();
      });
      count += request->count;
    }
    store_.counters().Add(BtreeCounter::kWrites, count);
    store_.counters().Add(BtreeCounter::kUserBytesWritten, bytes);
  }

  void Publish(CommitGroup group) {
    if (group.empty()) return;
    const CommitRequest& last = *group.back();
    store_.readers().Publish(last.first + last.count - 1);
  }

  // Everything logged so far is durable on return.
  absl::Status Flush() {
    KV_RETURN_IF_ERROR(CheckError());
    store_.counters().Add(BtreeCounter::kWalSyncs);
    return Keep(log_.Sync());
  }

  // Begins a checkpoint of everything so far; the one before is over first.
  absl::Status Cut() {
    KV_RETURN_IF_ERROR(error_.Get());
    // First, because waiting may take longer than a policy lets writes go unsynced; and whatever
    // the policy, because only the newest log may lose its end.
    KV_RETURN_IF_ERROR(Keep(log_.Sync()));
    KV_RETURN_IF_ERROR(store_.WaitForCheckpoint());
    const uint64_t number = store_.NewLogNumber();
    auto log = StartLog(store_, number, &log_);
    // The new log may be there already and say where the old one ends, and then the old one must
    // not grow.
    if (!log.ok()) return Keep(std::move(log).status());
    log_ = *std::move(log);
    return store_.Begin(TakeOrder(number, 0));
  }

  // Ends the log and puts everything into the pages. No write comes after this.
  absl::Status Close() {
    KV_RETURN_IF_ERROR(CheckError());
    KV_RETURN_IF_ERROR(store_.WaitForCheckpoint());
    KV_RETURN_IF_ERROR(log_.Seal(next_));
    KV_RETURN_IF_ERROR(store_.Begin(TakeOrder(log_.Generation(), log_.End())));
    if constexpr (Environment::kBackgroundWork == BackgroundWork::kThreads) {
      KV_RETURN_IF_ERROR(store_.Run());
    }
    return absl::OkStatus();
  }

 private:
  static constexpr double kMostDebt = 4;
  // At most debt, for each unit of page bytes that is written to.
  static constexpr double kNanosPerUnitAtMostDebt = 40'000;

  // Ends the journal with an error, but for a want of space, which leaves it as it was; what a log
  // cannot go on after it returns ever after.
  absl::Status Keep(absl::Status status) {
    return IsOutOfSpace(status) ? status : error_.Keep(std::move(status));
  }

  absl::Status CheckError() {
    KV_RETURN_IF_ERROR(error_.Get());
    return store_.failed() ? error_.Set(store_.error()) : absl::OkStatus();
  }

  CheckpointOrder TakeOrder(uint64_t replay_log, uint64_t clean_end) {
    const std::lock_guard lock(store_.pool().mutex());
    return {.changes = store_.pool().CutLocked(),
            .sequence = next_ - 1,
            .replay_log = replay_log,
            .clean_end = clean_end};
  }

  // Begins a checkpoint, or if one is under way gives it time.
  absl::Status PayDebt() {
    if (!kBackgroundThreads || !store_.CheckpointRunning()) return Cut();
    const double debt = store_.Debt(log_.End());
    if (debt >= kMostDebt) {
      KV_RETURN_IF_ERROR(stalls_.Wait([&] { return store_.WaitForCheckpoint(); }));
      return Cut();
    }
    const uint64_t dirty = store_.pool().DirtyUnits();
    if (dirty > seen_dirty_) {
      stalls_.Owe(static_cast<double>(dirty - seen_dirty_) * kNanosPerUnitAtMostDebt * (debt - 1) /
                  (kMostDebt - 1));
    }
    seen_dirty_ = dirty;
    stalls_.Pay();
    return absl::OkStatus();
  }

  // Reads in the pages that the group goes to, so that a page that cannot be read is an error of
  // the write while it can still be refused.
  absl::Status Prefault(CommitGroup group) {
    if (store_.pool().AllResident()) return absl::OkStatus();
    absl::Status status;
    for (const CommitRequest* request : group) {
      WriteBatch::ForEach(request->entries, 0, [&](const Record& record) {
        if (status.ok()) status = store_.tree().Prefault(record.key);
      });
    }
    return status;
  }

  StoreType& store_;
  Writer log_;
  Sequence next_;
  uint64_t seen_dirty_ = 0;
  Stalls<typename Environment::Clock, BtreeCounters> stalls_;
  StickyError error_{kReopenAdvice};
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_JOURNAL_H_
