// SkipListMemtable: a skip list that any number of threads insert into and read at once.
//
// Contract: kv/memtable/concept.h, with kConcurrentInsert. No locks but the arena's, which is taken
// once for each new chunk; readers and cursors are wait-free apart from the length of the search.
//
// A node is one block of arena memory, its links before the entry that they lead to:
//
//   [ next at height-1 | ... | next at 1 | next at 0 ][ Entry ]
//                                                     ^ the node's address
//
// Invariants:
//   1. The list at level 0 holds every record in internal order; the list at level i + 1 is a
//      subset of the one at level i. A node is reached only after it is linked at level 0.
//   2. Nodes are never removed, so a link only ever changes to a node closer behind it.
//   3. Heights are geometric with p = 1/4, at most 12: 1.33 links a node.
//
// Memory order: a link is stored by a compare-exchange with release, after the node's entry and
// its own link at that level were written, and loaded with acquire: whoever reaches a node sees all
// of it. height_ and entries_ are relaxed: a hint and a figure, which order nothing.
//
// Cost: O(log n) cache misses each for insert, get and seek, Prev included; of a million records a
// get takes some six times as long as BPlusTreeMemtable's, an insert three times. 23 bytes of
// memory or so per record above its key and value.
//
// For: the least memory for records in random order (docs/policies.md).
// Not for: anything else. Also with 4 threads BPlusTreeMemtable behind a mutex is quicker.
//
// Source: W. Pugh, 1990; insertion as in Herlihy and Shavit, without its removal.
#ifndef KV_MEMTABLE_SKIP_LIST_H_
#define KV_MEMTABLE_SKIP_LIST_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include "absl/status/status.h"
#include "kv/base/arena.h"
#include "kv/base/atomic.h"
#include "kv/base/thread_stripe.h"
#include "kv/contract/record.h"
#include "kv/memtable/concept.h"
#include "kv/memtable/entry.h"

namespace kv {

class SkipListMemtable {
 public:
  static constexpr std::string_view kName = "skip_list";
  static constexpr bool kConcurrentInsert = true;
  static constexpr bool kOrdered = true;

  class Cursor;

  SkipListMemtable() : head_(NewNode(kMaxHeight, Record{})) {}
  SkipListMemtable(const SkipListMemtable&) = delete;
  SkipListMemtable& operator=(const SkipListMemtable&) = delete;

  // O(log n). Any thread.
  void Insert(const Record& record) {
    const int height = RandomHeight();
    Node* const node = NewNode(height, record);
    // relaxed: the height is a hint. A search that starts too low is only slower, and the levels
    // above are null or hold whole nodes.
    int top = height_.load(std::memory_order_relaxed);
    while (top < height && !height_.compare_exchange_weak(top, height, std::memory_order_relaxed)) {
    }
    Node* before[kMaxHeight];
    Node* after[kMaxHeight];
    Node* at = head_;
    const Node* known = nullptr;
    for (int level = (top < height ? height : top) - 1; level >= 0; --level) {
      at = LastBefore(at, level, record.key, record.sequence, known, &after[level]);
      before[level] = at;
      known = after[level];
    }
    for (int level = 0; level < height; ++level) {
      for (;;) {
        // relaxed: the exchange below publishes it together with the node.
        node->Link(level).store(after[level], std::memory_order_relaxed);
        if (before[level]->Link(level).compare_exchange_strong(
                after[level], node, std::memory_order_release, std::memory_order_relaxed)) {
          break;
        }
        // Another insert came between: the place is somewhere behind the same predecessor.
        before[level] =
            LastBefore(before[level], level, record.key, record.sequence, nullptr, &after[level]);
      }
    }
    entries_.fetch_add(1, std::memory_order_relaxed);
  }

  bool Get(std::string_view key, Sequence at, Record* found) const {
    const Node* const node = LowerBound(key, at);
    if (node == nullptr || node->entry()->key() != key) return false;
    *found = node->entry()->record();
    return true;
  }

  size_t MemoryBytes() const { return arena_.BytesUsed(); }
  size_t Entries() const { return entries_.load(std::memory_order_relaxed); }

 private:
  static constexpr int kMaxHeight = kModelled ? 2 : 12;

