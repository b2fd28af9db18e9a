// A dictionary for the log, which has no table to train it on.
#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/none.h"
#include "kv/compaction/none.h"
#include "kv/compression/none.h"
#include "kv/compression/zstd.h"
#include "kv/expiry/none.h"
#include "kv/filter/none.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/mmap.h"
#include "kv/striping/single.h"
#include "kv/values/inline.h"

namespace kv {

struct Parts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = NoCompaction;
  using Striping = SingleStripe;
  using Commit = NoCommit;
  using Filter = NoFilter;
  using Cache = NoCache;
  using Compression = NoCompression;
  using WalCompression = ZstdCompression<ZstdShape{.dictionary_bytes = 4096}>;
  using Reading = MmapReading;
  using Values = InlineValues;
  using Expiry = NoExpiry;
};

using Refused = decltype(Lsm<Parts>::Open({}));

}  // namespace kv
