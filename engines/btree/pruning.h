// Which versions of a leaf are still needed. Asked whenever a leaf is written anew.
//
// Of each key these stay: every version that is not visible yet; the newest visible one; and for
// each registered reader (snapshot or cursor) the newest that it sees. An expired value that no
// registered reader sees counts as a tombstone. All versions of a key are in one leaf, so a
// tombstone with nothing older behind it says no more than its absence does, and goes.
//
// Readers that are not registered may look for what was dropped: they know by Page::pruned_at.
//
// A pure decision. Thread safety: one thread.
#ifndef ENGINES_BTREE_PRUNING_H_
#define ENGINES_BTREE_PRUNING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engines/btree/page.h"

namespace kv::btree {

struct Readers {
  std::vector<Sequence> registered;  // ascending
  Sequence visible = 0;              // what everyone else reads at, or later
  uint64_t now = 0;                  // Unix milliseconds

  // Whether a registered reader is at or after `from` and before `to`.
  bool AnyWithin(Sequence from, Sequence to) const {
    const auto reader = std::ranges::lower_bound(registered, from);
    return reader != registered.end() && *reader < to;
  }
};

struct Pruned {
  std::vector<PageId> blobs;  // of dropped versions
  uint64_t expired = 0;       // values that became tombstones
};

// Takes out of `items`, in internal order, what nobody needs.
template <typename Expiry>
Pruned Prune(const Readers& readers, std::vector<LeafItem>* items) {
  Pruned pruned;
  const auto drop = [&](const LeafItem& item) {
    if (item.blob) pruned.blobs.push_back(BlobReference::Decode(item.value).id);
  };
  size_t kept = 0;
  for (size_t i = 0; i < items->size();) {
    const size_t first = kept;
    const std::string_view key = (*items)[i].key;
    Sequence newer = kMaxSequence + 1;
    bool newest = true;  // of the visible ones
    for (; i < items->size() && (*items)[i].key == key; ++i) {
      LeafItem item = (*items)[i];
      const bool registered = readers.AnyWithin(item.sequence, newer);
      const bool visible = item.sequence <= readers.visible;
      newer = item.sequence;
      if (visible && !newest && !registered) {
        drop(item);
        continue;
      }
      if (visible) newest = false;
      if (visible && !registered && item.kind == RecordKind::kValue &&
          Expiry::Expired(item.expires_at, readers.now)) {
        drop(item);
        ++pruned.expired;
        item = {.key = item.key, .sequence = item.sequence, .kind = RecordKind::kTombstone};
      }
      (*items)[kept++] = item;
    }
    while (kept > first && (*items)[kept - 1].kind == RecordKind::kTombstone) --kept;
  }
  items->resize(kept);
  return pruned;
}

}  // namespace kv::btree

#endif  // ENGINES_BTREE_PRUNING_H_
