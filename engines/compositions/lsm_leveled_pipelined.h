// lsm_leveled whose writers log and fill the memtable while another's sync is in flight.
//
// For: large batches from several durable writers: their copying and inserting is done beside the
// sync of those before them.
// Not for: one writer, or many small writes (lsm_leveled.h shares syncs at less cost a write).
#ifndef ENGINES_COMPOSITIONS_LSM_LEVELED_PIPELINED_H_
#define ENGINES_COMPOSITIONS_LSM_LEVELED_PIPELINED_H_

#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/pipelined.h"
#include "kv/compaction/leveled.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmLeveledPipelinedParts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = LeveledCompaction<>;
  using Striping = HashedStripes<256>;
  using Commit = PipelinedCommit;
  using WalCompression = NoCompression;
  using Filter = BlockedBloomFilter<10>;
  // Uncompressed blocks are read where they are mapped, so there is nothing to cache.
  using Cache = NoCache;
  using Reading = MmapReading;
  using Compression = NoCompression;
  using Values = InlineValues;
  using Expiry = AbsoluteExpiry;
};

using LsmLeveledPipelined = Lsm<LsmLeveledPipelinedParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_LEVELED_PIPELINED_H_
