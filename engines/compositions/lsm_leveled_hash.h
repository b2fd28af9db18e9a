// lsm_leveled with a hash table for a memtable, which is sorted when it is flushed. Every operation
// is there, ordered ones too; but for each cursor, and for each Count, what is not flushed yet is
// sorted anew.
//
// For: point reads of what was just written, whatever the keys are (kv/memtable/hash.h).
// Not for: range reads of fresh data, each of which sorts the memtables first (lsm_leveled.h).
#ifndef ENGINES_COMPOSITIONS_LSM_LEVELED_HASH_H_
#define ENGINES_COMPOSITIONS_LSM_LEVELED_HASH_H_

#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/group.h"
#include "kv/compaction/leveled.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/hash.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmLeveledHashParts {
  using Memtable = HashMemtable;
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

using LsmLeveledHash = Lsm<LsmLeveledHashParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_LEVELED_HASH_H_
