// log without syncs: what survives a crash is a prefix of the writes, whole batches, at least up to
// the last Flush.
//
// For: caches, derived data, bulk loads.
// Not for: data whose writer believes OK (log.h); range reads.
#ifndef ENGINES_COMPOSITIONS_LOG_UNSYNCED_H_
#define ENGINES_COMPOSITIONS_LOG_UNSYNCED_H_

#include "engines/log/engine.h"
#include "kv/commit/none.h"
#include "kv/expiry/absolute.h"
#include "kv/merge/dead_ratio.h"
#include "kv/striping/hashed.h"

namespace kv {

struct LogUnsyncedParts {
  using Striping = HashedStripes<256>;
  using Commit = NoCommit;
  using Expiry = AbsoluteExpiry;
  using Merge = DeadRatioMerge<>;
};

using LogUnsynced = LogStructured<LogUnsyncedParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LOG_UNSYNCED_H_
