// Group commit: writers that arrive while a sync is under way share the next one.
//
// The first writer to find nobody leading leads: it gives way until as many wait as the last leader
// met (crowd.h), takes everyone who is waiting (up to max_group), and logs, syncs and publishes for
// all of them.
// The others sleep (event_count.h), and the leader wakes all of them at once. Whoever is awake
// first leads next; nobody is handed the lead in its sleep, because waking an idle processor costs
// a good part of a sync.
//
// Invariants:
//   1. `leading_` is set by the thread that found it clear, under the mutex, and cleared by it.
//   2. A request is in `waiting_` until a leader takes it; from then on it is done or its leader
//      is at work. So a sleeper's request is done, or taken, or someone leads or is about to.
//   3. `changes_` changes after each group, after its requests are marked done. A writer reads it
//      before it looks at `done` and `leading_`, so it cannot sleep through the change.
//
// For: several durable writers. One writer pays a few locks over every_write, which do not show
// beside a sync (docs/policies.md).
// Not for: a write that must not wait for a stranger's batch.
// Source of the idea: DeWitt et al., "Implementation Techniques for Main Memory Database Systems",
// SIGMOD 1984.
#ifndef KV_COMMIT_GROUP_H_
#define KV_COMMIT_GROUP_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "kv/base/event_count.h"
#include "kv/commit/concept.h"
#include "kv/commit/crowd.h"
#include "kv/commit/steps.h"

namespace kv {

struct GroupShape {
  size_t max_group = 64;               // requests in one sync
  size_t max_bytes = size_t{1} << 20;  // and bytes, unless one request alone is larger
};

template <GroupShape kShape = GroupShape{}>
class GroupCommit {
 public:
  static constexpr std::string_view kName = "group";
  static constexpr bool kDurableOnReturn = true;
  static constexpr bool kSyncs = true;

  template <typename J>
  absl::Status Commit(J& journal, CommitRequest& request) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(&request);
      crowd_.SetWaiting(waiting_.size());
    }
    for (;;) {
      const uint32_t seen = changes_.Now();
      // acquire: pairs with the release in Lead, so that `result` is seen.
      if (request.done.load(std::memory_order_acquire)) return request.result;
      if (TakeLead(request)) {
        Lead(journal);
        continue;
      }
      if (request.done.load(std::memory_order_acquire)) return request.result;
      changes_.AwaitChange(seen);
    }
  }

  // Runs `action()` with no group under way and none starting.
  template <typename Action>
  void Exclusively(Action&& action) {
    std::unique_lock lock(mutex_);
    while (leading_) {
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
    }
    leading_ = true;
    lock.unlock();
    std::forward<Action>(action)();
    lock.lock();
    leading_ = false;
    lock.unlock();
    changes_.NotifyAll();
  }

  void Stop() {}

 private:
  // False when someone leads already, or has just finished this request.
  bool TakeLead(const CommitRequest& request) {
    const std::lock_guard lock(mutex_);
    if (leading_ || request.done.load(std::memory_order_acquire)) return false;
    leading_ = true;
    return true;
  }

  template <typename J>
  void Lead(J& journal) {
    crowd_.AwaitExpected();
    TakeGroup();
    const absl::Status status = CommitInSteps<CommitSync::kBeforePublish>(journal, group_);
    for (CommitRequest* request : group_) {
      request->result = status;
      // release: `result` first. The request may be gone after this line.
      request->done.store(true, std::memory_order_release);
    }
    {
      const std::lock_guard lock(mutex_);
      crowd_.Met(std::min(group_.size() + waiting_.size(), kShape.max_group));
      leading_ = false;
    }
    changes_.NotifyAll();
  }

  // Moves the oldest waiting requests into group_, as many as the shape allows and at least one.
  void TakeGroup() {
    const std::lock_guard lock(mutex_);
    size_t bytes = 0;
    size_t count = 0;
    while (count < waiting_.size() && count < kShape.max_group) {
      bytes += waiting_[count]->entries.size();
      if (count > 0 && bytes > kShape.max_bytes) break;
      ++count;
    }
    const auto end = waiting_.begin() + static_cast<ptrdiff_t>(count);
    group_.assign(waiting_.begin(), end);
    waiting_.erase(waiting_.begin(), end);
    crowd_.SetWaiting(waiting_.size());
  }

  std::mutex mutex_;
  std::vector<CommitRequest*> waiting_;  // guarded by mutex_; oldest first
  bool leading_ = false;                 // guarded by mutex_
  Crowd crowd_;
  std::vector<CommitRequest*> group_;  // the leader's
  EventCount changes_;
};

static_assert(Commit<GroupCommit<>>);

}  // namespace kv

#endif  // KV_COMMIT_GROUP_H_
