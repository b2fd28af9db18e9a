// HashTable: the slots of one shard: open addressing, linear probing, one 8-byte word a slot.
//
//   word := tag:16 | address:48, whose low three bits mark what is there
//
//   0                  empty: no probe goes past it
//   kTombstone         was in use: probes go past it, an insert may take it
//   address            an Entry; kExpiring is set when it has an expiry
//   address|kPending   a Pending: a batch that writes this key is being applied
//
// The tag is 16 bits of the key's hash (the lowest always set), so that a probe follows the wrong
// address once in 32,768 comparisons; with eight words in a cache line a get usually costs two
// misses: the line of slots and the entry. That is what separate control bytes would save at best,
// and a word is published with one plain store.
//
// Invariants:
//   1. One writer at a time (the shard's lock); readers beside it, within an epoch guard.
//   2. A key is in at most one word. A key that stays present keeps its slot in this table, and a
//      table that was replaced is never written again; so a reader who does not find a key knows
//      an instant within its call at which the key was absent.
//   3. A quarter of the slots is empty, so every probe ends.
//   4. Words are stored with release and loaded with acquire: what an address leads to was written
//      before it was published.
//
// A table is a value of one word (slots and size), so a shard publishes it with one store.
//
// Assumes user-space addresses below 2^48 (checked), as on x86-64 and AArch64 Linux.
// Not for: adversaries who choose keys (equal hashes make one long probe).
#ifndef ENGINES_MEMORY_HASH_TABLE_H_
#define ENGINES_MEMORY_HASH_TABLE_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string_view>

#include "engines/memory/entry.h"
#include "kv/base/atomic.h"
#include "kv/base/hash.h"
#include "kv/base/thread_stripe.h"

namespace kv::memory_internal {

// A key that a batch is writing. `before` is its state until `*committed`, `after` from then on;
// null: absent. Only `committed` changes once a reader can reach this.
struct Pending {
  std::string_view key;  // for the writer; its bytes are the batch's
  const Entry* before;
  const Entry* after;
  const Atomic<bool>* committed;
};

using Word = uint64_t;
inline constexpr Word kEmpty = 0;
inline constexpr Word kPending = 1;
inline constexpr Word kExpiring = 2;
inline constexpr Word kTombstone = 4;

inline constexpr int kTagShift = 48;
inline Word TagOf(uint64_t hash) { return (hash >> kTagShift | 1) << kTagShift; }
inline bool HasTag(Word word, Word tag) { return (word ^ tag) >> kTagShift == 0; }
inline uint64_t AddressOf(Word word) { return word << 16 >> 16 & ~Word{7}; }
inline bool IsEntry(Word word) { return word > kTombstone && (word & kPending) == 0; }
inline const Entry* EntryOf(Word word) { return reinterpret_cast<const Entry*>(AddressOf(word)); }
inline Pending* PendingOf(Word word) { return reinterpret_cast<Pending*>(AddressOf(word)); }

inline Word WordOf(Word tag, const void* address, Word mark) {
  const uint64_t bits = reinterpret_cast<uintptr_t>(address);
  if (bits >> kTagShift != 0 || (bits & 7) != 0) [[unlikely]]
    std::abort();
  return tag | bits | mark;
}
inline Word WordOf(Word tag, const Entry* entry) {
  return WordOf(tag, entry, entry->expires() ? kExpiring : 0);
}

// What a word with the right tag holds for a reader; null: nothing.
inline const Entry* Resolve(Word word) {
  if ((word & kPending) == 0) [[likely]]
    return EntryOf(word);
  const Pending* const pending = PendingOf(word);
  // acquire: pairs with the release of the batch's commit, so that a reader who sees one key of a
  // batch finds the words of all its keys.
  return pending->committed->load(std::memory_order_acquire) ? pending->after : pending->before;
}

class HashTable {
 public:
  using Slot = Atomic<Word>;
  static constexpr size_t kMinCapacity = 8;

  HashTable() = default;  // no table
  static HashTable FromBits(uint64_t bits) { return HashTable(bits); }
  uint64_t bits() const { return bits_; }

  // `capacity` is a power of two, at least kMinCapacity.
  static HashTable New(size_t capacity) {
    // The base address stands in the word before the first slot, which begins a cache line.
    const size_t bytes = AllocatedBytes(capacity);
    void* const base = ::operator new(bytes);
    const uintptr_t first =
        (reinterpret_cast<uintptr_t>(base) + sizeof(void*) + kLine - 1) & ~uintptr_t{kLine - 1};
    Slot* const slots = reinterpret_cast<Slot*>(first);
    *(reinterpret_cast<void**>(first) - 1) = base;
    for (size_t i = 0; i < capacity; ++i) new (slots + i) Slot(kEmpty);
    return HashTable(first | static_cast<uint64_t>(std::countr_zero(capacity)));
  }

