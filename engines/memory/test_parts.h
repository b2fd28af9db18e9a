// The parts that the tests and the benchmark of this folder compose. The compositions that programs
// use stand above it, in engines/compositions, and have tests of their own.
#ifndef ENGINES_MEMORY_TEST_PARTS_H_
#define ENGINES_MEMORY_TEST_PARTS_H_

#include "engines/memory/hash_engine.h"
#include "engines/memory/ordered_engine.h"
#include "engines/memory/sharding.h"
#include "kv/contract/engine.h"
#include "kv/expiry/absolute.h"
#include "kv/expiry/none.h"
#include "kv/memtable/bplus_tree.h"
#include "kv/memtable/skip_list.h"

namespace kv::testing {

struct ShardedParts {
  using Sharding = HashedShards<256>;
  using Expiry = AbsoluteExpiry;
};

struct OneShardParts {
  using Sharding = HashedShards<1>;
  using Expiry = NoExpiry;
};

struct TreeParts {
  using Memtable = BPlusTreeMemtable;
  using Expiry = AbsoluteExpiry;
};

struct SkipListParts {
  using Memtable = SkipListMemtable;
  using Expiry = NoExpiry;
};

using Sharded = HashMemory<ShardedParts>;
using OneShard = HashMemory<OneShardParts>;
using OnTree = OrderedMemory<TreeParts>;
using OnSkipList = OrderedMemory<SkipListParts>;

static_assert(Engine<Sharded> && !OrderedEngine<Sharded> && !DurableEngine<Sharded>);
static_assert(Engine<OneShard>);
static_assert(OrderedEngine<OnTree> && !DurableEngine<OnTree>);
static_assert(OrderedEngine<OnSkipList>);

}  // namespace kv::testing

#endif  // ENGINES_MEMORY_TEST_PARTS_H_
