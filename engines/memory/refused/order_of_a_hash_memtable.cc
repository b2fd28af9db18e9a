// An ordered engine on a memtable that keeps no order.
#include "engines/memory/ordered_engine.h"
#include "kv/expiry/none.h"
#include "kv/memtable/hash.h"

namespace kv {

struct Parts {
  using Memtable = HashMemtable;
  using Expiry = NoExpiry;
};

using Refused = decltype(OrderedMemory<Parts>::Open({}));

}  // namespace kv
