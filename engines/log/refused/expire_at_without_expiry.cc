// A key is told to expire in a store in which none can.
#include "engines/log/engine.h"
#include "kv/commit/none.h"
#include "kv/expiry/none.h"
#include "kv/merge/dead_ratio.h"
#include "kv/striping/single.h"

namespace kv {

struct Parts {
  using Striping = SingleStripe;
  using Commit = NoCommit;
  using Expiry = NoExpiry;
  using Merge = DeadRatioMerge<>;
};

absl::Status Refused(LogStructured<Parts>& store) { return store.ExpireAt("key", 1); }

}  // namespace kv
