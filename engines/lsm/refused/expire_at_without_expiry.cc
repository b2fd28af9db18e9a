// A key is told to expire in a store in which none can.
#include "engines/lsm/engine.h"
#include "kv/cache/none.h"
#include "kv/commit/none.h"
#include "kv/compaction/none.h"
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
  using Compaction = NoCompaction;
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

absl::Status Refused(Lsm<Parts>& store) { return store.ExpireAt("key", 1); }

}  // namespace kv
