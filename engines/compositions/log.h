// Durable and unordered: an acknowledged write is on the disk, a read costs a line of the index and
// the record. Memory for 12 to 16 bytes a key. Writers that come together share a sync.
//
// For: point reads and writes of more data than fits in memory.
// Not for: range reads and prefix counts (lsm_leveled.h); data that can be loaded again
// (log_unsynced.h).
#ifndef ENGINES_COMPOSITIONS_LOG_H_
#define ENGINES_COMPOSITIONS_LOG_H_

#include "engines/log/engine.h"
#include "kv/commit/group.h"
#include "kv/expiry/absolute.h"
#include "kv/merge/dead_ratio.h"
#include "kv/striping/hashed.h"

namespace kv {

struct LogGroupParts {
  using Striping = HashedStripes<256>;
  using Commit = GroupCommit<>;
  using Expiry = AbsoluteExpiry;
  using Merge = DeadRatioMerge<>;
};

using Log = LogStructured<LogGroupParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LOG_H_
