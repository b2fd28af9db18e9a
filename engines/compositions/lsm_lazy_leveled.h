// Ordered and crash-safe: tiers for what is new, one leveled run for the mass of the data.
//
// For: many writes and point reads; space near that of lsm_leveled.h.
// Not for: short scans, which ask every run of the tiers.
#ifndef ENGINES_COMPOSITIONS_LSM_LAZY_LEVELED_H_
#define ENGINES_COMPOSITIONS_LSM_LAZY_LEVELED_H_

#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/group.h"
#include "kv/compaction/lazy_leveled.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmLazyLeveledParts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = LazyLeveledCompaction<>;
  using Striping = HashedStripes<256>;
  using Commit = GroupCommit<>;
  using WalCompression = NoCompression;
  using Filter = BlockedBloomFilter<10>;
  // Uncompressed blocks are read where they are mapped, so there is nothing to cache.
  using Cache = NoCache;
  using Reading = MmapReading;
  using Compression = NoCompression;
  using Values = InlineValues;
  using Expiry = AbsoluteExpiry;
};

using LsmLazyLeveled = Lsm<LsmLazyLeveledParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_LAZY_LEVELED_H_
