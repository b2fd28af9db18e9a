// HashMemtable: a hash table by key, with the versions of each key in a chain. Sorted only when
// somebody wants an order.
//
// Contract: kv/memtable/concept.h, with one inserter at a time, readers that run beside it without
// locks, and kOrdered = false: the first positioning of a cursor (and each after further inserts)
// collects and sorts everything.
//
// The table is 64 parts by the hash; each is a power of two of slots with linear probing, at most
// three quarters full, and doubles on its own, so that one insert moves 1/64 of the table at most.
//
//   slot   | 63 .. 48: 16 bits of the hash | 47 .. 0: newest version of the key, 0: empty |
//
// Invariants:
//   1. A part's slots are only ever filled, or led to a newer head of the same key. Growing fills a
//      new array from the old one; the old one stays as it was, for those who read it.
//   2. Arrays and versions live until the memtable is destroyed.
//
// Memory order: a slot is stored with release after the version that it leads to is complete, and a
// part's array after its slots are; both are loaded with acquire. entries_ is stored with release
// after the slot, and loaded with acquire by cursors: what they collect has at least as many. The
// writer loads with relaxed what only it stores.
//
// For: point reads, whatever the keys are: a store answers 1.2 times as many as with
// BPlusTreeMemtable, and as many as with ArtMemtable where that has the keys it likes; 1.4 times as
// many as with either where keys are long and begin alike (docs/policies.md). Random puts: 1.3
// times as many as with BPlusTreeMemtable, until a flush sorts them.
// Not for: scans, Count, and range reads of any kind; keys with thousands of versions that are read
// at old snapshots.
// Omits: concurrent inserters (SkipListMemtable), removal.
#ifndef KV_MEMTABLE_HASH_H_
#define KV_MEMTABLE_HASH_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include "kv/base/arena.h"
#include "kv/base/atomic.h"
#include "kv/base/hash.h"
#include "kv/contract/record.h"
#include "kv/memtable/concept.h"
#include "kv/memtable/sorted_cursor.h"
#include "kv/memtable/version_chain.h"

namespace kv {

class HashMemtable {
 public:
  static constexpr std::string_view kName = "hash";
  static constexpr bool kConcurrentInsert = false;
  static constexpr bool kOrdered = false;

  using Cursor = SortedMemtableCursor<HashMemtable>;

  HashMemtable() = default;
  HashMemtable(const HashMemtable&) = delete;
  HashMemtable& operator=(const HashMemtable&) = delete;

