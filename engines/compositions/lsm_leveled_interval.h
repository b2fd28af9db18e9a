// lsm_leveled that acknowledges a write before it is synced: it is durable 100 ms or 1 MiB later,
// and what survives a crash is a prefix.
//
// For: high rates of writes of which a power failure may take the last tenth of a second.
// Not for: data whose writer believes OK (lsm_leveled.h).
#ifndef ENGINES_COMPOSITIONS_LSM_LEVELED_INTERVAL_H_
#define ENGINES_COMPOSITIONS_LSM_LEVELED_INTERVAL_H_

#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/interval.h"
#include "kv/compaction/leveled.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmLeveledIntervalParts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = LeveledCompaction<>;
  using Striping = HashedStripes<256>;
  using Commit = IntervalCommit<>;
  using WalCompression = NoCompression;
  using Filter = BlockedBloomFilter<10>;
  // Uncompressed blocks are read where they are mapped, so there is nothing to cache.
  using Cache = NoCache;
  using Reading = MmapReading;
  using Compression = NoCompression;
  using Values = InlineValues;
  using Expiry = AbsoluteExpiry;
};

using LsmLeveledInterval = Lsm<LsmLeveledIntervalParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_LEVELED_INTERVAL_H_
