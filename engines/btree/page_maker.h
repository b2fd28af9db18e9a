// Makes the fresh pages of a change to the tree: filled, and not seen by readers yet.
//
// A page has as many units as its items want: one, but for long keys and for many versions of one
// key, which no split can part.
//
// Thread safety: with the pool's mutex held.
#ifndef ENGINES_BTREE_PAGE_MAKER_H_
#define ENGINES_BTREE_PAGE_MAKER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engines/btree/frame.h"
#include "engines/btree/page_builder.h"

namespace kv::btree {

// Where to split: before an item with a new key, near the middle of the bytes, or before the last
// item of an ascending run. 0: all the items have one key.
inline size_t SplitBoundary(std::span<const LeafItem> items, bool appends) {
  const auto splits = [&](size_t at) { return items[at - 1].key != items[at].key; };
  if (appends && items.size() > 1 && splits(items.size() - 1)) return items.size() - 1;
  const size_t half = (LeafBytes(items) + kPageHeaderBytes) / 2;  // each side has a header
  size_t bytes = kPageHeaderBytes;
  size_t best = 0;
  size_t best_distance = SIZE_MAX;
  for (size_t i = 1; i < items.size(); ++i) {
    bytes += items[i - 1].Footprint();
    const size_t distance = bytes > half ? bytes - half : half - bytes;
    if (distance < best_distance && splits(i)) {
      best = i;
      best_distance = distance;
    }
  }
  return best;
}

template <typename PoolType, size_t kPageBytes>
class PageMaker {
 public:
  explicit PageMaker(PoolType& pool) : pool_(pool) {}

  Frame* NewPage(PageId id, PageKind kind, uint8_t level, size_t bytes) {
    const uint32_t units = UnitsFor(bytes);
    Frame* const frame = pool_.NewFrameLocked(id, units);
    frame->page().Initialize(id, units, units * kPageBytes, kind, level);
    return frame;
  }

  // `skip_of_one`: what a single item, which has no neighbour to compare with, is to share with
  // those that come.
  Frame* NewLeaf(PageId id, std::span<const LeafItem> items, Sequence pruned_at,
                 size_t skip_of_one = 0) {
    Frame* const frame = NewPage(id, PageKind::kLeaf, 0, LeafBytes(items));
    FillLeaf(frame->page(), items, items.size() == 1 ? skip_of_one : SharedPrefix(items),
             pruned_at);
    return frame;
  }

  Frame* NewInner(PageId id, uint8_t level, PageId first, std::span<const Branch> branches) {
    Frame* const frame = NewPage(id, PageKind::kInner, level, InnerBytes(branches));
    FillInner(frame->page(), first, branches);
    return frame;
  }

  // The inner page without its child `rank`; it has another one.
  Frame* WithoutChild(Page page, size_t rank) {
    std::vector<Branch> branches = BranchesOf(page);
    PageId first = page.first_child();
    if (rank == 0) {
      first = branches.front().child;
      branches.erase(branches.begin());
    } else {
      branches.erase(branches.begin() + static_cast<ptrdiff_t>(rank - 1));
    }
    return NewInner(page.id(), page.level(), first, branches);
  }

 private:
  static uint32_t UnitsFor(size_t bytes) {
    if (bytes <= kPageBytes) return 1;
    // With room to grow: what does not fit a page is likely to go on like that.
    return static_cast<uint32_t>((bytes + bytes / 4 + kPageBytes - 1) / kPageBytes);
  }

  PoolType& pool_;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_PAGE_MAKER_H_
