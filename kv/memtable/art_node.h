// Nodes of ArtMemtable: one branch of a radix tree over bytes, in the smallest of four sizes.
//
//   List4, List16   [ depth, kind, count | sample | end ][ byte ... byte ][ child ... child ]
//                     unsorted: a new child goes behind the others
//   Node48          [ depth, kind, count | sample | end ][ place of byte 0 ... 255 ][ child ... ]
//                     places count from 1; 0: no child
//   Node256         [ depth, kind, count | sample | end ][ child of byte 0 ... child of byte 255 ]
//
// A node branches by the byte of the key at `depth`, counted from the start of the key; it says
// nothing of the bytes before, which all keys below it share: `sample`, one of them, has them. So a
// node never changes when another is put above it. A key that ends at `depth` is below `end`, which
// is in front of all bytes: symbol kEnd.
//
//   child   | address, lowest bit 0: a node, 1: the newest version of a key |     0: none
//
// Invariants:
//   1. depth, kind and sample never change; children are added, and replaced by what has all that
//      they had. A full node is replaced by a larger copy, and stays as it was for its readers.
//   2. In the lists, bytes and children below count do not change places.
//
// Memory order: every word that readers load is stored with release after what it leads to or makes
// valid (a child before its byte, the byte before the count), and loaded with acquire. Own() loads
// with relaxed what only the writer stores.
//
// Thread safety: one thread adds, any number read beside it.
#ifndef KV_MEMTABLE_ART_NODE_H_
#define KV_MEMTABLE_ART_NODE_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "kv/base/atomic.h"
#include "kv/memtable/version_chain.h"

namespace kv::art_internal {

// Symbols of a branch: kEnd, then the bytes 0 .. 255; and the places before and behind all of them.
inline constexpr int kBefore = -2;
inline constexpr int kEnd = -1;
inline constexpr int kBehind = 256;

// Of a key that has `depth` bytes or more.
inline int SymbolAt(std::string_view key, size_t depth) {
  return depth == key.size() ? kEnd : static_cast<unsigned char>(key[depth]);
}

class Node;

class Child {
 public:
  Child() = default;
  explicit Child(uintptr_t word) : word_(word) {}
  explicit Child(const Node* node) : word_(reinterpret_cast<uintptr_t>(node)) {}
  explicit Child(const ChainedVersion* version) : word_(reinterpret_cast<uintptr_t>(version) | 1) {}

  explicit operator bool() const { return word_ != 0; }
  bool IsLeaf() const { return (word_ & 1) != 0; }
  const ChainedVersion* leaf() const { return reinterpret_cast<const ChainedVersion*>(word_ - 1); }
  const Node* node() const { return reinterpret_cast<const Node*>(word_); }
  uintptr_t word() const { return word_; }
  // Where it begins, for a prefetch.
  const void* address() const { return reinterpret_cast<const void*>(word_ & ~uintptr_t{1}); }

 private:
  uintptr_t word_ = 0;
};

class Slot {
 public:
  Child Load() const { return Child(word_.load(std::memory_order_acquire)); }
  Child Own() const { return Child(word_.load(std::memory_order_relaxed)); }
  void Store(Child child) { word_.store(child.word(), std::memory_order_release); }

 private:
  Atomic<uintptr_t> word_{0};
};

// A symbol of a node and its child; no child: there is none.
struct Branch {
  int symbol = kBefore;
  Child child;
};

class Node {
 public:
  enum class Kind : uint8_t { kList4, kList16, kNode48, kNode256 };

  size_t depth() const { return depth_; }
  Kind kind() const { return kind_; }
  const ChainedVersion* sample() const { return sample_; }

  // All of these dispatch on the kind; Find hands back null where the symbol has no child.
  const Slot* Find(int symbol) const;
  Branch Next(int after) const;   // the first symbol behind `after`
  Branch Prev(int before) const;  // the last symbol in front of `before`
  // Loads some children that come up when a walk stands at `symbol`, having just come to the node
  // where `entered`.
  void PrefetchAround(int symbol, bool entered) const;

  // Writer: false when it is full. The symbol has no child yet.
  bool Add(int symbol, Child child);

