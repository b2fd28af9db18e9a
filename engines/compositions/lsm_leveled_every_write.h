// lsm_leveled with a sync of its own for each write.
//
// For: one writer; the line that group commit is measured against.
// Not for: several writers (lsm_leveled.h).
#ifndef ENGINES_COMPOSITIONS_LSM_LEVELED_EVERY_WRITE_H_
#define ENGINES_COMPOSITIONS_LSM_LEVELED_EVERY_WRITE_H_

#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/every_write.h"
#include "kv/compaction/leveled.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmLeveledEveryWriteParts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = LeveledCompaction<>;
  using Striping = HashedStripes<256>;
  using Commit = EveryWriteCommit;
  using Filter = BlockedBloomFilter<10>;
  // Uncompressed blocks are read where they are mapped, so there is nothing to cache.
  using Cache = NoCache;
  using Compression = NoCompression;
  using WalCompression = NoCompression;
  using Reading = MmapReading;
  using Values = InlineValues;
  using Expiry = AbsoluteExpiry;
};

using LsmLeveledEveryWrite = Lsm<LsmLeveledEveryWriteParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_LEVELED_EVERY_WRITE_H_
