// BPlusTreeMemtable: a B+tree over arena entries with 8-byte key heads in its nodes. The default.
//
// Contract: kv/memtable/concept.h, with one inserter at a time and readers that run beside it
// without locks. A reader that meets a node in mid-change retries; it waits long
// only if the inserter loses its processor there, and then offers its own.
//
// Invariants:
//   1. Leaves form a list in key order from first_ on. A leaf's lower fence never changes: a split
//      moves the upper part to a new leaf on the right. The first leaf stays the first.
//   2. Nodes and entries are never freed, moved or reused before destruction.
//   3. All keys within a node's fences share its `skip` prefix (kv/memtable/bplus_tree_node.h,
//      which also has the memory-order argument).
//   4. A split changes the parent and the left node under both their versions, so that a reader who
//      checks the parent after it took the child's version was in the right child.
//
// Memory order: within nodes, as kv/memtable/bplus_tree_node.h says. root_ and last_ are stored
// with release, after the node they lead to is complete, and loaded with acquire by readers
// (FindLeaf; SeekToLast of the cursor). The writer loads with relaxed what only it stores. entries_
// is relaxed: a figure, which orders nothing.
//
// Cost: one cache miss or two for the leaf, one for the entry; inner nodes stay in L2. Ascending
// inserts (also ascending runs between other keys) skip the descent and leave full leaves; random
// ones leave them 69 % full, which is 23 bytes of leaf per record. Keys with a long common prefix
// cost the same once nodes are split below it; the nodes on the tree's left and right edge have
// only one fence, and compare whole keys.
//
// Omits: concurrent inserters (see SkipListMemtable), removal.
// For: ordered stores, whatever their keys: the quickest scans and ordered inserts of the
// memtables, and the one to take when in doubt (docs/policies.md).
// Not for: engines that never scan nor flush in order (a hash index is faster).
// Sources: optimistic lock coupling (Leis et al., 2016), Masstree (Mao et al., 2012), poor man's
// normalized keys and prefix truncation (Graefe, Modern B-Tree Techniques, 2011).
#ifndef KV_MEMTABLE_BPLUS_TREE_H_
#define KV_MEMTABLE_BPLUS_TREE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <utility>

#include "kv/base/arena.h"
#include "kv/base/atomic.h"
#include "kv/base/bytes.h"
#include "kv/contract/record.h"
#include "kv/memtable/bplus_tree_cursor.h"
#include "kv/memtable/bplus_tree_node.h"
#include "kv/memtable/concept.h"
#include "kv/memtable/entry.h"

namespace kv {

class BPlusTreeMemtable {
  using Node = bplus_tree_internal::Node;
  using Leaf = bplus_tree_internal::Leaf;
  using Inner = bplus_tree_internal::Inner;

 public:
  static constexpr std::string_view kName = "bplus_tree";
  static constexpr bool kConcurrentInsert = false;
  static constexpr bool kOrdered = true;

  using Cursor = BPlusTreeCursor<BPlusTreeMemtable>;

  BPlusTreeMemtable() : first_(New<Leaf>()), root_(first_), last_(first_) { target_.leaf = first_; }
  BPlusTreeMemtable(const BPlusTreeMemtable&) = delete;
  BPlusTreeMemtable& operator=(const BPlusTreeMemtable&) = delete;