  // An address between links and entry; see the picture above.
  class Node {
   public:
    Atomic<Node*>& Link(int level) { return *(reinterpret_cast<Atomic<Node*>*>(this) - 1 - level); }
    Node* Next(int level) const {
      return const_cast<Node*>(this)->Link(level).load(std::memory_order_acquire);
    }
    const Entry* entry() const { return reinterpret_cast<const Entry*>(this); }
  };

  Node* NewNode(int height, const Record& record) {
    const size_t links = static_cast<size_t>(height) * sizeof(Atomic<Node*>);
    char* const block = arena_.Allocate(links + Entry::Bytes(record));
    for (int level = 0; level < height; ++level) {
      new (block + static_cast<size_t>(level) * sizeof(Atomic<Node*>)) Atomic<Node*>(nullptr);
    }
    Entry::Write(block + links, record);
    return reinterpret_cast<Node*>(block + links);
  }

  // Per thread, so that inserters share nothing; seeded by where it lives.
  static int RandomHeight() {
    if constexpr (kModelled) return 1 + static_cast<int>(ModelChoice(kMaxHeight));
    thread_local uint64_t state = reinterpret_cast<uintptr_t>(&state) | 1;
    state ^= state << 13;  // xorshift64 (Marsaglia, 2003)
    state ^= state >> 7;
    state ^= state << 17;
    // Two bits a level: the number of leading pairs of zeros.
    const int height = 1 + std::countl_zero(state) / 2;
    return height < kMaxHeight ? height : kMaxHeight;
  }

  // From `at`, which is before (key, sequence), the last such node on `level`; what is behind it
  // in *after. `known` is a node that is not before it, which a search has met one level above:
  // on the average a third of its comparisons would be with nodes that it has compared already.
  static Node* LastBefore(Node* at, int level, std::string_view key, Sequence sequence,
                          const Node* known, Node** after) {
    for (;;) {
      Node* const next = at->Next(level);
      if (next != nullptr && next != known) {
        __builtin_prefetch(next->Next(level));
        if (next->entry()->Compare(key, sequence) < 0) {
          at = next;
          continue;
        }
      }
      *after = next;
      return at;
    }
  }

  // The last node before (key, sequence), head_ if there is none; what is behind it in *after.
  Node* Search(std::string_view key, Sequence sequence, Node** after) const {
    Node* at = head_;
    *after = nullptr;
    for (int level = height_.load(std::memory_order_relaxed) - 1; level >= 0; --level) {
      at = LastBefore(at, level, key, sequence, *after, after);
    }
    return at;
  }

  const Node* LowerBound(std::string_view key, Sequence sequence) const {
    Node* after;
    Search(key, sequence, &after);
    return after;
  }

  ConcurrentArena arena_;
  // Every insert writes to this one, and every search reads the two below.
  Atomic<size_t> entries_{0};
  alignas(kCacheLineBytes) Node* const head_;  // its entry is never compared
  Atomic<int> height_{1};
};

class SkipListMemtable::Cursor {
 public:
  explicit Cursor(const SkipListMemtable* memtable) : memtable_(memtable) {}

  bool Valid() const { return node_ != nullptr; }
  const Record& record() const { return record_; }
  absl::Status status() const { return absl::OkStatus(); }

  void SeekToFirst() { Arrive(memtable_->head_->Next(0)); }

  void SeekToLast() {
    const Node* at = memtable_->head_;
    for (int level = kMaxHeight - 1; level >= 0; --level) {
      while (const Node* const next = at->Next(level)) at = next;
    }
    Arrive(at == memtable_->head_ ? nullptr : at);
  }

  void Seek(std::string_view key, Sequence sequence) {
    Arrive(memtable_->LowerBound(key, sequence));
  }

  void Next() { Arrive(node_->Next(0)); }

  // O(log n): there are no links backwards.
  void Prev() {
    Node* after;
    const Node* const before = memtable_->Search(record_.key, record_.sequence, &after);
    Arrive(before == memtable_->head_ ? nullptr : before);
  }

 private:
  void Arrive(const Node* node) {
    node_ = node;
    if (node == nullptr) return;
    __builtin_prefetch(node->Next(0));
    record_ = node->entry()->record();
  }

  const SkipListMemtable* memtable_;
  const Node* node_ = nullptr;
  Record record_;
};

static_assert(Memtable<SkipListMemtable>);

}  // namespace kv

#endif  // KV_MEMTABLE_SKIP_LIST_H_
