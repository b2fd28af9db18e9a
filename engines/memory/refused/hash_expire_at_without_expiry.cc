// A key is told to expire in a store in which none can.
#include "engines/memory/hash_engine.h"
#include "engines/memory/sharding.h"
#include "kv/expiry/none.h"

namespace kv {

struct Parts {
  using Sharding = HashedShards<16>;
  using Expiry = NoExpiry;
};

absl::Status Refused(HashMemory<Parts>& store) { return store.ExpireAt("key", 1); }

}  // namespace kv
