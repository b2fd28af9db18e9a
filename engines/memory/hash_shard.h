// HashShard: one table with its lock, version and garbage.
//
// Readers use Find within an epoch guard and take no lock. Writers hold lock(), one at a time.
//
//   Versions. version() is odd while a change becomes visible. A reader of several keys who found
//   every shard's version even, and finds them unchanged after its last load, saw one state: that
//   of the instant between the last version read first and the first one read again.
//   Freezing. Freeze() hands out the table as it is; the next writer works on a copy. So a full
//   scan sees one state and stops writers for as long as it takes to lock, not to scan.
//   Batches. Prepare() installs Pendings, which change nothing for readers; the engine then sets
//   the batch's one committed flag; Finish() replaces them with plain words.
//   Expiry. While entries with an expiry exist, each write looks at kSweepSlots slots and drops
//   what has expired: a pass over the table takes capacity / kSweepSlots writes.
//   Size. At most 3/4 of the slots are in use, tombstones included; a table below 1/8 shrinks. A
//   rebuild costs O(shard), which is amortised O(1) a write, and stops the writers of one shard.
#ifndef ENGINES_MEMORY_HASH_SHARD_H_
#define ENGINES_MEMORY_HASH_SHARD_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "engines/memory/entry.h"
#include "engines/memory/epoch.h"
#include "engines/memory/hash_table.h"
#include "engines/memory/limbo.h"
#include "kv/base/atomic.h"
#include "kv/base/shard_lock.h"

namespace kv::memory_internal {

class alignas(kCacheLineBytes) HashShard {
 public:
  explicit HashShard(Epochs* epochs) : limbo_(epochs) { Publish(HashTable::New(kMin)); }
  HashShard(const HashShard&) = delete;
  HashShard& operator=(const HashShard&) = delete;
  // Readers and writers must be gone.
  ~HashShard() {
    const HashTable table = Table();
    for (size_t i = 0; i < table.capacity(); ++i) {
      if (IsEntry(table.Peek(i))) Entry::Deleter()(EntryOf(table.Peek(i)));
    }
    ::operator delete(table.Base());
  }

  ShardLock& lock() { return lock_; }

  // acquire: pairs with the release in Publish.
  HashTable Table() const { return HashTable::FromBits(table_.load(std::memory_order_acquire)); }
  // acquire: pairs with EndChange; the loads of the tables come after it.
  uint64_t Version() const { return version_.load(std::memory_order_acquire); }

  // The rest is for the holder of lock().

  const Entry* Find(uint64_t hash, std::string_view key) const { return Table().Find(hash, key); }

  // Makes `entry` the entry of its key.
  void Put(uint64_t hash, Entry::Owned entry) {
    MakeRoom(1);
    const HashTable table = Table();
    const HashTable::Place place = table.Locate(hash, entry->key());
    BeginChange();
    Install(table, place, WordOf(TagOf(hash), entry.get()));
    EndChange();
    CountIn(entry.release());
  }

  void Delete(uint64_t hash, std::string_view key) {
    Unfreeze();
    const HashTable::Place place = Table().Locate(hash, key);
    if (!place.found) return;
    Erase(place.index);
    ShrinkIfSparse();
  }

  // A batch announces each of its keys, then makes room for them before the first Prepare, so that
  // slots stay where they are until the last Finish.
  void Expect() { ++expected_; }
  void MakeRoomForExpected() {
    if (expected_ > 0) MakeRoom(std::exchange(expected_, 0));
  }

  // What the batch does to one key, `after` being null for a delete. True when `pending` was
  // installed, in `*slot`; false when it was not needed: the key is pending already, or absent and
  // deleted.
  bool Prepare(uint64_t hash, Pending* pending, size_t* slot) {
    const HashTable table = Table();
    const HashTable::Place place = table.Locate(hash, pending->key);
    const Word word = place.found ? table.Peek(place.index) : kEmpty;
    if ((word & kPending) != 0) {  // an earlier record of this batch, which no reader has seen
      Pending* const earlier = PendingOf(word);
      if (earlier->after != nullptr) Entry::Deleter()(earlier->after);
      earlier->after = pending->after;
      return false;
    }
    if (!place.found && pending->after == nullptr) return false;
    pending->before = place.found ? EntryOf(word) : nullptr;
    if (!place.found && table.Peek(place.index) == kEmpty) ++used_;
    // One word leads to the entry before and then to the same entry by way of the Pending.
    table.slot(place.index)
        .store(WordOf(TagOf(hash), pending, kPending), std::memory_order_release);
    *slot = place.index;
    return true;
  }

