// Every write: each write is synced by itself before it returns.
//
// For: one writer that must not lose anything, and as the line that group commit is measured
// against. Not for: several writers (see group.h: the same promise, many times the throughput).
#ifndef KV_COMMIT_EVERY_WRITE_H_
#define KV_COMMIT_EVERY_WRITE_H_

#include <mutex>
#include <string_view>
#include <utility>

#include "kv/commit/concept.h"

namespace kv {

class EveryWriteCommit {
 public:
  static constexpr std::string_view kName = "every_write";
  static constexpr bool kDurableOnReturn = true;

  template <typename J>
  absl::Status Commit(J& journal, CommitRequest& request) {
    CommitRequest* const group[] = {&request};
    const std::lock_guard lock(mutex_);
    if (absl::Status status = journal.Reserve(group); !status.ok()) return status;
    if (absl::Status status = journal.Log(group); !status.ok()) return status;
    if (absl::Status status = journal.Sync(); !status.ok()) return status;
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

static_assert(Commit<EveryWriteCommit>);

}  // namespace kv

#endif  // KV_COMMIT_EVERY_WRITE_H_
