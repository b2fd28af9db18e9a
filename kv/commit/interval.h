// Interval commit: a write is acknowledged when it is logged and in the memtable, and is durable a
// little later: `millis` after it at the latest, and sooner when `bytes` have come together. A
// thread of the policy syncs, beside the writers; it also syncs a store that has fallen idle.
//
// Where an acknowledged write is: in the log's buffer in this process (64 KiB at most), then in the
// page cache, then on the disk. What is lost, and always a prefix is kept:
//   process dies   what is in the buffer: `millis` or 64 KiB at most
//   power fails    what was acknowledged in the last `millis`, and while the sync after them ran;
//                  twice `bytes` and a write at most, because beyond that writers wait
//
// A sync that fails poisons the journal; the next write reports it, and all later ones. Writes that
// were acknowledged meanwhile remain visible until the store is closed, and may be lost. While the
// log finds no space, writes are refused, and what is unsynced stays in its buffer; every `millis`,
// and at each write, it is tried again.
//
// Where the journal has no threads (simulated environments) a write that finds the time or the
// bytes overrun syncs before it is logged itself; an idle store is then not synced.
//
// Invariants:
//   1. Whoever set `syncing_` is in Journal::Sync, alone; Reserve waits for it to end.
//   2. The thread sleeps without a deadline only while nothing is unsynced.
//
// For: high rates of writes of which a power failure may take the last tenth of a second, and no
// more (docs/policies.md).
// Not for: data whose writer believes OK to mean for ever.
// Source of the idea: Redis, appendfsync everysec; MongoDB's journalCommitInterval.
#ifndef KV_COMMIT_INTERVAL_H_
#define KV_COMMIT_INTERVAL_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "kv/base/status.h"
#include "kv/commit/concept.h"

namespace kv {

struct IntervalShape {
  uint32_t millis = 100;
  uint64_t bytes = uint64_t{1} << 20;  // of batches, as they were given
};

template <IntervalShape kShape = IntervalShape{}>
class IntervalCommit {
 public:
  static constexpr std::string_view kName = "interval";
  static constexpr bool kDurableOnReturn = false;
  static constexpr bool kSyncs = true;

  IntervalCommit() = default;
  IntervalCommit(const IntervalCommit&) = delete;
  IntervalCommit& operator=(const IntervalCommit&) = delete;
  ~IntervalCommit() { Stop(); }

  template <typename J>
  absl::Status Commit(J& journal, CommitRequest& request) {
    CommitRequest* const group[] = {&request};
    Lock lock(mutex_);
    KV_RETURN_IF_ERROR(KeepPace(journal, lock));
    if (!journal.HasRoom(group)) [[unlikely]] {
      // Before, not after: making room may take longer than the interval.
      KV_RETURN_IF_ERROR(SyncHere(journal, lock));
      KV_RETURN_IF_ERROR(journal.Reserve(group));
    }
    KV_RETURN_IF_ERROR(journal.Log(group));
    journal.Insert(group);
    journal.Publish(group);
    Logged(journal, request.entries.size());
    return absl::OkStatus();
  }

  // Runs `action()` with no write and no sync under way and none starting.
  template <typename Action>
  void Exclusively(Action&& action) {
    Lock lock(mutex_);
    synced_.wait(lock, [&] { return !syncing_; });
    std::forward<Action>(action)();
  }

  // What is not synced by now is left to the engine.
  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

 private:
  using Lock = std::unique_lock<std::mutex>;
  static constexpr std::chrono::milliseconds kInterval{kShape.millis};
  static constexpr uint64_t kIntervalNanos = uint64_t{kShape.millis} * 1'000'000;

  // Holds writers back that are too far ahead of the disk. `lock` is held, before and after.
  template <typename J>
  absl::Status KeepPace(J& journal, Lock& lock) {
    if constexpr (J::kBackgroundThreads) {
      synced_.wait(lock, [&] {
        return in_sync_ + unsynced_ < 2 * kShape.bytes || failed_ || out_of_space_;
      });
      return out_of_space_ ? SyncHere(journal, lock) : absl::OkStatus();
    } else {
      const bool due =
          unsynced_ >= kShape.bytes ||
          (unsynced_ > 0 && journal.MonotonicNanos() - unsynced_since_ >= kIntervalNanos);
      return due ? SyncHere(journal, lock) : absl::OkStatus();
    }
  }

  // Accounts for a request that has been logged.
  template <typename J>
  void Logged(J& journal, uint64_t bytes) {
    const bool first = unsynced_ == 0;
    const bool full = unsynced_ < kShape.bytes && unsynced_ + bytes >= kShape.bytes;
    unsynced_ += bytes;
    if constexpr (J::kBackgroundThreads) {
      if (!thread_.joinable()) thread_ = std::thread([this, &journal] { SyncInTurn(journal); });
      if (first) deadline_ = std::chrono::steady_clock::now() + kInterval;
      if (first || full) work_.notify_one();
    } else if (first) {
      unsynced_since_ = journal.MonotonicNanos();
    }
  }

  // Syncs what is unsynced, in the caller's thread. `lock` is held, before and after.
  template <typename J>
  absl::Status SyncHere(J& journal, Lock& lock) {
    synced_.wait(lock, [&] { return !syncing_; });
    return unsynced_ == 0 ? absl::OkStatus() : Sync(journal, lock);
  }

  // Nobody else is syncing. `lock` is held, before and after, and not meanwhile.
  template <typename J>
  absl::Status Sync(J& journal, Lock& lock) {
    absl::Status status = journal.WriteOut();
    out_of_space_ = IsOutOfSpace(status);
    if (status.ok()) {
      in_sync_ = std::exchange(unsynced_, 0);
      syncing_ = true;
      lock.unlock();
      status = journal.Sync();
      lock.lock();
      syncing_ = false;
      in_sync_ = 0;
    }
    failed_ |= !status.ok() && !out_of_space_;
    synced_.notify_all();
    return status;
  }

  // The policy's thread. It ends when the journal is poisoned: the writers hear of that from the
  // journal.
  template <typename J>
  void SyncInTurn(J& journal) {
    Lock lock(mutex_);
    while (!stopping_) {
      work_.wait(lock, [&] { return stopping_ || unsynced_ > 0; });
      const auto deadline =
          out_of_space_ ? std::chrono::steady_clock::now() + kInterval : deadline_;
      work_.wait_until(lock, deadline,
                       [&] { return stopping_ || (unsynced_ >= kShape.bytes && !out_of_space_); });
      if (stopping_) return;
      if (!SyncHere(journal, lock).ok() && !out_of_space_) return;
    }
  }

  std::mutex mutex_;
  std::condition_variable work_;    // with mutex_; for the thread
  std::condition_variable synced_;  // with mutex_; for everyone else: a sync has ended
  uint64_t unsynced_ = 0;           // guarded by mutex_; bytes logged since the last sync began
  uint64_t in_sync_ = 0;            // guarded by mutex_; bytes that the sync under way covers
  uint64_t unsynced_since_ = 0;     // guarded by mutex_; the journal's clock
  std::chrono::steady_clock::time_point deadline_;  // guarded by mutex_; for unsynced_
  bool syncing_ = false;                            // guarded by mutex_
  bool failed_ = false;                             // guarded by mutex_; the journal refuses all
  bool out_of_space_ = false;                       // guarded by mutex_; the last WriteOut was
  bool stopping_ = false;                           // guarded by mutex_
  std::thread thread_;  // started under mutex_ by the first write; joined by Stop
};

static_assert(Commit<IntervalCommit<>>);

}  // namespace kv

#endif  // KV_COMMIT_INTERVAL_H_