  // O(1) on average, and the versions of the key that are newer.
  void Insert(const Record& record) {
    const uint64_t hash = HashKey(record.key);
    Part& part = PartOf(hash);
    // relaxed: this thread stored it.
    Slots* slots = part.slots.load(std::memory_order_relaxed);
    if (slots == nullptr || part.used >= slots->mask - slots->mask / 4) {
      slots = Grow(part, slots);
    }
    // On its way while the version is written.
    __builtin_prefetch(&slots->at(hash), 1);
    ChainedVersion* const fresh =
        ChainedVersion::Write(arena_.Allocate(ChainedVersion::Bytes(record)), record);
    for (size_t probe = hash;; ++probe) {
      Atomic<uint64_t>& slot = slots->at(probe);
      const uint64_t word = slot.load(std::memory_order_relaxed);
      if (word == 0) {
        ++part.used;
        slot.store(Word(hash, fresh), std::memory_order_release);
        break;
      }
      if (((word ^ hash) & kTag) != 0) continue;
      const ChainedVersion* const head = VersionOf(word);
      if (head->entry()->key() != record.key) continue;
      if (head->entry()->sequence() > record.sequence) {
        ChainedVersion::InsertBehind(head, fresh);
      } else {
        fresh->SetOlder(head);
        slot.store(Word(hash, fresh), std::memory_order_release);
      }
      break;
    }
    // release: pairs with the acquire in Entries().
    entries_.store(entries_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  bool Get(std::string_view key, Sequence at, Record* found) const {
    const uint64_t hash = HashKey(key);
    // acquire: pairs with the release in Grow().
    const Slots* const slots = PartOf(hash).slots.load(std::memory_order_acquire);
    if (slots == nullptr) return false;
    for (size_t probe = hash;; ++probe) {
      // acquire: pairs with the releases in Insert() and Grow().
      const uint64_t word = slots->at(probe).load(std::memory_order_acquire);
      if (word == 0) return false;
      if (((word ^ hash) & kTag) != 0) continue;
      const ChainedVersion* version = VersionOf(word);
      if (version->entry()->key() != key) continue;
      version = ChainedVersion::Find(version, at);
      if (version == nullptr) return false;
      *found = version->entry()->record();
      return true;
    }
  }

  size_t MemoryBytes() const { return arena_.BytesUsed(); }
  // acquire: whoever sees the count finds as many records.
  size_t Entries() const { return entries_.load(std::memory_order_acquire); }

  // Calls visit(entry) for each record, in no order: at least those that Entries() has counted
  // before the call. O(entries and slots).
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (const Part& part : parts_) {
      const Slots* const slots = part.slots.load(std::memory_order_acquire);
      if (slots == nullptr) continue;
      for (size_t i = 0; i <= slots->mask; ++i) {
        const ChainedVersion* version = VersionOf(slots->at(i).load(std::memory_order_acquire));
        for (; version != nullptr; version = version->older()) visit(version->entry());
      }
    }
  }

 private:
  static constexpr size_t kParts = 64;
  static constexpr size_t kFirstSlots = kModelled ? 4 : 16;
  static constexpr uint64_t kTag = uint64_t{0xffff} << 48;

  // Stands in front of its slots.
  struct Slots {
    size_t mask;

    Atomic<uint64_t>& at(size_t probe) {
      return reinterpret_cast<Atomic<uint64_t>*>(this + 1)[probe & mask];
    }
    const Atomic<uint64_t>& at(size_t probe) const { return const_cast<Slots*>(this)->at(probe); }
  };
  static_assert(sizeof(Slots) == sizeof(uint64_t) && sizeof(Atomic<uint64_t>) == 8);

  struct Part {
    Atomic<Slots*> slots{nullptr};
    size_t used = 0;  // the writer's
  };

  // Bits 42 to 47: above those that choose slots, below the tag.
  static constexpr size_t PartNumber(uint64_t hash) { return (hash >> 42) % kParts; }
  Part& PartOf(uint64_t hash) { return parts_[PartNumber(hash)]; }
  const Part& PartOf(uint64_t hash) const { return parts_[PartNumber(hash)]; }

  // User-space addresses have 47 bits.
  static uint64_t Word(uint64_t hash, const ChainedVersion* version) {
    return (hash & kTag) | reinterpret_cast<uintptr_t>(version);
  }
  static const ChainedVersion* VersionOf(uint64_t word) {
    return reinterpret_cast<const ChainedVersion*>(static_cast<uintptr_t>(word & ~kTag));
  }

  // Publishes an array of twice the slots with what is in `old`.
  Slots* Grow(Part& part, const Slots* old) {
    const size_t count = old == nullptr ? kFirstSlots : 2 * (old->mask + 1);
    // Zero-filled, which is what empty slots are.
    Slots* const slots =
        new (arena_.Allocate(sizeof(Slots) + count * sizeof(uint64_t))) Slots{count - 1};
    // The keys are needed for their hashes, and lie all over memory: they are fetched ahead.
    constexpr size_t kAhead = 16;
    for (size_t i = 0; old != nullptr && i <= old->mask; ++i) {
      if (i + kAhead <= old->mask) {
        __builtin_prefetch(VersionOf(old->at(i + kAhead).load(std::memory_order_relaxed)));
      }
      const uint64_t word = old->at(i).load(std::memory_order_relaxed);
      if (word == 0) continue;
      size_t probe = HashKey(VersionOf(word)->entry()->key());
      while (slots->at(probe).load(std::memory_order_relaxed) != 0) ++probe;
      slots->at(probe).store(word, std::memory_order_release);
    }
    part.slots.store(slots, std::memory_order_release);
    return slots;
  }

  Arena arena_;
  std::array<Part, kParts> parts_;
  Atomic<size_t> entries_{0};
};

static_assert(Memtable<HashMemtable>);

}  // namespace kv

#endif  // KV_MEMTABLE_HASH_H_
