// No commit: a write returns when it is in the log's buffer and in the memtable; nothing is synced
// until Flush, rotation or Close.
//
// For: data that can be loaded again, caches, benchmarks of everything but the disk.
// Not for: data whose writer believes OK.
#ifndef KV_COMMIT_NONE_H_
#define KV_COMMIT_NONE_H_

#include <mutex>
#include <string_view>
#include <utility>

#include "kv/commit/concept.h"

namespace kv {

class NoCommit {
 public:
  static constexpr std::string_view kName = "none";
  static constexpr bool kDurableOnReturn = false;

  template <typename J>
  absl::Status Commit(J& journal, CommitRequest& request) {
    CommitRequest* const group[] = {&request};
    const std::lock_guard lock(mutex_);
    if (absl::Status status = journal.Reserve(group); !status.ok()) return status;
    if (absl::Status status = journal.Log(group); !status.ok()) return status;
    journal.Apply(group);
    return absl::OkStatus();
  }

  template <typename Action>
  void Exclusively(Action&& action) {
    const std::lock_guard lock(mutex_);
    std::forward<Action>(action)();
  }

 private:
  std::mutex mutex_;
};

static_assert(Commit<NoCommit>);

}  // namespace kv

#endif  // KV_COMMIT_NONE_H_
