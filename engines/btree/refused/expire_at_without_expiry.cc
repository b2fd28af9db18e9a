// A key is told to expire in a store in which none can.
#include "engines/btree/engine.h"
#include "kv/commit/none.h"
#include "kv/expiry/none.h"
#include "kv/striping/single.h"

namespace kv {

struct Parts {
  using Pages = BtreePages<>;
  using Striping = SingleStripe;
  using Commit = NoCommit;
  using Expiry = NoExpiry;
};

absl::Status Refused(Btree<Parts>& store) { return store.ExpireAt("key", 1); }

}  // namespace kv
