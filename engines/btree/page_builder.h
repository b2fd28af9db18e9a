// Fills fresh pages with sorted items. The pages are not published yet, so no reader sees them.
//
// Thread safety: functions of their arguments.
#ifndef ENGINES_BTREE_PAGE_BUILDER_H_
#define ENGINES_BTREE_PAGE_BUILDER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engines/btree/page.h"

namespace kv::btree {

// A separator and the child behind it.
struct Branch {
  std::string key;
  PageId child = 0;

  size_t Footprint() const { return kInnerItemHeaderBytes + key.size() + kSlotBytes; }
};

inline size_t LeafBytes(std::span<const LeafItem> items) {
  size_t bytes = kPageHeaderBytes;
  for (const LeafItem& item : items) bytes += item.Footprint();
  return bytes;
}

inline size_t InnerBytes(std::span<const Branch> branches) {
  size_t bytes = kPageHeaderBytes;
  for (const Branch& branch : branches) bytes += branch.Footprint();
  return bytes;
}

// `page` is initialized, empty and large enough. `skip`: bytes that all the keys begin with.
inline void FillLeaf(Page page, std::span<const LeafItem> items, size_t skip, Sequence pruned_at) {
  uint32_t at = page.heap_begin();
  Sequence lsn = 0;
  page.set_skip(static_cast<uint32_t>(skip));
  for (size_t i = 0; i < items.size(); ++i) {
    const LeafItem& item = items[i];
    at -= static_cast<uint32_t>(item.Bytes());
    item.Encode(page.bytes() + at);
    page.set_slot(i, {HeadBehind(item.key, skip), at, static_cast<uint32_t>(item.key.size())});
    lsn = std::max(lsn, item.sequence);
  }
  page.set_heap_begin(at);
  page.set_count(static_cast<uint32_t>(items.size()));
  page.set_lsn(lsn);
  page.set_pruned_at(pruned_at);
}

// Bytes that all keys of sorted `items` begin with; 0 for a single one, whose neighbours to come
// will differ from it early.
inline size_t SharedPrefix(std::span<const LeafItem> items) {
  return items.size() < 2 ? 0 : CommonPrefixLength(items.front().key, items.back().key);
}

inline void FillInner(Page page, PageId first_child, std::span<const Branch> branches) {
  const size_t skip =
      branches.size() < 2 ? 0 : CommonPrefixLength(branches.front().key, branches.back().key);
  uint32_t at = page.heap_begin();
  page.set_skip(static_cast<uint32_t>(skip));
  page.set_first_child(first_child);
  for (size_t i = 0; i < branches.size(); ++i) {
    const std::string& key = branches[i].key;
    at -= static_cast<uint32_t>(kInnerItemHeaderBytes + key.size());
    StoreFixed32(page.bytes() + at, static_cast<uint32_t>(key.size()));
    std::memcpy(page.bytes() + at + kInnerItemHeaderBytes, key.data(), key.size());
    page.set_slot(i, {HeadBehind(key, skip), at, branches[i].child});
  }
  page.set_heap_begin(at);
  page.set_count(static_cast<uint32_t>(branches.size()));
}

inline std::vector<Branch> BranchesOf(Page page) {
  std::vector<Branch> branches(page.count());
  for (size_t i = 0; i < branches.size(); ++i) {
    branches[i] = {std::string(page.separator(i)), page.child(i + 1)};
  }
  return branches;
}

// The shortest key that is above `left` and not above `right`.
inline std::string Separator(std::string_view left, std::string_view right) {
  return std::string(right.substr(0, CommonPrefixLength(left, right) + 1));
}

// Whether a page that was read in is well formed: everything that its slots lead to is inside. A
// checksum says that nothing was damaged; this keeps a page that was written wrongly from leading
// reads astray.
inline bool IsWellFormed(Page page, size_t bytes) {
  const bool leaf = page.kind() == PageKind::kLeaf && page.level() == 0;
  if (!leaf && !(page.kind() == PageKind::kInner && page.level() > 0)) return false;
  const size_t count = page.count();
  if (count > bytes / kSlotBytes) return false;
  const size_t slots_end = kPageHeaderBytes + count * kSlotBytes;
  if (slots_end > page.heap_begin() || page.heap_begin() > bytes) return false;
  for (size_t i = 0; i < count; ++i) {
    const Slot slot = page.slot(i);
    const size_t fixed = leaf ? kLeafItemHeaderBytes : kInnerItemHeaderBytes;
    if (slot.offset < page.heap_begin() || slot.offset > bytes - fixed) return false;
    const size_t room = bytes - slot.offset - fixed;
    const char* const item = page.bytes() + slot.offset;
    if (leaf) {
      const uint64_t tag = LoadFixed64(item);
      const bool blob = (tag & kBlobFlag) != 0;
      const uint64_t value_size = LoadFixed32(item + 8);
      const uint64_t needed = uint64_t{slot.extra} + value_size + ((tag & kExpiresFlag) ? 8 : 0);
      if (needed > room || (tag & kKindMask) > 1) return false;
      if (blob && value_size != kBlobReferenceBytes) return false;
      if (slot.extra < page.skip()) return false;
    } else if (LoadFixed32(item) > room || LoadFixed32(item) < page.skip() || slot.extra == 0) {
      return false;
    }
  }
  return leaf || page.first_child() != 0;
}

}  // namespace kv::btree

#endif  // ENGINES_BTREE_PAGE_BUILDER_H_
