// Every write: each write is synced by itself before it returns.
//
// For: writes that must not wait for a stranger's batch, and as the line that group commit is
// measured against. No load was found whose figures it betters: beside a sync, what one writer pays
// for group.h does not show (docs/policies.md).
// Not for: several writers (see group.h: the same promise, many times the throughput).
#ifndef KV_COMMIT_EVERY_WRITE_H_
#define KV_COMMIT_EVERY_WRITE_H_

#include <string_view>

#include "kv/commit/one_at_a_time.h"

namespace kv {

struct EveryWriteCommit : OneAtATimeCommit<CommitSync::kBeforePublish> {
  static constexpr std::string_view kName = "every_write";
};

static_assert(Commit<EveryWriteCommit>);

}  // namespace kv

#endif  // KV_COMMIT_EVERY_WRITE_H_
