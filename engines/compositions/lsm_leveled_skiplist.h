// lsm_leveled with a lock-free skip list for a memtable, the field's usual choice.
//
// For: comparing memtables; the least memory for records in random order.
// Not for: speed (lsm_leveled.h).
#ifndef ENGINES_COMPOSITIONS_LSM_LEVELED_SKIPLIST_H_
#define ENGINES_COMPOSITIONS_LSM_LEVELED_SKIPLIST_H_

#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/group.h"
#include "kv/compaction/leveled.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/skip_list.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmLeveledSkiplistParts {
  using Memtable = SkipListMemtable;
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

using LsmLeveledSkiplist = Lsm<LsmLeveledSkiplistParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_LEVELED_SKIPLIST_H_
