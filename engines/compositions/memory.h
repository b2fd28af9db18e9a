// Unordered, volatile, as fast as a store in one process gets: reads without locks, 64 shards for
// writes. With 256 the shards themselves take so much of the caches that a batch of 10 puts takes
// 1.6 times as long on two cores, and a single put 1.25 times.
//
// Not for: range reads and prefix counts (see memory_ordered.h); anything that must outlive the
// process.
#ifndef ENGINES_COMPOSITIONS_MEMORY_H_
#define ENGINES_COMPOSITIONS_MEMORY_H_

#include "engines/memory/hash_engine.h"
#include "engines/memory/sharding.h"
#include "kv/contract/engine.h"
#include "kv/expiry/absolute.h"

namespace kv {

struct MemoryParts {
  using Sharding = HashedShards<64>;
  using Expiry = AbsoluteExpiry;
};

using Memory = HashMemory<MemoryParts>;

static_assert(Engine<Memory>);

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_MEMORY_H_
