// lsm_leveled with binary fuse filters.
//
// For: reads that mostly miss, of a store that is written rarely: less than half the false
// positives of lsm_leveled in less space (kv/filter/binary_fuse.h).
// Not for: loads of writes: a filter takes more than ten times as long to build as lsm_leveled's
// (lsm_leveled.h).
#ifndef ENGINES_COMPOSITIONS_LSM_LEVELED_FUSE_H_
#define ENGINES_COMPOSITIONS_LSM_LEVELED_FUSE_H_

#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/group.h"
#include "kv/compaction/leveled.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/binary_fuse.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmLeveledFuseParts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = LeveledCompaction<>;
  using Striping = HashedStripes<256>;
  using Commit = GroupCommit<>;
  using Filter = BinaryFuseFilter<8>;
  // Uncompressed blocks are read where they are mapped, so there is nothing to cache.
  using Cache = NoCache;
  using Compression = NoCompression;
  using WalCompression = NoCompression;
  using Reading = MmapReading;
  using Values = InlineValues;
  using Expiry = AbsoluteExpiry;
};

using LsmLeveledFuse = Lsm<LsmLeveledFuseParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_LEVELED_FUSE_H_
