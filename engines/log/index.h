// The index: from the hash of a key to where its newest record is, 12 to 16 bytes a key.
//
// 256 shards by the hash's high bits, each a table (index_table.h) that grows by a quarter at a
// time, so that never more than a small part of the index is there twice.
//
// What it knows of keys is 40 bits of their hash, 8 in the choice of the shard and 32 in the slot.
// So a caller brings `same(Location) -> bool`, which looks at a record and says whether it has the
// key; of ten million other keys about one in 50,000 searches meets a wrong one.
//
// Readers take no lock. They read a shard's version, search, and search again if the version has
// changed or was odd; a location is handed to `same` only after the version was found unchanged,
// so it was in the index at that moment, and the record stays readable while the caller is in the
// gate (segment.h). Writers lock shards. A batch locks all of its shards, makes their versions odd,
// changes them, and makes them even: a reader sees all of it or waits.
//
// Freeze() hands out the index as it is at one instant, without copying: a shard that is written
// to while it is frozen copies its table first.
//
// Memory order: index_shard.h. Gauges are relaxed: they order nothing.
//
// Thread safety: as above. Find and Versions only inside the gate, Reclaim only outside it.
#ifndef ENGINES_LOG_INDEX_H_
#define ENGINES_LOG_INDEX_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "engines/log/index_shard.h"
#include "engines/log/index_table.h"
#include "engines/log/location.h"
#include "kv/base/atomic.h"
#include "kv/base/read_gate.h"

namespace kv {

class LogIndex {
 public:
  static constexpr int kShardBits = kModelled ? 1 : 8;
  static constexpr size_t kShards = size_t{1} << kShardBits;

  // The index at one instant. Keeps memory while it lives.
  class Frozen {
   public:
    Frozen() = default;
    Frozen(Frozen&&) = default;
    Frozen& operator=(Frozen&&) = delete;
    ~Frozen() {
      for (const auto& table : tables_) table->Thaw();
    }

    // Calls visit(Location) for each key's newest record, in no order.
    template <typename Visit>
    void ForEach(Visit&& visit) const {
      for (const auto& table : tables_) table->ForEach([&](uint32_t, Location at) { visit(at); });
    }

   private:
    friend class LogIndex;
    std::vector<std::shared_ptr<IndexTable>> tables_;
  };

  explicit LogIndex(ReadGate& gate) : gate_(gate) {
    for (Shard& shard : shards_) shard.Adopt(std::make_shared<IndexTable>(1));
  }
  LogIndex(const LogIndex&) = delete;
  LogIndex& operator=(const LogIndex&) = delete;

  // --- Readers ----------------------------------------------------------------------------------

  void Prefetch(uint64_t hash) const {
    // acquire: pairs with Adopt.
    ShardOf(hash).table.load(std::memory_order_acquire)->Prefetch(TagOf(hash));
  }

  // The location of the key's record, or nowhere. `same` may be asked again about one location.
  template <typename Same>
  Location Find(uint64_t hash, Same&& same) const {
    const Shard& shard = ShardOf(hash);
    for (;;) {
      const uint64_t version = shard.StableVersion();
      bool changed = false;
      const IndexTable::Slot found =
          shard.table.load(std::memory_order_acquire)->Find(TagOf(hash), [&](Location at) {
            changed = shard.Version() != version;
            return changed || same(at);
          });
      if (changed) continue;
      if (found.bucket != nullptr) return found.at;
      if (shard.Version() == version) return Location();
    }
  }

  // The first location that has the key's tag, for prefetching what is there; unvalidated, so do
  // not follow it without the directory's check. Nowhere if there is none.
  Location Guess(uint64_t hash) const {
    return ShardOf(hash)
        .table.load(std::memory_order_acquire)
        ->Find(TagOf(hash), [](Location) { return true; })
        .at;
  }

  // The version of the key's shard. What was found under versions that have not changed by the end
  // was all there at one instant. Waits for a change under way.
  uint64_t StableVersion(uint64_t hash) const { return ShardOf(hash).StableVersion(); }
  uint64_t Version(uint64_t hash) const { return ShardOf(hash).Version(); }

  // Runs action() with the shards of `hashes` locked against writers.
  template <typename Action>
  void Locked(std::span<const uint64_t> hashes, Action&& action) {
    const ShardLocks locks(*this, hashes);
    std::forward<Action>(action)();
  }

  // --- Writers: inside the gate -----------------------------------------------------------------

  // Points the key at `at`; returns where it was before.
  template <typename Same>
  Location Put(uint64_t hash, Location at, Same&& same) {
    Shard& shard = ShardOf(hash);
    const std::lock_guard lock(shard.lock);
    MakeRoom(shard, 1);
    const IndexTable::Slot found = shard.owned->Find(TagOf(hash), same);
    const IndexShard::Change change(shard);
    Set(shard, hash, found, at);
    return found.at;
  }