  void BeginChange() {
    // relaxed: whoever acquires a word stored later, or the batch's flag, sees it too.
    version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void EndChange() {
    // release: pairs with the acquire in Version. The load is relaxed: only the holder stores.
    version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  // After the commit: the plain word for the Pending installed in `slot`, which may then be
  // retired.
  void Finish(uint64_t hash, const Pending& pending, size_t slot) {
    const HashTable table = Table();
    const Entry* const after = pending.after;
    // release: pairs with the acquire of readers in HashTable::Find, who then see the entry whole.
    table.slot(slot).store(after != nullptr ? WordOf(TagOf(hash), after) : kTombstone,
                           std::memory_order_release);
    if (pending.before != nullptr) CountOut(pending.before);
    if (after != nullptr) {
      CountIn(after);
    } else {
      used_ -= table.TrimTombstones(slot);
    }
  }

  // Called between writes, not within a batch, whose Pendings have their slots.
  void ShrinkIfSparse() {
    const size_t capacity = Table().capacity();
    if (capacity > kMin && live_ * 8 < capacity) Rebuild(live_);
  }

  void Retire(const void* block, size_t bytes) { limbo_.Retire(block, bytes); }

  // Drops expired entries among the next slots; `is_expired(expires_at)` judges. Returns how many.
  template <typename IsExpired>
  size_t Sweep(IsExpired&& is_expired, size_t slots = kSweepSlots) {
    if (expiring_ == 0) return 0;
    Unfreeze();
    const HashTable table = Table();
    size_t dropped = 0;
    for (size_t i = 0; i < slots && expiring_ > 0; ++i) {
      sweep_ = (sweep_ + 1) & (table.capacity() - 1);
      const Word word = table.Peek(sweep_);
      if (!IsEntry(word) || (word & kExpiring) == 0) continue;
      if (!is_expired(EntryOf(word)->expires_at())) continue;
      Erase(sweep_);
      ++dropped;
    }
    if (dropped > 0) ShrinkIfSparse();
    return dropped;
  }
  bool HasExpiring() const { return expiring_ > 0; }

  // The table as it is now; no one writes it any more. Its entries and itself live as long as the
  // caller's epoch guard, which must be older than this call.
  HashTable Freeze() {
    frozen_ = true;
    return Table();
  }

  size_t Live() const { return live_; }
  size_t LiveBytes() const { return live_bytes_; }
  size_t AllocatedBytes() const {
    return entry_bytes_ + HashTable::AllocatedBytes(Table().capacity()) + limbo_.Bytes() +
           sizeof(HashShard);
  }

  // Counted under the lock.
  struct Counts {
    uint64_t writes = 0;
    uint64_t user_bytes = 0;
    uint64_t cas_attempts = 0;
    uint64_t cas_failures = 0;
    uint64_t expired = 0;
  };
  Counts& counts() { return counts_; }

  static constexpr size_t kSweepSlots = 4;

 private:
  using Slot = HashTable::Slot;
  static constexpr size_t kMin = HashTable::kMinCapacity;

  void Publish(HashTable table) {
    // release: the table's words are written before it is found.
    table_.store(table.bits(), std::memory_order_release);
  }

  void Install(HashTable table, HashTable::Place place, Word word) {
    const Word old = table.Peek(place.index);
    table.slot(place.index).store(word, std::memory_order_release);
    if (place.found) {
      CountOut(EntryOf(old));
    } else if (old == kEmpty) {
      ++used_;
    }
  }

  // The table must not be frozen: a copy has the entry at another index.
  void Erase(size_t index) {
    const HashTable table = Table();
    const Entry* const entry = EntryOf(table.Peek(index));
    BeginChange();
    table.slot(index).store(kTombstone, std::memory_order_release);
    EndChange();
    used_ -= table.TrimTombstones(index);
    CountOut(entry);
  }

  void CountIn(const Entry* entry) {
    ++live_;
    live_bytes_ += entry->UserBytes();
    entry_bytes_ += entry->AllocatedBytes();
    expiring_ += entry->expires() ? 1 : 0;
  }

  void CountOut(const Entry* entry) {
    --live_;
    live_bytes_ -= entry->UserBytes();
    entry_bytes_ -= entry->AllocatedBytes();
    expiring_ -= entry->expires() ? 1 : 0;
    limbo_.Retire(entry, entry->AllocatedBytes());
  }

  // Makes the table writable and large enough for `inserts` more.
  void MakeRoom(size_t inserts) {
    if ((used_ + inserts) * 4 > Table().capacity() * 3) {
      Rebuild(live_ + inserts);
    } else {
      Unfreeze();
    }
  }

  void Unfreeze() {
    if (frozen_) [[unlikely]]
      Replace(Table().capacity());
  }

  // Leaves the table at most half full, so that many writes pass before the next time.
  void Rebuild(size_t entries) {
    const size_t capacity = std::bit_ceil(entries * 2);
    Replace(capacity < kMin ? kMin : capacity);
  }

  void Replace(size_t capacity) {
    const HashTable old = Table();
    const HashTable table = HashTable::New(capacity);
    table.CopyFrom(old);
    Publish(table);
    limbo_.Retire(old.Base(), HashTable::AllocatedBytes(old.capacity()));
    used_ = live_;
    frozen_ = false;
  }

  // Read by everyone, written when the table is replaced.
  Atomic<uint64_t> table_{0};
  // Written by every write.
  alignas(kCacheLineBytes) Atomic<uint64_t> version_{0};
  ShardLock lock_;
  // The rest is guarded by lock_.
  size_t used_ = 0;  // slots that are not empty
  size_t live_ = 0;
  size_t expiring_ = 0;
  size_t expected_ = 0;  // keys of a batch that are about to come
  size_t live_bytes_ = 0;
  size_t entry_bytes_ = 0;
  size_t sweep_ = 0;
  bool frozen_ = false;
  Counts counts_;
  Limbo limbo_;
};

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_HASH_SHARD_H_
