// Walks over all entries of a hash table: what counting and deleting by range have instead of
// order.
//
// Thread safety: the table must stay as it is meanwhile: frozen, or its shard locked.
// Cost: one look at each slot; the entries are fetched ahead, so their misses overlap.
#ifndef ENGINES_MEMORY_HASH_SCAN_H_
#define ENGINES_MEMORY_HASH_SCAN_H_

#include <cstddef>
#include <utility>

#include "engines/memory/entry.h"
#include "engines/memory/hash_table.h"

namespace kv::memory_internal {

// Calls `visit(const Entry&)` with each, the expired with them.
template <typename Visit>
void ForEachEntry(HashTable table, Visit&& visit) {
  constexpr size_t kAhead = 16;
  const size_t size = table.capacity();
  for (size_t i = 0; i < size; ++i) {
    if (i + kAhead < size) __builtin_prefetch(EntryOf(table.Peek(i + kAhead)));
    const Word word = table.Peek(i);
    if (IsEntry(word)) visit(*EntryOf(word));
  }
}

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_HASH_SCAN_H_