  // Forgets the key; returns where it was.
  template <typename Same>
  Location Erase(uint64_t hash, Same&& same) {
    Shard& shard = ShardOf(hash);
    const std::lock_guard lock(shard.lock);
    MakeRoom(shard, 0);
    const IndexTable::Slot found = shard.owned->Find(TagOf(hash), same);
    if (found.bucket == nullptr) return Location();
    const IndexShard::Change change(shard);
    shard.owned->Erase(found);
    return found.at;
  }

  // The two in a batch: `hashes` are its keys'. Calls warm() with the shards locked, then apply(),
  // which may call PutInBatch and EraseInBatch for these keys; readers see all of it or wait.
  template <typename Warm, typename Apply>
  void Batch(std::span<const uint64_t> hashes, Warm&& warm, Apply&& apply) {
    const ShardLocks locks(*this, hashes);
    std::array<uint32_t, kShards> inserts{};
    for (const uint64_t hash : hashes) ++inserts[Number(hash)];
    for (size_t i = 0; i < kShards; ++i) {
      if (inserts[i] > 0) MakeRoom(shards_[i], inserts[i]);
    }
    std::forward<Warm>(warm)();
    locks.ForEach([](Shard& shard) { shard.BeginChange(); });
    std::forward<Apply>(apply)();
    locks.ForEach([](Shard& shard) { shard.EndChange(); });
  }
  template <typename Same>
  Location PutInBatch(uint64_t hash, Location at, Same&& same) {
    Shard& shard = ShardOf(hash);
    const IndexTable::Slot found = shard.owned->Find(TagOf(hash), same);
    Set(shard, hash, found, at);
    return found.at;
  }
  template <typename Same>
  Location EraseInBatch(uint64_t hash, Same&& same) {
    Shard& shard = ShardOf(hash);
    const IndexTable::Slot found = shard.owned->Find(TagOf(hash), same);
    if (found.bucket != nullptr) shard.owned->Erase(found);
    return found.at;
  }
  // With its shard locked.
  template <typename Same>
  Location FindInBatch(uint64_t hash, Same&& same) {
    return ShardOf(hash).owned->Find(TagOf(hash), same).at;
  }

  // Whether the index points a key with this hash at `at`.
  bool PointsAt(uint64_t hash, Location at) {
    Shard& shard = ShardOf(hash);
    const std::lock_guard lock(shard.lock);
    return FindExactly(shard, hash, at).bucket != nullptr;
  }

  // Points the key that is at `from` to `to`, or forgets it if `to` is nowhere. False when no key
  // is at `from`.
  bool Move(uint64_t hash, Location from, Location to) {
    Shard& shard = ShardOf(hash);
    const std::lock_guard lock(shard.lock);
    MakeRoom(shard, 0);
    const IndexTable::Slot found = FindExactly(shard, hash, from);
    if (found.bucket == nullptr) return false;
    const IndexShard::Change change(shard);
    if (to) {
      found.bucket->Set(found.slot, to);
    } else {
      shard.owned->Erase(found);
    }
    return true;
  }

  // For whoever puts many keys at once, with no other thread: makes room for so many, so that
  // tables do not grow again and again. Fit() gives back what was not needed.
  void Reserve(size_t keys) {
    reserved_buckets_ = BucketsFor(keys / kShards);
    for (Shard& shard : shards_) {
      const std::lock_guard lock(shard.lock);
      if (shard.owned->Buckets() < reserved_buckets_) Resize(shard, reserved_buckets_);
    }
  }
  void Fit() {
    reserved_buckets_ = 0;
    for (Shard& shard : shards_) {
      const std::lock_guard lock(shard.lock);
      MakeRoom(shard, 0);
    }
  }

  Frozen Freeze() {
    Frozen frozen;
    frozen.tables_.reserve(kShards);
    const ShardLocks locks(*this);
    for (Shard& shard : shards_) {
      shard.owned->Freeze();
      frozen.tables_.push_back(shard.owned);
    }
    return frozen;
  }

  // Frees tables that were replaced, once there is more than a little of them. Outside the gate.
  void Reclaim() {
    // relaxed: a hint; the list itself is under its lock.
    if (retired_bytes_.load(std::memory_order_relaxed) < kRetiredBytes) [[likely]] {
      return;
    }
    std::vector<std::shared_ptr<IndexTable>> retired;
    {
      const std::lock_guard lock(retired_lock_);
      retired.swap(retired_);
      retired_bytes_.store(0, std::memory_order_relaxed);
    }
    gate_.Synchronize();
  }

