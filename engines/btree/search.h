// Binary search in a page: on heads first, whole keys only where heads are equal.
//
// The steps on heads depend on data only, not on branches: a mispredicted branch costs more than a
// load. Sources: poor man's normalized keys and prefix truncation (Graefe, Modern B-Tree
// Techniques, 2011).
//
// Thread safety: as of what is searched. Beside an insert into a leaf the rank may be wrong, and
// the caller validates (leaf.h); nothing outside of the page is touched.
#ifndef ENGINES_BTREE_SEARCH_H_
#define ENGINES_BTREE_SEARCH_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engines/btree/page.h"

namespace kv::btree {

// The number of slots whose head is below `head`.
inline size_t RankOfHead(Page page, size_t count, uint64_t head) {
  size_t low = 0;
  for (size_t left = count; left > 0;) {
    const size_t half = (left + 1) / 2;
    low += page.head(low + half - 1) < head ? half : 0;
    left -= half;
  }
  return low;
}

// How `key` stands to the first `skip` bytes of `sample`, which all keys of a page begin with.
// Below 0: before all of them.
inline int CompareToPrefix(std::string_view key, std::string_view sample, size_t skip) {
  return key.substr(0, skip).compare(sample.substr(0, skip));
}

// The first slot of `count` whose item is at or after (key, sequence) in the internal order, of a
// page whose keys begin as `key` does.
inline size_t RankInLeaf(Page page, size_t count, std::string_view key, Sequence sequence) {
  const uint64_t head = HeadBehind(key, page.skip());
  size_t low = RankOfHead(page, count, head);
  if (low == count || page.head(low) != head) return low;
  size_t high = count;
  while (low < high) {
    // Equal heads are few, and mostly versions of one key: look at the next one first.
    const size_t middle = high - low > 4 ? low + (high - low) / 2 : low;
    const Slot slot = page.slot(middle);
    bool before = false;
    if (slot.head == head) {
      Sequence found;
      const std::string_view found_key = page.LeafKey(slot, &found);
      before = CompareInternal(found_key, found, key, sequence) < 0;
    }
    low = before ? middle + 1 : low;
    high = before ? high : middle;
  }
  return low;
}

// The same for any key.
inline size_t RankInLeafOfAny(Page page, size_t count, std::string_view key, Sequence sequence) {
  if (count == 0) return 0;
  if (const size_t skip = page.skip(); skip > 0) {
    Sequence ignored;
    const int order = CompareToPrefix(key, page.LeafKey(page.slot(0), &ignored), skip);
    if (order != 0) return order < 0 ? 0 : count;
  }
  return RankInLeaf(page, count, key, sequence);
}

// How many separators of an inner page are before `key`, or (kOrAt) at or before it: the rank of
// the child for it.
template <bool kOrAt>
size_t RankInInner(Page page, std::string_view key) {
  const size_t count = page.count();
  if (count == 0) return 0;
  const size_t skip = page.skip();
  if (skip > 0) {
    const int order = CompareToPrefix(key, page.separator(0), skip);
    if (order != 0) return order < 0 ? 0 : count;
  }
  const uint64_t head = HeadBehind(key, skip);
  size_t low = RankOfHead(page, count, head);
  while (low < count && page.head(low) == head) {
    const int order = page.separator(low).compare(key);
    if (kOrAt ? order > 0 : order >= 0) break;
    ++low;
  }
  return low;
}

}  // namespace kv::btree

#endif  // ENGINES_BTREE_SEARCH_H_
