// No commit: a write returns when it is in the log's buffer and in the memtable; nothing is synced
// until Flush or Close.
//
// For: data that can be loaded again, caches, benchmarks of everything but the disk.
// Not for: data whose writer believes OK.
#ifndef KV_COMMIT_NONE_H_
#define KV_COMMIT_NONE_H_

#include <string_view>

#include "kv/commit/one_at_a_time.h"

namespace kv {

struct NoCommit : OneAtATimeCommit<CommitSync::kLater> {
  static constexpr std::string_view kName = "none";
};

static_assert(Commit<NoCommit>);

}  // namespace kv

#endif  // KV_COMMIT_NONE_H_
