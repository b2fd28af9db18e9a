// Nodes of BPlusTreeMemtable: sorted slots of (key head, entry), each node under a version word
// that lets any number of readers run beside one writer without writing anything (a seqlock).
//
//   Leaf    [ version | count, skip | next, prev | head ... head | entry ... entry ]
//   Inner   [ version | count, skip | head ... head | separator ... separator | child ... child ]
//             child i holds what is before separator i, child i + 1 what is at or after it
//
// Head: the 8 bytes of a key from offset `skip` on, big-endian, so that one integer comparison
// orders most pairs; equal heads send the search to the whole keys. Every key that can be in the
// node begins with the same `skip` bytes, because both of the node's fences do (the separators left
// and right of it in the tree). A separator is the entry it was taken from: entries never die.
//
// Memory order: the version protocol. A node's version is odd while the writer changes it.
//   Writer: version = odd (relaxed); changes, every one a release store; version = even (release).
//   Reader: version (acquire), must be even; reads, every one an acquire load; version (relaxed),
//           must be unchanged - else what was read is thrown away.
//   Why it holds: if a read saw a value stored by a change, it synchronizes with that release
//   store, before which the version became odd; so the second version load sees that or later, and
//   differs. If the first load saw the even version after a change, it synchronizes with it, and
//   all of the change is seen. The loads being acquire, the second version load stays after them.
//   No fences: x86-64 compiles all of this to plain moves, and thread sanitizers understand it.
// Even a read that is thrown away is harmless: a slot below any count ever stored holds a pointer
// to an entry or a node that lives as long as the tree.
//
// Appending behind the last slot changes nothing that a reader may hold: it stores the slot, then
// the count (release), and leaves the version alone.
//
// Not for: more than one writer at a time.
#ifndef KV_MEMTABLE_BPLUS_TREE_NODE_H_
#define KV_MEMTABLE_BPLUS_TREE_NODE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kv/base/atomic.h"
#include "kv/base/bytes.h"
#include "kv/memtable/entry.h"

namespace kv::bplus_tree_internal {

inline constexpr size_t kCacheLine = 64;
inline constexpr size_t kLeafSlots = kModelled ? 4 : 64;
inline constexpr size_t kInnerSlots = kModelled ? 4 : 64;

// The head of `key` behind its first `skip` bytes. A reader that lost a race may ask for more
// bytes than the key has.
inline uint64_t HeadBehind(std::string_view key, size_t skip) {
  return skip <= key.size() ? KeyHead(key.substr(skip)) : 0;
}

class Node {
 public:
  explicit Node(uint32_t level) : level_(level) {}

  uint32_t level() const { return level_; }  // 0: a leaf
  uint32_t count() const { return count_.load(std::memory_order_acquire); }

  // Reader: the version to read under, once the writer is not in the middle of a change.
  uint64_t Version() const {
    for (unsigned spins = 0;; ++spins) {
      const uint64_t version = version_.load(std::memory_order_acquire);
      if ((version & 1) == 0) [[likely]]
        return version;
      // Most changes are shorter than this; past it the writer has lost its processor: offer ours.
      if (kModelled || spins > 64) GiveWay();
    }
  }
  bool Unchanged(uint64_t version) const {
    return version_.load(std::memory_order_relaxed) == version;
  }

  // Writer: brackets a change. Odd is relaxed, as each change behind it is a release store.
  void BeginChange() { version_.store(Own(version_) + 1, std::memory_order_relaxed); }
  void EndChange() { version_.store(Own(version_) + 1, std::memory_order_release); }

 protected:
  // What the only writer reads back of its own.
  template <typename T>
  static T Own(const Atomic<T>& field) {
    return field.load(std::memory_order_relaxed);
  }
  // Part of a change; pairs with the acquire load of whoever reads the field.
  template <typename T>
  static void Set(Atomic<T>& field, T value) {
    field.store(value, std::memory_order_release);
  }

