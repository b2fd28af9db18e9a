// As lsm_leveled.h, but values from 1 KiB on lie in files of their own: compaction copies pointers
// to them, and they are moved only to win space back.
//
// For: values of 1 KiB to 1 MiB, above all when they are overwritten.
// Not for: small values, and long scans of values: each is a read of its own (lsm_leveled.h).
#ifndef ENGINES_COMPOSITIONS_LSM_SEPARATED_H_
#define ENGINES_COMPOSITIONS_LSM_SEPARATED_H_

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
#include "kv/values/separated.h"

namespace kv {

struct LsmSeparatedParts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = LeveledCompaction<>;
  using Striping = HashedStripes<256>;
  using Commit = GroupCommit<>;
  using Filter = BlockedBloomFilter<10>;
  using Cache = NoCache;
  using Compression = NoCompression;
  using WalCompression = NoCompression;
  using Reading = MmapReading;
  using Values = SeparatedValues<>;
  using Expiry = AbsoluteExpiry;
};

using LsmSeparated = Lsm<LsmSeparatedParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_SEPARATED_H_