  // Of all tables, those waiting to be freed included.
  size_t MemoryBytes() const {
    // relaxed: a gauge.
    return sizeof *this + bytes_.load(std::memory_order_relaxed) +
           retired_bytes_.load(std::memory_order_relaxed);
  }
  size_t Keys() {
    size_t keys = 0;
    for (Shard& shard : shards_) {
      const std::lock_guard lock(shard.lock);
      keys += shard.owned->Size();
    }
    return keys;
  }

 private:
  static constexpr size_t kRetiredBytes = kModelled ? 1 : size_t{256} << 10;

  using Shard = IndexShard;

  // The locks of some shards, taken in ascending order so that no circle of waiting closes.
  class ShardLocks {
   public:
    explicit ShardLocks(LogIndex& index) : index_(index) {
      set_.set();
      Lock();
    }
    ShardLocks(LogIndex& index, std::span<const uint64_t> hashes) : index_(index) {
      for (const uint64_t hash : hashes) set_.set(Number(hash));
      Lock();
    }
    ShardLocks(const ShardLocks&) = delete;
    ShardLocks& operator=(const ShardLocks&) = delete;
    ~ShardLocks() {
      ForEach([](Shard& shard) { shard.lock.unlock(); });
    }
    template <typename Visit>
    void ForEach(Visit&& visit) const {
      for (size_t i = 0; i < kShards; ++i) {
        if (set_.test(i)) visit(index_.shards_[i]);
      }
    }

   private:
    void Lock() {
      ForEach([](Shard& shard) { shard.lock.lock(); });
    }
    LogIndex& index_;
    std::bitset<kShards> set_;
  };

  static size_t Number(uint64_t hash) { return hash >> (64 - kShardBits); }
  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash); }
  Shard& ShardOf(uint64_t hash) { return shards_[Number(hash)]; }
  const Shard& ShardOf(uint64_t hash) const { return shards_[Number(hash)]; }

  static IndexTable::Slot FindExactly(Shard& shard, uint64_t hash, Location at) {
    return shard.owned->Find(TagOf(hash), [at](Location found) { return found == at; });
  }

  static void Set(Shard& shard, uint64_t hash, const IndexTable::Slot& found, Location at) {
    if (found.bucket != nullptr) {
      found.bucket->Set(found.slot, at);
    } else {
      shard.owned->Insert(TagOf(hash), at);
    }
  }

  // Makes the shard's table one that may be changed and has room for `inserts` more. It is kept
  // between 1/2 and 9/10 full, and is 7/10 full after it has changed its size.
  void MakeRoom(Shard& shard, size_t inserts) {
    const IndexTable& table = *shard.owned;
    const size_t wanted = table.Size() + inserts;
    const bool full = wanted * 10 > table.Capacity() * 9;
    const bool sparse = table.Buckets() > std::max(kSmallBuckets, reserved_buckets_) &&
                        wanted * 2 < table.Capacity();
    if (!full && !sparse && !table.Frozen()) [[likely]] {
      return;
    }
    Resize(shard, full || sparse ? BucketsFor(wanted) : table.Buckets());
  }

  // 7/10 full.
  static size_t BucketsFor(size_t keys) { return keys * 10 / (7 * IndexBucket::kSlots) + 1; }

  void Resize(Shard& shard, size_t buckets) {
    const IndexTable& table = *shard.owned;
    auto fresh = std::make_shared<IndexTable>(buckets);
    table.ForEach([&](uint32_t tag, Location at) { fresh->Insert(tag, at); });
    // relaxed: gauges.
    bytes_.fetch_add(fresh->MemoryBytes(), std::memory_order_relaxed);
    bytes_.fetch_sub(table.MemoryBytes(), std::memory_order_relaxed);
    std::shared_ptr<IndexTable> old = shard.Adopt(std::move(fresh));
    const std::lock_guard lock(retired_lock_);
    retired_bytes_.fetch_add(old->MemoryBytes(), std::memory_order_relaxed);
    retired_.push_back(std::move(old));
  }

  static constexpr size_t kSmallBuckets = 8;

  ReadGate& gate_;
  size_t reserved_buckets_ = 0;  // of a shard; written with no other thread
  std::array<Shard, kShards> shards_;
  std::atomic<size_t> bytes_{kShards * (sizeof(IndexTable) + sizeof(IndexBucket))};
  std::mutex retired_lock_;
  std::vector<std::shared_ptr<IndexTable>> retired_;  // guarded by retired_lock_
  std::atomic<size_t> retired_bytes_{0};
};

}  // namespace kv

#endif  // ENGINES_LOG_INDEX_H_
