// Inserting into a leaf while readers look at it.
//
// Items go into the gap from the heap's side and never change, so what a reader was led to stays
// what it was. Slots move, under the frame's version, which is odd meanwhile:
//   Writer: version = odd (relaxed); changes, every one a release store; version = even (release).
//   Reader: version (acquire), must be even; reads, every one an acquire load; version (relaxed),
//           must be unchanged - else what was read is thrown away.
//   Why it holds: if a read saw a value stored by a change, it synchronizes with that release
//   store, before which the version became odd; so the second version load sees that or later, and
//   differs. If the first load saw the even version after a change, all of the change is seen.
// A read that is thrown away is harmless too: every (offset, key size) pair that was ever in a slot
// leads to an item that lives as long as the frame is guarded (pool.h).
//
// Memory order: as above; kv/memtable/bplus_tree_node.h has the same protocol.
// Thread safety: one writer, any number of readers under the pool's gate.
#ifndef ENGINES_BTREE_LEAF_H_
#define ENGINES_BTREE_LEAF_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engines/btree/frame.h"
#include "engines/btree/page.h"
#include "engines/btree/search.h"
#include "kv/base/atomic.h"

namespace kv::btree {

// Reader: the version to read under, once no change is under way.
inline uint64_t StableVersion(const Atomic<uint64_t>& version) {
  for (unsigned spins = 0;; ++spins) {
    const uint64_t seen = version.load(std::memory_order_acquire);
    if ((seen & 1) == 0) [[likely]]
      return seen;
    // The writer may have lost its processor in mid-change.
    if (kModelled || spins > 64) GiveWay();
  }
}

// Writer: whether `item` fits in place. Its key must have what all keys of the page begin with.
inline bool FitsInPlace(Page page, const LeafItem& item) {
  const uint32_t count = page.count();
  if (page.FreeBytes() < item.Footprint()) return false;
  const size_t skip = page.skip();
  if (skip == 0 || count == 0) return skip == 0;
  Sequence ignored;
  return item.key.size() >= skip &&
         CompareToPrefix(item.key, page.LeafKey(page.slot(0), &ignored), skip) == 0;
}

// Writer: inserts `item`, which fits. False when the version is there already.
inline bool InsertInPlace(Frame* frame, const LeafItem& item) {
  const Page page = frame->page();
  const uint32_t count = page.count();
  const size_t rank = RankInLeaf(page, count, item.key, item.sequence);
  if (rank < count) {
    Sequence sequence;
    if (page.LeafKey(page.slot(rank), &sequence) == item.key && sequence == item.sequence) {
      return false;
    }
  }
  const uint32_t at = page.heap_begin() - static_cast<uint32_t>(item.Bytes());
  item.Encode(page.bytes() + at);
  page.set_heap_begin(at);
  if (item.sequence > page.lsn()) page.set_lsn(item.sequence);
  const Slot slot{HeadBehind(item.key, page.skip()), at, static_cast<uint32_t>(item.key.size())};
  if (rank == count) {
    // Behind the last slot nothing moves: readers see the new count or the old one.
    page.set_slot(rank, slot);
    page.set_count(count + 1);
    return true;
  }
  const uint64_t version = frame->version.load(std::memory_order_relaxed);
  frame->version.store(version + 1, std::memory_order_relaxed);
  for (size_t i = count; i > rank; --i) page.set_slot(i, page.slot(i - 1));
  page.set_slot(rank, slot);
  page.set_count(count + 1);
  frame->version.store(version + 2, std::memory_order_release);
  return true;
}

}  // namespace kv::btree

#endif  // ENGINES_BTREE_LEAF_H_
