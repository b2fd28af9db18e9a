// A key is told to expire in a store in which none can.
#include "engines/memory/ordered_engine.h"
#include "kv/expiry/none.h"
#include "kv/memtable/bplus_tree.h"

namespace kv {

struct Parts {
  using Memtable = BPlusTreeMemtable;
  using Expiry = NoExpiry;
};

absl::Status Refused(OrderedMemory<Parts>& store) { return store.ExpireAt("key", 1); }

}  // namespace kv
