// Pipelined commit: each writer logs and inserts its own request while another's sync is in
// flight; one of those who wait then syncs everything logged so far, publishes it in order and
// wakes all.
//
// A write is visible only when it is durable. So what overlaps a sync is the work ahead of the next
// one: copying bytes to the log's buffer, checksums, the memtable.
//
// Invariants:
//   1. Log and Insert of a request are one critical section, so `pending_` is in the log's order.
//   2. `syncing_` is set by the thread that found it clear, under the mutex, and cleared by it.
//      WriteOut is called by that thread only: what it hands out is durable before the next.
//   3. A request is in `pending_` until a syncer takes it; from then on it is done or its syncer is
//      at work. So a sleeper's request is done, or taken, or someone syncs or is about to.
//   4. `changes_` counts on after each sync, after its requests are marked done, and whenever
//      `draining_` falls. Who sleeps has read it before what it waits for (or under the mutex, as
//      that changes), so it cannot sleep through the change.
//   5. While `draining_` > 0 nothing is logged but by the thread that drains: it waits until
//      nothing is pending and no sync is in flight, and then has the journal to itself.
//
// A failed sync fails its requests; the journal then refuses to write out or to log, which fails
// those that were logged meanwhile and all later ones. None of them is published.
//
// As in group.h a syncer gives way until as many have logged as the last one met (crowd.h).
//
// For: large batches from several durable writers: they are copied and inserted while the sync
// ahead of them is in flight (docs/policies.md).
// Not for: one writer, or many small writes, which share a sync as well under group.h at less cost
// each.
// Source of the idea: RocksDB's enable_pipelined_write, which overlaps the next group's log with
// this one's memtable. Here a sync overlaps both, as in Aether (Johnson et al., VLDB 2010).
#ifndef KV_COMMIT_PIPELINED_H_
#define KV_COMMIT_PIPELINED_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "kv/base/event_count.h"
#include "kv/base/status.h"
#include "kv/commit/concept.h"
#include "kv/commit/crowd.h"

namespace kv {

class PipelinedCommit {
 public:
  static constexpr std::string_view kName = "pipelined";
  static constexpr bool kDurableOnReturn = true;
  static constexpr bool kSyncs = true;

  template <typename J>
  absl::Status Commit(J& journal, CommitRequest& request) {
    Lock lock(mutex_);
    KV_RETURN_IF_ERROR(LogAndInsert(journal, request, lock));
    for (;;) {
      // acquire: pairs with the release in SyncPending, so that `result` is seen.
      if (request.done.load(std::memory_order_acquire)) return request.result;
      if (!syncing_) {
        SyncPending(journal, lock);
        return request.result;
      }
      const uint32_t seen = changes_.Now();
      lock.unlock();
      changes_.AwaitChange(seen);
      // acquire: as above.
      if (request.done.load(std::memory_order_acquire)) return request.result;
      lock.lock();
    }
  }

  // Runs `action()` with nothing pending, no sync in flight and none starting.
  template <typename Action>
  void Exclusively(Action&& action) {
    Lock lock(mutex_);
    ++draining_;
    // What is pending has writers, one of whom syncs it.
    while (syncing_ || !pending_.empty()) AwaitChange(lock);
    std::forward<Action>(action)();
    --draining_;
    lock.unlock();
    changes_.NotifyAll();
  }

  void Stop() {}

 private:
  using Lock = std::unique_lock<std::mutex>;

  // On OK the request is pending. `lock` is held, before and after.
  template <typename J>
  absl::Status LogAndInsert(J& journal, CommitRequest& request, Lock& lock) {
    CommitRequest* const group[] = {&request};
    while (draining_ > 0) [[unlikely]] {
        AwaitChange(lock);
      }
    const bool drain = !journal.HasRoom(group);
    if (drain) [[unlikely]] {
      ++draining_;
      Drain(journal, lock);
    }
    absl::Status status = drain ? journal.Reserve(group) : absl::OkStatus();
    if (status.ok()) status = journal.Log(group);
    if (status.ok()) {
      journal.Insert(group);
      pending_.push_back(&request);
      crowd_.SetWaiting(pending_.size());
    }
    if (drain) [[unlikely]] {
      --draining_;
      changes_.NotifyAll();
    }
    return status;
  }

  template <typename J>
  void Drain(J& journal, Lock& lock) {
    while (syncing_ || !pending_.empty()) {
      if (syncing_) {
        AwaitChange(lock);
      } else {
        SyncPending(journal, lock);
        lock.lock();
      }
    }
  }

  // Syncs, publishes and marks done what is pending. `lock` is held before and not after, so that
  // those who wake find the mutex free.
  template <typename J>
  void SyncPending(J& journal, Lock& lock) {
    syncing_ = true;
    lock.unlock();
    crowd_.AwaitExpected();
    lock.lock();
    absl::Status status = journal.WriteOut();
    taken_.swap(pending_);
    crowd_.SetWaiting(0);
    lock.unlock();
    if (status.ok()) status = journal.Sync();
    lock.lock();
    if (status.ok()) journal.Publish(taken_);
    crowd_.Met(taken_.size() + pending_.size());
    for (CommitRequest* request : taken_) {
      request->result = status;
      // release: `result` first. The request may be gone after this line.
      request->done.store(true, std::memory_order_release);
    }
    taken_.clear();
    syncing_ = false;
    lock.unlock();
    changes_.NotifyAll();
  }

  void AwaitChange(Lock& lock) {
    const uint32_t seen = changes_.Now();
    lock.unlock();
    changes_.AwaitChange(seen);
    lock.lock();
  }

  std::mutex mutex_;
  std::vector<CommitRequest*> pending_;  // guarded by mutex_; logged and inserted, oldest first
  bool syncing_ = false;                 // guarded by mutex_
  size_t draining_ = 0;                  // guarded by mutex_; threads that want the journal idle
  Crowd crowd_;
  std::vector<CommitRequest*> taken_;  // the syncer's
  EventCount changes_;
};

static_assert(Commit<PipelinedCommit>);

}  // namespace kv

#endif  // KV_COMMIT_PIPELINED_H_
