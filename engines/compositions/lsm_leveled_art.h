// lsm_leveled with an adaptive radix tree for a memtable.
//
// For: point reads of what was just written, with range reads beside them, where keys branch at few
// depths (kv/memtable/art.h).
// Not for: keys that are hashes in text, whose inserts take longer than the B+tree's
// (lsm_leveled.h).
#ifndef ENGINES_COMPOSITIONS_LSM_LEVELED_ART_H_
#define ENGINES_COMPOSITIONS_LSM_LEVELED_ART_H_

#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/group.h"
#include "kv/compaction/leveled.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/art.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmLeveledArtParts {
  using Memtable = ArtMemtable;
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

using LsmLeveledArt = Lsm<LsmLeveledArtParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_LEVELED_ART_H_
