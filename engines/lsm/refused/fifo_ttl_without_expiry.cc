// Files are to be dropped when their records have expired, and no record can.
#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/none.h"
#include "kv/compaction/fifo.h"
#include "kv/compression/none.h"
#include "kv/expiry/none.h"
#include "kv/filter/none.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/reading/mmap.h"
#include "kv/striping/single.h"
#include "kv/values/inline.h"

namespace kv {

struct Parts {
  using Memtable = BPlusTreeMemtable;
  using Compaction = FifoCompaction<FifoShape{.ttl_grace_millis = 1000}>;
  using Striping = SingleStripe;
  using Commit = NoCommit;
  using Filter = NoFilter;
  using Cache = NoCache;
  using Compression = NoCompression;
  using WalCompression = NoCompression;
  using Reading = MmapReading;
  using Values = InlineValues;
  using Expiry = NoExpiry;
};

using Refused = decltype(Lsm<Parts>::Open({}));

}  // namespace kv
