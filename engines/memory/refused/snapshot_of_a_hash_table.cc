// A snapshot of a store that keeps none.
#include "engines/memory/hash_engine.h"
#include "engines/memory/sharding.h"
#include "kv/expiry/absolute.h"

namespace kv {

struct Parts {
  using Sharding = HashedShards<16>;
  using Expiry = AbsoluteExpiry;
};

void Refused(HashMemory<Parts>& store) { store.TakeSnapshot(); }

}  // namespace kv
