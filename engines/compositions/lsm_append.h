// Takes writes as fast as they can be sorted and written once: no sync, and no compaction until it
// is asked for by hand.
//
// For: loads that are followed by Compact and then only read.
// Not for: stores that are read while they grow: every flush is one more run to ask.
#ifndef ENGINES_COMPOSITIONS_LSM_APPEND_H_
#define ENGINES_COMPOSITIONS_LSM_APPEND_H_

#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/none.h"
#include "kv/compaction/none.h"
#include "kv/compression/none.h"
#include "kv/expiry/absolute.h"
#include "kv/filter/blocked_bloom.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/mmap.h"
#include "kv/striping/hashed.h"
#include "kv/values/inline.h"

namespace kv {

struct LsmAppendParts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = NoCompaction;
  using Striping = HashedStripes<256>;
  using Commit = NoCommit;
  using WalCompression = NoCompression;
  using Filter = BlockedBloomFilter<10>;
  // Uncompressed blocks are read where they are mapped, so there is nothing to cache.
  using Cache = NoCache;
  using Reading = MmapReading;
  using Compression = NoCompression;
  using Values = InlineValues;
  using Expiry = AbsoluteExpiry;
};

using LsmAppend = Lsm<LsmAppendParts>;

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_LSM_APPEND_H_