  // O(log n); O(1) when it follows the insert before it closely.
  void Insert(const Record& record) {
    const Entry* const entry = Entry::Write(arena_.Allocate(Entry::Bytes(record)), record);
    if (!target_.Covers(record.key, record.sequence)) Descend(record.key, record.sequence);
    for (;;) {
      const size_t slot = target_.leaf->SlotFor(record.key, record.sequence);
      if (!target_.leaf->full()) [[likely]] {
        target_.leaf->Insert(slot, entry);
        break;
      }
      // The target may be older than splits above it.
      Descend(record.key, record.sequence);
      if (target_.leaf->Appending(slot)) {
        AppendLeaf(entry);
        break;
      }
      SplitLeaf();
      Descend(record.key, record.sequence);
    }
    // relaxed: the figure orders nothing, and only this thread changes it.
    entries_.store(entries_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  bool Get(std::string_view key, Sequence at, Record* found) const {
    const Entry* const entry = LowerBound(key, at);
    if (entry == nullptr || entry->key() != key) return false;
    *found = entry->record();
    return true;
  }

  size_t MemoryBytes() const { return arena_.BytesUsed(); }
  size_t Entries() const { return entries_.load(std::memory_order_relaxed); }

 private:
  friend Cursor;

  // The leaf of the insert before, and its fences (null: none): the ones that an ascending run
  // stays within.
  struct Target {
    Leaf* leaf = nullptr;
    Inner* parent = nullptr;
    const Entry* low = nullptr;
    const Entry* high = nullptr;
    uint64_t low_head = 0;
    uint64_t high_head = ~uint64_t{0};

    void SetLow(const Entry* entry) {
      low = entry;
      low_head = KeyHead(entry->key());
    }
    void SetHigh(const Entry* entry) {
      high = entry;
      high_head = KeyHead(entry->key());
    }

    bool Covers(std::string_view key, Sequence sequence) const {
      const uint64_t head = KeyHead(key);
      if (head < low_head || head > high_head) return false;
      if (low != nullptr && head == low_head && low->Compare(key, sequence) > 0) return false;
      return high == nullptr || head != high_head || high->Compare(key, sequence) > 0;
    }
  };

  struct Found {
    const Leaf* leaf;
    uint64_t version;
  };

  template <typename T, typename... Args>
  T* New(Args&&... args) {
    return new (arena_.AllocateAligned(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
  }

  // Bytes that all keys between the two fences begin with.
  static size_t SharedPrefix(const Entry* low, const Entry* high) {
    return low == nullptr || high == nullptr ? 0 : CommonPrefixLength(low->key(), high->key());
  }

  // Reader: the leaf for (key, sequence), and a version under which it was.
  Found FindLeaf(std::string_view key, Sequence sequence) const {
    for (;;) {
      const Node* node = root_.load(std::memory_order_acquire);
      uint64_t version = node->Version();
      // A root that was split before its version was taken is no longer the root (root_ is stored
      // before that version ends). relaxed: whoever has that version has synchronized with its end.
      if (root_.load(std::memory_order_relaxed) != node) continue;
      bool valid = true;
      while (valid && node->level() > 0) {
        const Inner* const inner = static_cast<const Inner*>(node);
        const Node* const child = inner->child(inner->ChildSlot(key, sequence));
        Prefetch(child);
        const uint64_t child_version = child->Version();
        valid = node->Unchanged(version);
        node = child;
        version = child_version;
      }
      if (valid) return {static_cast<const Leaf*>(node), version};
    }
  }

  static void Prefetch(const Node* node) {
    // A level is constant, but lies in the line that is not here yet: children of level-1 nodes
    // would need it. Both kinds begin alike, and a leaf is the smaller.
    static_cast<const Leaf*>(node)->Prefetch();
  }

  // Reader: the first entry at or after (key, sequence), or null.
  const Entry* LowerBound(std::string_view key, Sequence sequence) const {
    for (;;) {
      const auto [leaf, version] = FindLeaf(key, sequence);
      const size_t count = leaf->count();
      const size_t slot = leaf->Rank<false>(count, key, sequence);
      if (slot < count) [[likely]] {
        const Entry* const entry = leaf->entry(slot);
        if (leaf->Unchanged(version)) return entry;
        continue;
      }
      const Leaf* const next = leaf->next();
      if (!leaf->Unchanged(version)) continue;
      if (next == nullptr) return nullptr;
      // What came between meanwhile was inserted beside this read, which need not see it.
      return FirstOf(next);
    }
  }

  // Reader: any leaf but the first of an empty tree has an entry.
  static const Entry* FirstOf(const Leaf* leaf) {
    for (;;) {
      const uint64_t version = leaf->Version();
      const Entry* const entry = leaf->entry(0);
      if (leaf->Unchanged(version)) return entry;
    }
  }

  // Writer: sets target_ to the leaf for (key, sequence). Splits the full inner nodes on its way,
  // so that a split of the leaf finds room above.
  void Descend(std::string_view key, Sequence sequence) {
    for (;;) {
      Target target;
      Node* node = root_.load(std::memory_order_relaxed);
      while (node->level() > 0) {
        Inner* const inner = static_cast<Inner*>(node);
        const size_t slot = inner->ChildSlot(key, sequence);
        if (inner->full()) [[unlikely]] {
          SplitInner(target, inner, slot);
          break;
        }
        if (slot > 0) target.SetLow(inner->entry(slot - 1));
        if (slot < inner->count()) target.SetHigh(inner->entry(slot));
        target.parent = inner;
        node = inner->child(slot);
        Prefetch(node);
      }
      if (node->level() > 0) continue;
      target.leaf = static_cast<Leaf*>(node);
      target_ = target;
      return;
    }
  }

  // Writer: a leaf behind the full target_.leaf, with `entry` alone in it; it is the new target.
  void AppendLeaf(const Entry* entry) {
    Leaf* const left = target_.leaf;
    Leaf* const right = New<Leaf>();
    const size_t count = left->count();
    left->FillRight(right, count, 0);
    right->Insert(0, entry);
    const size_t prefix = SharedPrefix(target_.low, entry);
    Publish(target_.parent, left, entry, right, [&] { left->Truncate(count, right, prefix); });
    target_.leaf = right;
    target_.SetLow(entry);
    if (right->next() == nullptr) last_.store(right, std::memory_order_release);
  }

  // Writer: moves the upper half of the full target_.leaf to a new one.
  void SplitLeaf() {
    Leaf* const left = target_.leaf;
    Leaf* const right = New<Leaf>();
    const size_t middle = left->count() / 2;
    const Entry* const separator = left->entry(middle);
    left->FillRight(right, middle, SharedPrefix(separator, target_.high));
    const size_t prefix = SharedPrefix(target_.low, separator);
    Publish(target_.parent, left, separator, right, [&] { left->Truncate(middle, right, prefix); });
    if (right->next() == nullptr) last_.store(right, std::memory_order_release);
  }

  // Writer: splits a full inner node with the parent and fences of `at`, about to be passed through
  // `slot`.
  void SplitInner(const Target& at, Inner* left, size_t slot) {
    const size_t count = left->count();
    // On the way of an ascending run, leave the left node as full as can be.
    const size_t middle = at.high == nullptr && slot == count ? count - 2 : count / 2;
    const Entry* const separator = left->entry(middle);
    Inner* const right = New<Inner>(left->level(), left->child(middle + 1));
    left->FillRight(right, middle + 1, SharedPrefix(separator, at.high));
    const size_t prefix = SharedPrefix(at.low, separator);
    Publish(at.parent, left, separator, right, [&] { left->Truncate(middle, prefix); });
  }

  // Writer: hangs `right`, which is complete, in behind `left`, which `truncate` cuts.
  template <typename NodeType, typename Truncate>
  void Publish(Inner* parent, NodeType* left, const Entry* separator, Node* right,
               Truncate truncate) {
    if (parent == nullptr) {
      Inner* const root = New<Inner>(left->level() + 1, left);
      root->InsertChild(separator, right);
      left->BeginChange();
      truncate();
      root_.store(root, std::memory_order_release);  // pairs with the acquires in FindLeaf
      left->EndChange();
      return;
    }
    parent->BeginChange();
    left->BeginChange();
    truncate();
    parent->InsertChild(separator, right);
    left->EndChange();
    parent->EndChange();
  }

  Arena arena_;
  Leaf* const first_;
  Atomic<Node*> root_;
  Atomic<Leaf*> last_;  // or one further left, for a moment
  Atomic<size_t> entries_{0};
  Target target_;  // the inserter's own
};

static_assert(Memtable<BPlusTreeMemtable>);

}  // namespace kv

#endif  // KV_MEMTABLE_BPLUS_TREE_H_
