// lsm_leveled, small on disk: blocks are compressed with a dictionary trained for each table,
// harder at the bottom of the tree, and so is the log.
//
// For: compressible data of which the part that is read often fits in the cache.
// Not for: fast reads beyond the cache (lsm_leveled.h).
#ifndef ENGINES_COMPOSITIONS_LSM_LEVELED_ZSTD_H_
#define ENGINES_COMPOSITIONS_LSM_LEVELED_ZSTD_H_

#include "engines/lsm/engine.h"
#include "kv/cache/clock.h"
#include "kv/commit/group.h"
#include "kv/compaction/leveled.h"
#include "kv/compression/zstd.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmLeveledZstdParts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = LeveledCompaction<>;
  using Striping = HashedStripes<256>;
  using Commit = GroupCommit<>;
  using WalCompression = ZstdCompression<>;
  using Filter = BlockedBloomFilter<10>;
  using Cache = ClockCache;
  using Reading = MmapReading;
  using Compression = ZstdCompression<ZstdShape{.bottom_level = 6, .dictionary_bytes = 16384}>;
  using Values = InlineValues;
  using Expiry = AbsoluteExpiry;
};

using LsmLeveledZstd = Lsm<LsmLeveledZstdParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_LEVELED_ZSTD_H_
