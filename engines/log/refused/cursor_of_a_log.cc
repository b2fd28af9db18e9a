// A cursor of a store that keeps no order.
#include "engines/log/engine.h"
#include "kv/commit/none.h"
#include "kv/expiry/absolute.h"
#include "kv/merge/dead_ratio.h"
#include "kv/striping/single.h"

namespace kv {

struct Parts {
  using Striping = SingleStripe;
  using Commit = NoCommit;
  using Expiry = AbsoluteExpiry;
  using Merge = DeadRatioMerge<>;
};

void Refused(LogStructured<Parts>& store) { store.NewCursor({.lower = "a"}); }

}  // namespace kv
