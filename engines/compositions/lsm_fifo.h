// A window over the newest gibibyte: the oldest files are dropped, nothing is ever merged. Writes
// are acknowledged before they are synced (lsm_leveled_interval.h).
//
// For: caches and series with a time to live, whose old data is to vanish by itself.
// Not for: data that must stay (lsm_append.h keeps it, at the same cost of a write).
#ifndef ENGINES_COMPOSITIONS_LSM_FIFO_H_
#define ENGINES_COMPOSITIONS_LSM_FIFO_H_

#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/interval.h"
#include "kv/compaction/fifo.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmFifoParts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = FifoCompaction<>;
  using Striping = HashedStripes<256>;
  using Commit = IntervalCommit<>;
  using WalCompression = NoCompression;
  using Filter = BlockedBloomFilter<10>;
  // Uncompressed blocks are read where they are mapped, so there is nothing to cache.
  using Cache = NoCache;
  using Reading = MmapReading;
  using Compression = NoCompression;
  using Values = InlineValues;
  using Expiry = AbsoluteExpiry;
};

using LsmFifo = Lsm<LsmFifoParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_FIFO_H_
