// ArtMemtable: an adaptive radix tree over the bytes of keys, with the versions of each key in a
// chain.
//
// Contract: kv/memtable/concept.h, with one inserter at a time and readers that run beside it
// without locks or retries; only Seek begins again when a key that it just missed is inserted.
//
// A search follows the key's own bytes at the depths where the tree branches, and looks at no other
// until it comes to a key, which it compares whole: paths without branches take no space and no
// time (kv/memtable/art_node.h).
//
// Invariants:
//   1. All keys below a node share the bytes in front of its depth; depths grow on the way down.
//   2. What a slot led to, it leads to for ever, be it below a node put in between, below a larger
//      copy of the node, or behind newer versions of the key.
//   3. Nodes and versions are never freed, moved or reused before destruction.
//
// Memory order: as kv/memtable/art_node.h says of slots, root_ being one. entries_ is relaxed: a
// figure, which orders nothing.
//
// For: gets beside range reads, of keys that branch at few depths: a store answers 1.1 to 1.2 times
// as many a second as with BPlusTreeMemtable, the next ordered one (docs/policies.md), and takes
// 1.3 times as many random puts of such keys.
// Not for: scans (a record is a step in a tree, not in an array); keys that branch at many depths
// with few keys below each, which take 64 bytes of node each.
// Omits: concurrent inserters (SkipListMemtable), removal, sorting within small nodes.
//
// Sources: Leis et al., The Adaptive Radix Tree, ICDE 2013, with the nodes growing by copies as in
// Leis et al., The ART of Practical Synchronization, 2016; depths in place of compressed paths as
// in Morrison, PATRICIA, 1968.
#ifndef KV_MEMTABLE_ART_H_
#define KV_MEMTABLE_ART_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <type_traits>

#include "kv/base/arena.h"
#include "kv/base/atomic.h"
#include "kv/base/bytes.h"
#include "kv/contract/record.h"
#include "kv/memtable/art_cursor.h"
#include "kv/memtable/art_node.h"
#include "kv/memtable/concept.h"
#include "kv/memtable/version_chain.h"

namespace kv {

class ArtMemtable {
  using Node = art_internal::Node;
  using Slot = art_internal::Slot;
  using Child = art_internal::Child;

 public:
  static constexpr std::string_view kName = "art";
  static constexpr bool kConcurrentInsert = false;
  static constexpr bool kOrdered = true;

  using Cursor = ArtCursor<ArtMemtable>;

  ArtMemtable() = default;
  ArtMemtable(const ArtMemtable&) = delete;
  ArtMemtable& operator=(const ArtMemtable&) = delete;

  // O(branches on the key's path), and the versions of the key that are newer.
  void Insert(const Record& record) {
    ChainedVersion* const fresh =
        ChainedVersion::Write(arena_.Allocate(ChainedVersion::Bytes(record)), record);
    if (!root_.Own()) {
      root_.Store(Child(fresh));
    } else {
      const std::string_view near = Nearest(record.key)->entry()->key();
      const size_t shared = CommonPrefixLength(record.key, near);
      if (shared == record.key.size() && shared == near.size()) {
        AddVersion(record.key, fresh);
      } else {
        AddKey(record.key, near, shared, fresh);
      }
    }
    // relaxed: the figure orders nothing, and only this thread changes it.
    entries_.store(entries_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  bool Get(std::string_view key, Sequence at, Record* found) const {
    Child child = root_.Load();
    while (child && !child.IsLeaf()) {
      const Node* const node = child.node();
      if (node->depth() > key.size()) return false;
      const Slot* const slot = node->Find(art_internal::SymbolAt(key, node->depth()));
      if (slot == nullptr) return false;
      child = slot->Load();
    }
    if (!child || child.leaf()->entry()->key() != key) return false;
    const ChainedVersion* const version = ChainedVersion::Find(child.leaf(), at);
    if (version == nullptr) return false;
    *found = version->entry()->record();
    return true;
  }

  size_t MemoryBytes() const { return arena_.BytesUsed(); }
  size_t Entries() const { return entries_.load(std::memory_order_relaxed); }

 private:
  friend Cursor;

  template <typename N>
  Node* New(size_t depth, const ChainedVersion* sample) {
    static_assert(std::is_trivially_destructible_v<N>);
    return new (arena_.AllocateAligned(sizeof(N), alignof(N))) N(depth, sample);
  }

  // A version of a key that shares as many bytes with `key` as any in the tree, which is not empty.
  const ChainedVersion* Nearest(std::string_view key) const {
    Child child = root_.Load();
    while (!child.IsLeaf()) {
      const Node* const node = child.node();
      if (node->depth() > key.size()) return node->sample();
      const Slot* const slot = node->Find(art_internal::SymbolAt(key, node->depth()));
      if (slot == nullptr) return node->sample();
      child = slot->Load();
    }
    return child.leaf();
  }

  // The writer's slot for `symbol`, which has a child.
  static Slot* OwnSlot(const Node* node, int symbol) {
    return const_cast<Slot*>(node->Find(symbol));
  }

  void AddVersion(std::string_view key, ChainedVersion* fresh) {
    Slot* slot = &root_;
    while (!slot->Own().IsLeaf()) {
      const Node* const node = slot->Own().node();
      slot = OwnSlot(node, art_internal::SymbolAt(key, node->depth()));
    }
    const ChainedVersion* const head = slot->Own().leaf();
    if (head->entry()->sequence() > fresh->entry()->sequence()) {
      ChainedVersion::InsertBehind(head, fresh);
    } else {
      fresh->SetOlder(head);
      slot->Store(Child(fresh));
    }
  }

  // `near` is in the tree and shares `shared` bytes with `key`, and no key shares more.
  void AddKey(std::string_view key, std::string_view near, size_t shared,
              const ChainedVersion* fresh) {
    Slot* slot = &root_;
    for (;;) {
      const Child child = slot->Own();
      if (child.IsLeaf() || child.node()->depth() > shared) break;
      const int symbol = art_internal::SymbolAt(key, child.node()->depth());
      if (child.node()->depth() == shared) {
        AddBranch(slot, const_cast<Node*>(child.node()), symbol, fresh);
        return;
      }
      slot = OwnSlot(child.node(), symbol);
    }
    Node* const node = New<art_internal::List4>(shared, fresh);
    node->Add(art_internal::SymbolAt(near, shared), slot->Own());
    node->Add(art_internal::SymbolAt(key, shared), Child(fresh));
    slot->Store(Child(node));
  }

  // `slot` leads to `node`.
  void AddBranch(Slot* slot, Node* node, int symbol, const ChainedVersion* fresh) {
    if (node->Add(symbol, Child(fresh))) return;
    Node* const larger = Larger(*node);
    for (auto branch = node->Next(art_internal::kBefore); branch.child;
         branch = node->Next(branch.symbol)) {
      larger->Add(branch.symbol, branch.child);
    }
    larger->Add(symbol, Child(fresh));
    slot->Store(Child(larger));
  }

  // An empty node of the next size, for what is below `node`.
  Node* Larger(const Node& node) {
    switch (node.kind()) {
      case Node::Kind::kList4:
        return New<art_internal::List16>(node.depth(), node.sample());
      case Node::Kind::kList16:
        return New<art_internal::Node48>(node.depth(), node.sample());
      default:
        return New<art_internal::Node256>(node.depth(), node.sample());
    }
  }

  Arena arena_;
  Slot root_;
  Atomic<size_t> entries_{0};
};

static_assert(Memtable<ArtMemtable>);

}  // namespace kv

#endif  // KV_MEMTABLE_ART_H_
