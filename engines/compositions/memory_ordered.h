// Ordered, volatile: range reads both ways, prefix counts and snapshots; reads without locks.
//
// Not for: loads of single keys only (see memory.h); many writers at once; anything that must
// outlive the process.
#ifndef ENGINES_COMPOSITIONS_MEMORY_ORDERED_H_
#define ENGINES_COMPOSITIONS_MEMORY_ORDERED_H_

#include "engines/memory/ordered_engine.h"
#include "kv/contract/engine.h"
#include "kv/expiry/absolute.h"
#include "kv/memtable/bplus_tree.h"

namespace kv {

struct MemoryOrderedParts {
  using Memtable = BPlusTreeMemtable;
  using Expiry = AbsoluteExpiry;
};

using MemoryOrdered = OrderedMemory<MemoryOrderedParts>;

static_assert(OrderedEngine<MemoryOrdered>);

}  // namespace kv

#endif  // ENGINES_COMPOSITIONS_MEMORY_ORDERED_H_
