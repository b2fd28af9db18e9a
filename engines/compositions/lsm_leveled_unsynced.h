// lsm_leveled without syncs: what survives a crash is a prefix of the writes, whole batches, at
// least up to the last Flush.
//
// For: caches, derived data, bulk loads.
// Not for: data whose writer believes OK (lsm_leveled.h).
#ifndef ENGINES_COMPOSITIONS_LSM_LEVELED_UNSYNCED_H_
#define ENGINES_COMPOSITIONS_LSM_LEVELED_UNSYNCED_H_

#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/none.h"
#include "kv/compaction/leveled.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmLeveledUnsyncedParts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = LeveledCompaction<>;
  using Striping = HashedStripes<256>;
  using Commit = NoCommit;
  using Filter = BlockedBloomFilter<10>;
  // Uncompressed blocks are read where they are mapped, so there is nothing to cache.
  using Cache = NoCache;
  using Compression = NoCompression;
  using WalCompression = NoCompression;
  using Reading = MmapReading;
  using Values = InlineValues;
  using Expiry = AbsoluteExpiry;
};

using LsmLeveledUnsynced = Lsm<LsmLeveledUnsyncedParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_LEVELED_UNSYNCED_H_
