// Ordered and crash-safe: an acknowledged write is on the disk. Range reads are cheap; paid for in
// write amplification. Writers that come together share a sync.
//
// For: the default choice of a durable store.
// Not for: data that can be loaded again (lsm_leveled_unsynced.h), or that fits in memory and need
// not survive (memory.h).
#ifndef ENGINES_COMPOSITIONS_LSM_LEVELED_H_
#define ENGINES_COMPOSITIONS_LSM_LEVELED_H_

#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/group.h"
#include "kv/compaction/leveled.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmLeveledParts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = LeveledCompaction<>;
  using Striping = HashedStripes<256>;
  using Commit = GroupCommit<>;
  using Filter = BlockedBloomFilter<10>;
  // Uncompressed blocks are read where they are mapped, so there is nothing to cache.
  using Cache = NoCache;
  using Compression = NoCompression;
  using WalCompression = NoCompression;
  using Reading = MmapReading;
  using Values = InlineValues;
  using Expiry = AbsoluteExpiry;
};

using LsmLeveled = Lsm<LsmLeveledParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_LEVELED_H_
