// Ordered and crash-safe, and cheap to write: each byte is rewritten once a tier. Paid for in
// reads, which may ask every run, and in space.
//
// For: write-heavy data that is seldom read, and rarely scanned.
// Not for: scans and space (lsm_leveled.h); reads as well as writes (lsm_lazy_leveled.h).
#ifndef ENGINES_COMPOSITIONS_LSM_TIERED_H_
#define ENGINES_COMPOSITIONS_LSM_TIERED_H_

#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/group.h"
#include "kv/compaction/tiered.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmTieredParts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = TieredCompaction<>;
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

using LsmTiered = Lsm<LsmTieredParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_TIERED_H_
