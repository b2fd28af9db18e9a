// BPlusTreeCursor: BPlusTreeMemtable::Cursor, the part of kv/memtable/bplus_tree.h that walks.
//
// Contract: RecordCursor (kv/contract/record.h), as kv/memtable/concept.h narrows it.
//
// It holds a consistent copy of one leaf's slots, so moving within it touches nothing shared but
// the entries, which are prefetched some way ahead. Between leaves:
//   1. Forwards it goes to the neighbour that was copied along with the slots. Records that a split
//      moved to a newer leaf in between are in the copy; those inserted there since are younger
//      than the positioning, and need not be met.
//   2. Backwards it goes to the hint, then right until the leaf whose neighbour is the one it came
//      from. That leaf keeps its lower fence and is never unlinked, so this ends, and misses none.
//
// Cost: 600 bytes; Seek is O(log n), a move O(1), some 25 ns for records scattered over memory.
#ifndef KV_MEMTABLE_BPLUS_TREE_CURSOR_H_
#define KV_MEMTABLE_BPLUS_TREE_CURSOR_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "kv/contract/record.h"
#include "kv/memtable/bplus_tree_node.h"
#include "kv/memtable/entry.h"

namespace kv {

template <typename Tree>
class BPlusTreeCursor {
  using Leaf = bplus_tree_internal::Leaf;

 public:
  explicit BPlusTreeCursor(const Tree* tree) : tree_(tree) {}

  bool Valid() const { return at_ < count_; }
  const Record& record() const { return record_; }
  absl::Status status() const { return absl::OkStatus(); }

  void SeekToFirst() {
    Copy(tree_->first_);
    Arrive(0);
  }

  void SeekToLast() {
    // acquire: pairs with the releases where a leaf is added at the end (bplus_tree.h).
    Copy(tree_->last_.load(std::memory_order_acquire));
    while (next_ != nullptr) Copy(next_);
    ArriveAtEnd();
  }

  void Seek(std::string_view key, Sequence sequence) {
    for (;;) {
      const auto found = tree_->FindLeaf(key, sequence);
      const Leaf* const leaf = found.leaf;
      // The count of the search is the count of the copy: appends do not change the version, and
      // one that came between could be before the key.
      const size_t count = leaf->count();
      const size_t slot = leaf->Rank<false>(count, key, sequence);
      if (!TryCopy(leaf, found.version, count)) continue;
      if (slot < count) {
        Arrive(slot);
      } else {
        NextLeaf();
      }
      return;
    }
  }

  void Next() {
    if (++at_ < count_) [[likely]] {
      PrefetchEntry(at_ + kAhead);
      record_ = entries_[at_]->record();
    } else {
      NextLeaf();
    }
  }

  void Prev() {
    if (at_ > 0) [[likely]] {
      --at_;
      if (at_ >= kAhead) PrefetchEntry(at_ - kAhead);
      record_ = entries_[at_]->record();
    } else {
      PreviousLeaf();
    }
  }

 private:
  static constexpr size_t kAhead = 12;  // some 100 ns of memory latency at 10 ns a record

  // Copies `leaf` if it still has `version`.
  bool TryCopy(const Leaf* leaf, uint64_t version, size_t count) {
    for (size_t i = 0; i < count; ++i) entries_[i] = leaf->entry(i);
    next_ = leaf->next();
    leaf_ = leaf;
    count_ = count;
    return leaf->Unchanged(version);
  }

  void Copy(const Leaf* leaf) {
    for (;;) {
      const uint64_t version = leaf->Version();
      if (TryCopy(leaf, version, leaf->count())) return;
    }
  }

  void NextLeaf() {
    if (next_ == nullptr) {
      at_ = count_ = 0;
      return;
    }
    Copy(next_);
    Arrive(0);
  }

  void PreviousLeaf() {
    const Leaf* const from = leaf_;
    const Leaf* const hint = from->previous_hint();
    if (hint == nullptr) {
      at_ = count_ = 0;
      return;
    }
    Copy(hint);
    while (next_ != from) Copy(next_);
    ArriveAtEnd();
  }

  void Arrive(size_t slot) {
    at_ = slot;
    if (slot >= count_) return;
    if (next_ != nullptr) next_->Prefetch();
    const size_t end = std::min(count_, slot + kAhead + 1);
    for (size_t i = slot; i < end; ++i) PrefetchEntry(i);
    record_ = entries_[slot]->record();
  }

  void ArriveAtEnd() {
    at_ = count_;
    if (count_ == 0) return;
    if (const Leaf* const before = leaf_->previous_hint(); before != nullptr) before->Prefetch();
    for (size_t i = count_ - std::min(count_, kAhead + 1); i < count_; ++i) PrefetchEntry(i);
    at_ = count_ - 1;
    record_ = entries_[at_]->record();
  }

  // Two lines: the header and key, and where most of a small value is.
  void PrefetchEntry(size_t slot) const {
    if (slot >= count_) return;
    __builtin_prefetch(entries_[slot]);
    __builtin_prefetch(reinterpret_cast<const char*>(entries_[slot]) + 64);
  }

  const Tree* tree_;
  const Leaf* leaf_ = nullptr;
  const Leaf* next_ = nullptr;
  size_t at_ = 0;
  size_t count_ = 0;
  Record record_;
  const Entry* entries_[bplus_tree_internal::kLeafSlots];
};

}  // namespace kv

#endif  // KV_MEMTABLE_BPLUS_TREE_CURSOR_H_