 protected:
  Node(Kind kind, size_t depth, const ChainedVersion* sample)
      : depth_(static_cast<uint32_t>(depth)), kind_(kind), sample_(sample) {}

  uint16_t OwnCount() const { return count_.load(std::memory_order_relaxed); }

  const uint32_t depth_;
  const Kind kind_;
  Atomic<uint16_t> count_{0};  // children but for end_
  const ChainedVersion* const sample_;
  Slot end_;
};

template <size_t kSlots, Node::Kind kThisKind>
class List : public Node {
 public:
  static constexpr Kind kKind = kThisKind;

  List(size_t depth, const ChainedVersion* sample) : Node(kKind, depth, sample) {}

  const Slot* FindByte(int byte) const {
    const size_t count = count_.load(std::memory_order_acquire);
    const uint64_t wanted = 0x0101'0101'0101'0101 * static_cast<uint64_t>(byte);
    for (size_t word = 0; word < bytes_.size(); ++word) {
      uint64_t match = ZeroBytes(bytes_[word].load(std::memory_order_acquire) ^ wanted);
      for (; match != 0; match &= match - 1) {
        const size_t place = word * 8 + static_cast<size_t>(std::countr_zero(match)) / 8;
        if (place < count) return &children_[place];
      }
    }
    return nullptr;
  }

  Branch NextByte(int after) const { return Closest<true>(after); }
  Branch PrevByte(int before) const { return Closest<false>(before); }

  void PrefetchBytes(int, bool entered) const {
    const size_t count = entered ? count_.load(std::memory_order_acquire) : 0;
    for (size_t i = 0; i < count; ++i) __builtin_prefetch(children_[i].Load().address());
  }

  bool AddByte(int byte, Child child) {
    const size_t count = OwnCount();
    if (count == kSlots) return false;
    children_[count].Store(child);
    Atomic<uint64_t>& word = bytes_[count / 8];
    word.store(word.load(std::memory_order_relaxed) | static_cast<uint64_t>(byte) << count % 8 * 8,
               std::memory_order_release);
    count_.store(static_cast<uint16_t>(count + 1), std::memory_order_release);
    return true;
  }

 private:
  // The high bit of each byte that is zero.
  static uint64_t ZeroBytes(uint64_t word) {
    constexpr uint64_t kLow = 0x7f7f'7f7f'7f7f'7f7f;
    return ~(((word & kLow) + kLow) | word | kLow);
  }

  template <bool kForwards>
  Branch Closest(int from) const {
    const size_t count = count_.load(std::memory_order_acquire);
    int best = kForwards ? kBehind : kEnd;
    size_t place = 0;
    for (size_t i = 0; i < count; ++i) {
      const int byte =
          static_cast<int>(bytes_[i / 8].load(std::memory_order_acquire) >> i % 8 * 8 & 0xff);
      if (kForwards ? from < byte && byte < best : best < byte && byte < from) {
        best = byte;
        place = i;
      }
    }
    if (best == (kForwards ? kBehind : kEnd)) return {};
    return {best, children_[place].Load()};
  }

  std::array<Atomic<uint64_t>, (kSlots + 7) / 8> bytes_{};
  std::array<Slot, kSlots> children_;
};

using List4 = List<4, Node::Kind::kList4>;
using List16 = List<16, Node::Kind::kList16>;
static_assert(sizeof(List4) == 64);

class Node48 : public Node {
 public:
  static constexpr Kind kKind = Kind::kNode48;

  Node48(size_t depth, const ChainedVersion* sample) : Node(kKind, depth, sample) {}

  const Slot* FindByte(int byte) const {
    const uint8_t place = places_[static_cast<size_t>(byte)].load(std::memory_order_acquire);
    return place == 0 ? nullptr : &children_[place - 1u];
  }
  Branch NextByte(int after) const {
    for (int byte = after < 0 ? 0 : after + 1; byte < kBehind; ++byte) {
      if (const Slot* const slot = FindByte(byte)) return {byte, slot->Load()};
    }
    return {};
  }
  Branch PrevByte(int before) const {
    for (int byte = before - 1; byte >= 0; --byte) {
      if (const Slot* const slot = FindByte(byte)) return {byte, slot->Load()};
    }
    return {};
  }
  void PrefetchBytes(int, bool entered) const {
    const size_t count = entered ? count_.load(std::memory_order_acquire) : 0;
    for (size_t i = 0; i < count; ++i) __builtin_prefetch(children_[i].Load().address());
  }

