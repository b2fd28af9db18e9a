// One write at a time, under one lock: what NoCommit and EveryWriteCommit have in common, which is
// all but the sync.
//
// Thread safety: as the concept says.
#ifndef KV_COMMIT_ONE_AT_A_TIME_H_
#define KV_COMMIT_ONE_AT_A_TIME_H_

#include <mutex>
#include <utility>

#include "kv/commit/concept.h"
#include "kv/commit/steps.h"

namespace kv {

template <CommitSync kSync>
class OneAtATimeCommit {
 public:
  static constexpr bool kDurableOnReturn = kSync == CommitSync::kBeforePublish;
  static constexpr bool kSyncs = kDurableOnReturn;

  template <typename J>
  absl::Status Commit(J& journal, CommitRequest& request) {
    CommitRequest* const group[] = {&request};
    const std::lock_guard lock(mutex_);
    return CommitInSteps<kSync>(journal, group);
  }

  template <typename Action>
  void Exclusively(Action&& action) {
    const std::lock_guard lock(mutex_);
    std::forward<Action>(action)();
  }

  void Stop() {}

 private:
  std::mutex mutex_;
};

}  // namespace kv

#endif  // KV_COMMIT_ONE_AT_A_TIME_H_
