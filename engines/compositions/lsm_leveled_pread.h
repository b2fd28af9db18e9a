// lsm_leveled that reads blocks with pread into a cache of its own instead of mapping files.
//
// For: data that exceeds memory, where page faults would stall readers and evict what is hot.
// Not for: data that fits in memory (lsm_leveled.h reads it in place).
#ifndef ENGINES_COMPOSITIONS_LSM_LEVELED_PREAD_H_
#define ENGINES_COMPOSITIONS_LSM_LEVELED_PREAD_H_

#include "engines/lsm/engine.h"
#include "kv/cache/clock.h"
#include "kv/commit/group.h"
#include "kv/compaction/leveled.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/pread.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmLeveledPreadParts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = LeveledCompaction<>;
  using Striping = HashedStripes<256>;
  using Commit = GroupCommit<>;
  using WalCompression = NoCompression;
  using Filter = BlockedBloomFilter<10>;
  using Cache = ClockCache;
  using Reading = PreadReading;
  using Compression = NoCompression;
  using Values = InlineValues;
  using Expiry = AbsoluteExpiry;
};

using LsmLeveledPread = Lsm<LsmLeveledPreadParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_LEVELED_PREAD_H_