  bool AddByte(int byte, Child child) {
    const uint16_t count = OwnCount();
    if (count == children_.size()) return false;
    children_[count].Store(child);
    places_[static_cast<size_t>(byte)].store(static_cast<uint8_t>(count + 1),
                                             std::memory_order_release);
    count_.store(static_cast<uint16_t>(count + 1), std::memory_order_release);
    return true;
  }

 private:
  std::array<Atomic<uint8_t>, 256> places_{};
  std::array<Slot, 48> children_;
};

class Node256 : public Node {
 public:
  static constexpr Kind kKind = Kind::kNode256;

  Node256(size_t depth, const ChainedVersion* sample) : Node(kKind, depth, sample) {}

  const Slot* FindByte(int byte) const {
    const Slot& slot = children_[static_cast<size_t>(byte)];
    return slot.Load() ? &slot : nullptr;
  }
  Branch NextByte(int after) const {
    for (int byte = after < 0 ? 0 : after + 1; byte < kBehind; ++byte) {
      const Child child = children_[static_cast<size_t>(byte)].Load();
      if (child) return {byte, child};
    }
    return {};
  }
  Branch PrevByte(int before) const {
    for (int byte = before - 1; byte >= 0; --byte) {
      const Child child = children_[static_cast<size_t>(byte)].Load();
      if (child) return {byte, child};
    }
    return {};
  }
  void PrefetchBytes(int symbol, bool entered) const {
    constexpr int kAhead = 12;
    const int first = entered ? 0 : kAhead;
    for (int byte = symbol + first; byte <= symbol + kAhead; ++byte) {
      if (byte < 0 || byte >= kBehind) continue;
      __builtin_prefetch(children_[static_cast<size_t>(byte)].Load().address());
    }
  }

  bool AddByte(int byte, Child child) {
    children_[static_cast<size_t>(byte)].Store(child);
    return true;
  }

 private:
  std::array<Slot, 256> children_;
};

// Calls visit(node) with the node as what it is.
template <typename N, typename Visit>
decltype(auto) AsKind(N& node, Visit&& visit) {
  constexpr bool kConst = std::is_const_v<N>;
  switch (node.kind()) {
    case Node::Kind::kList4:
      return visit(static_cast<std::conditional_t<kConst, const List4, List4>&>(node));
    case Node::Kind::kList16:
      return visit(static_cast<std::conditional_t<kConst, const List16, List16>&>(node));
    case Node::Kind::kNode48:
      return visit(static_cast<std::conditional_t<kConst, const Node48, Node48>&>(node));
    default:
      return visit(static_cast<std::conditional_t<kConst, const Node256, Node256>&>(node));
  }
}

inline const Slot* Node::Find(int symbol) const {
  if (symbol == kEnd) return end_.Load() ? &end_ : nullptr;
  return AsKind(*this, [symbol](const auto& node) { return node.FindByte(symbol); });
}

inline Branch Node::Next(int after) const {
  if (after == kBefore) {
    if (const Child child = end_.Load()) return {kEnd, child};
  }
  return AsKind(*this, [after](const auto& node) { return node.NextByte(after); });
}

inline Branch Node::Prev(int before) const {
  if (before == kEnd) return {};
  const Branch branch = AsKind(*this, [before](const auto& node) { return node.PrevByte(before); });
  if (branch.child) return branch;
  return {kEnd, end_.Load()};
}

inline void Node::PrefetchAround(int symbol, bool entered) const {
  AsKind(*this, [symbol, entered](const auto& node) { node.PrefetchBytes(symbol, entered); });
}

inline bool Node::Add(int symbol, Child child) {
  if (symbol == kEnd) {
    end_.Store(child);
    return true;
  }
  return AsKind(*this, [symbol, child](auto& node) { return node.AddByte(symbol, child); });
}

}  // namespace kv::art_internal

#endif  // KV_MEMTABLE_ART_NODE_H_