  Atomic<uint64_t> version_{0};
  Atomic<uint32_t> count_{0};
  Atomic<uint32_t> skip_{0};
  const uint32_t level_;
};

template <size_t kSlots>
class SlotNode : public Node {
 public:
  using Node::Node;

  bool full() const { return Own(count_) == kSlots; }
  const Entry* entry(size_t slot) const { return entries_[slot].load(std::memory_order_acquire); }
  uint64_t HeadOf(std::string_view key) const {
    return HeadBehind(key, skip_.load(std::memory_order_acquire));
  }

  // How many of the first `count` slots are before (key, sequence) in the internal order; with
  // kOrAt, before or at it.
  template <bool kOrAt>
  size_t Rank(size_t count, std::string_view key, Sequence sequence) const {
    const uint64_t head = HeadOf(key);
    size_t low = 0;
    // The steps depend on data only, not on branches: a mispredicted one costs more than a load.
    for (size_t left = count; left > 0;) {
      const size_t half = (left + 1) / 2;
      low += Head(low + half - 1) < head ? half : 0;
      left -= half;
    }
    if (low == count || Head(low) != head) return low;
    // Equal heads. Mostly one, which is the key itself; else search on, looking at whole keys only
    // where the heads are equal.
    size_t high = count;
    if (low + 1 == count || Head(low + 1) != head) high = low + 1;
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      const bool before =
          Head(middle) == head && entry(middle)->Compare(key, sequence) < (kOrAt ? 1 : 0);
      low = before ? middle + 1 : low;
      high = before ? high : middle;
    }
    return low;
  }

  void Prefetch() const {
    const char* const line = reinterpret_cast<const char*>(this);
    for (size_t at = 0; at < sizeof(SlotNode); at += kCacheLine) __builtin_prefetch(line + at);
  }

 protected:
  uint64_t Head(size_t slot) const { return heads_[slot].load(std::memory_order_acquire); }

  void SetSlot(size_t slot, uint64_t head, const Entry* entry) {
    Set(heads_[slot], head);
    Set(entries_[slot], entry);
  }

  // Makes room at `slot`; the last slot is free.
  void ShiftRight(size_t slot) {
    for (size_t i = Own(count_); i > slot; --i)
      SetSlot(i, Own(heads_[i - 1]), Own(entries_[i - 1]));
  }

  // To a node that no reader has seen: slots [from, count) of `other`.
  void CopyTail(const SlotNode& other, size_t from) {
    const size_t count = Own(other.count_);
    for (size_t i = from; i < count; ++i) SetSlot(i - from, other.Head(i), other.entry(i));
    Set(count_, static_cast<uint32_t>(count - from));
    Set(skip_, Own(other.skip_));
  }

  // Takes the heads behind `prefix` bytes, which all keys of the node share, if that tells apart
  // any that are equal now. It reads all keys, so it is not done for nothing. Part of a change.
  void RefineHeads(size_t prefix) {
    const size_t count = Own(count_);
    if (prefix <= Own(skip_)) return;
    bool ties = false;
    for (size_t i = 1; i < count; ++i) ties |= Own(heads_[i - 1]) == Own(heads_[i]);
    if (!ties) return;
    uint64_t heads[kSlots];
    for (size_t i = 0; i < count; ++i) heads[i] = HeadBehind(Own(entries_[i])->key(), prefix);
    for (size_t i = 0; i < count; ++i) Set(heads_[i], heads[i]);
    Set(skip_, static_cast<uint32_t>(prefix));
  }

  Atomic<uint64_t> heads_[kSlots];
  Atomic<const Entry*> entries_[kSlots];
};

class alignas(kCacheLine) Leaf : public SlotNode<kLeafSlots> {
 public:
  Leaf() : SlotNode(0) {}

  Leaf* next() const { return next_.load(std::memory_order_acquire); }
  // The leaf before, or one further left if that has been split since: walk right from it.
  Leaf* previous_hint() const { return previous_.load(std::memory_order_acquire); }