  // What to give to ::operator delete.
  void* Base() const { return *(reinterpret_cast<void**>(first()) - 1); }
  size_t capacity() const { return size_t{1} << (bits_ & (kLine - 1)); }
  static size_t AllocatedBytes(size_t capacity) {
    return capacity * sizeof(Slot) + sizeof(void*) + kLine;
  }
  Slot& slot(size_t i) const { return reinterpret_cast<Slot*>(first())[i]; }

  size_t Home(uint64_t hash) const { return hash >> kShardBits & (capacity() - 1); }
  void Prefetch(uint64_t hash) const { __builtin_prefetch(&slot(Home(hash))); }

  // Reader: the first word with the tag of `hash`, or kEmpty. Where it leads is most likely the
  // entry of a key that is present; Find knows.
  Word FirstWithTag(uint64_t hash) const {
    const size_t mask = capacity() - 1;
    const Word tag = TagOf(hash);
    for (size_t i = Home(hash);; i = (i + 1) & mask) {
      const Word word = slot(i).load(std::memory_order_acquire);
      if (HasTag(word, tag) || word == kEmpty) return word;
    }
  }

  // Reader: the entry of `key`, or null. Expiry is not judged here.
  const Entry* Find(uint64_t hash, std::string_view key) const {
    const size_t mask = capacity() - 1;
    const Word tag = TagOf(hash);
    for (size_t i = Home(hash);; i = (i + 1) & mask) {
      const Word word = slot(i).load(std::memory_order_acquire);
      if (HasTag(word, tag)) {
        const Entry* const entry = Resolve(word);
        if (entry != nullptr && entry->key() == key) return entry;
      }
      if (word == kEmpty) return nullptr;
    }
  }

  // Writer: the slot of `key` (found), or the one that its insert takes.
  struct Place {
    size_t index;
    bool found;
  };
  Place Locate(uint64_t hash, std::string_view key) const {
    const size_t mask = capacity() - 1;
    const Word tag = TagOf(hash);
    size_t free = capacity();
    for (size_t i = Home(hash);; i = (i + 1) & mask) {
      const Word word = Peek(i);
      if (HasTag(word, tag) && KeyOf(word) == key) return {i, true};
      if (word == kEmpty) return {free != capacity() ? free : i, false};
      if (word == kTombstone && free == capacity()) free = i;
    }
  }

  // Writer: what no probe needs to go past any more becomes empty. Returns how many tombstones
  // went. `index` has just become a tombstone.
  size_t TrimTombstones(size_t index) const {
    const size_t mask = capacity() - 1;
    if (Peek((index + 1) & mask) != kEmpty) return 0;
    size_t trimmed = 0;
    for (; Peek(index) == kTombstone; index = (index - 1) & mask, ++trimmed) {
      slot(index).store(kEmpty, std::memory_order_release);
    }
    return trimmed;
  }

  // Writer: copies the entries of `from` into this new, large enough table, which no reader knows.
  void CopyFrom(HashTable from) const {
    constexpr size_t kAhead = 8;
    const size_t size = from.capacity();
    const size_t mask = capacity() - 1;
    for (size_t i = 0; i < size; ++i) {
      if (i + kAhead < size) __builtin_prefetch(EntryOf(from.Peek(i + kAhead)));
      const Word word = from.Peek(i);
      if (word == kEmpty || word == kTombstone) continue;
      size_t to = Home(HashKey(KeyOf(word)));
      while (Peek(to) != kEmpty) to = (to + 1) & mask;
      slot(to).store(word, std::memory_order_relaxed);  // published with the table
    }
  }

  // Writer's load: relaxed, since the shard's lock orders it after every store.
  Word Peek(size_t i) const { return slot(i).load(std::memory_order_relaxed); }

  // Fetches the first `count` slots, or all there are.
  void PrefetchSlots(size_t count) const {
    constexpr size_t kSlotsInLine = kLine / sizeof(Atomic<Word>);
    const size_t end = std::min(count, capacity());
    for (size_t i = 0; i < end; i += kSlotsInLine) __builtin_prefetch(&slot(i));
  }

  // Hash bits below this choose the shard.
  static constexpr int kShardBits = 12;

 private:
  static constexpr size_t kLine = kCacheLineBytes;

  explicit HashTable(uint64_t bits) : bits_(bits) {}
  uintptr_t first() const { return bits_ & ~uint64_t{kLine - 1}; }

  static std::string_view KeyOf(Word word) {
    if ((word & kPending) == 0) return EntryOf(word)->key();
    return PendingOf(word)->key;
  }

  uint64_t bits_ = 0;
};

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_HASH_TABLE_H_
