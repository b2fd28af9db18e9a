// Every write: each write is synced by itself before it returns.
//
// For: one writer that must not lose anything, and as the line that group commit is measured
// against. Not for: several writers (see group.h: the same promise, many times the throughput).
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