  // Writer: puts `entry` at `slot`; the leaf is not full.
  void Insert(size_t slot, const Entry* entry) {
    const uint64_t head = HeadOf(entry->key());
    const uint32_t count = Own(count_);
    last_insert_ = static_cast<uint32_t>(slot);
    if (slot == count) {
      SetSlot(slot, head, entry);
      Set(count_, count + 1);
      return;
    }
    BeginChange();
    ShiftRight(slot);
    SetSlot(slot, head, entry);
    Set(count_, count + 1);
    EndChange();
  }

  // Writer: where (key, sequence) goes. Looks behind the last slot first, for ascending runs.
  size_t SlotFor(std::string_view key, Sequence sequence) const {
    const size_t count = Own(count_);
    if (count == 0) return 0;
    const uint64_t last = Head(count - 1);
    const uint64_t head = HeadOf(key);
    if (last < head || (last == head && entry(count - 1)->Compare(key, sequence) < 0)) return count;
    return Rank<false>(count, key, sequence);
  }

  // Writer: whether an insert at `slot`, the end of a full leaf, looks like an ascending run.
  bool Appending(size_t slot) const {
    return slot == kLeafSlots && (Own(next_) == nullptr || last_insert_ + 1 == slot);
  }

  // Writer: fills `right`, unseen by readers, with what belongs behind this leaf.
  void FillRight(Leaf* right, size_t from, size_t prefix) {
    right->CopyTail(*this, from);
    right->RefineHeads(prefix);
    Set(right->next_, Own(next_));
    Set(right->previous_, this);
  }
  // Writer, within a change: gives up the slots that `right` has taken. `prefix` as in RefineHeads.
  void Truncate(size_t count, Leaf* right, size_t prefix) {
    if (Leaf* const after = Own(next_); after != nullptr) Set(after->previous_, right);
    Set(next_, right);
    Set(count_, static_cast<uint32_t>(count));
    RefineHeads(prefix);
  }

 private:
  Atomic<Leaf*> next_{nullptr};
  Atomic<Leaf*> previous_{nullptr};
  uint32_t last_insert_ = 0;  // the writer's own
};

class alignas(kCacheLine) Inner : public SlotNode<kInnerSlots> {
 public:
  Inner(uint32_t level, Node* first) : SlotNode(level) { Set(children_[0], first); }

  Node* child(size_t slot) const { return children_[slot].load(std::memory_order_acquire); }

  // Where (key, sequence) is or would be.
  size_t ChildSlot(std::string_view key, Sequence sequence) const {
    return Rank<true>(count(), key, sequence);
  }

  // Writer, within a change: `right` takes what is at or after `separator`; the node is not full.
  void InsertChild(const Entry* separator, Node* right) {
    const uint32_t count = Own(count_);
    const size_t slot = ChildSlot(separator->key(), separator->sequence());
    for (size_t i = count; i > slot; --i) Set(children_[i + 1], Own(children_[i]));
    ShiftRight(slot);
    SetSlot(slot, HeadOf(separator->key()), separator);
    Set(children_[slot + 1], right);
    Set(count_, count + 1);
  }

  // Writer: fills `right`, which has child `from` already, with what is behind that child.
  void FillRight(Inner* right, size_t from, size_t prefix) const {
    right->CopyTail(*this, from);
    const size_t count = Own(count_);
    for (size_t i = from; i < count; ++i)
      Set(right->children_[i - from + 1], Own(children_[i + 1]));
    right->RefineHeads(prefix);
  }
  // Writer, within a change. `prefix` as in RefineHeads.
  void Truncate(size_t count, size_t prefix) {
    Set(count_, static_cast<uint32_t>(count));
    RefineHeads(prefix);
  }

 private:
  Atomic<Node*> children_[kInnerSlots + 1];
};

}  // namespace kv::bplus_tree_internal

#endif  // KV_MEMTABLE_BPLUS_TREE_NODE_H_
