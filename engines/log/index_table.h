// One open-addressed table of the index: cache lines of six slots, each a 32-bit tag and a 48-bit
// location. No keys: whoever finds a slot with the right tag looks at the record.
//
//   bucket := passed:u32  tag:u32[6]  low:u32[6]  high:u16[6]                        (64 bytes)
//
//   tag     32 bits of the key's hash. They alone decide the home bucket, tag * buckets / 2^32, so
//           a table is copied into one of any other size without reading a key
//   passed  slots whose home is this bucket or one before it, and which lie behind it because it
//           was full: a search that finds passed == 0 is over
//
// Invariants:
//   1. A slot lies in the first bucket at or after its home (cyclically) that had room for it, and
//      is counted in `passed` of each bucket between.
//   2. Slots never move within a table, so a reader of one that stays finds it.
//
// Cost: 10.7 bytes a slot. At 9/10 full about 1.2 cache lines a search, at 7/10 1.02.
//
// Thread safety: one writer at a time; readers beside it, who must validate what they have read
// with the version of the shard (index.h). Every field is an atomic so that a torn read is no
// undefined behaviour. Memory order: slots are stored with release and loaded with acquire, so that
// (1) the version, stored before, is seen by whoever sees a slot, and (2) a version loaded after a
// slot is not older than it; see index.h.
// Source: the counter of passed slots is that of F14 (Bronson and Shi, 2019).
#ifndef ENGINES_LOG_INDEX_TABLE_H_
#define ENGINES_LOG_INDEX_TABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "engines/log/location.h"
#include "kv/base/atomic.h"

namespace kv {

struct alignas(64) IndexBucket {
  static constexpr size_t kSlots = 6;

  Atomic<uint32_t> passed{0};
  std::array<Atomic<uint32_t>, kSlots> tags{};
  std::array<Atomic<uint32_t>, kSlots> low{};
  std::array<Atomic<uint16_t>, kSlots> high{};

  Location At(size_t slot) const {
    // acquire: see "Memory order" above.
    return Location::FromBits(uint64_t{high[slot].load(std::memory_order_acquire)} << 32 |
                              low[slot].load(std::memory_order_acquire));
  }
  void Set(size_t slot, Location location) {
    // release: see "Memory order" above.
    low[slot].store(static_cast<uint32_t>(location.bits()), std::memory_order_release);
    high[slot].store(static_cast<uint16_t>(location.bits() >> 32), std::memory_order_release);
  }
};

static_assert(sizeof(IndexBucket) == 64);

class IndexTable {
 public:
  struct Slot {
    IndexBucket* bucket = nullptr;  // null: none
    size_t slot = 0;
    Location at;
  };

  explicit IndexTable(size_t buckets)
      : buckets_(std::make_unique<IndexBucket[]>(buckets)), count_(buckets) {}

  size_t Buckets() const { return count_; }
  size_t Capacity() const { return count_ * IndexBucket::kSlots; }
  size_t MemoryBytes() const { return sizeof *this + count_ * sizeof(IndexBucket); }
  size_t Size() const { return size_; }  // the writer's

  void Prefetch(uint32_t tag) const { __builtin_prefetch(&buckets_[Home(tag)]); }

  // Calls visit(slot) for each slot with this tag, until it returns true: for reader and writer.
  // Returns that slot, or one without a bucket.
  template <typename Visit>
  Slot Find(uint32_t tag, Visit&& visit) const {
    size_t index = Home(tag);
    for (size_t searched = 0; searched < count_; ++searched) {
      IndexBucket& bucket = buckets_[index];
      for (size_t slot = 0; slot < IndexBucket::kSlots; ++slot) {
        // acquire: see "Memory order" above.
        if (bucket.tags[slot].load(std::memory_order_acquire) != tag) continue;
        const Location at = bucket.At(slot);
        if (at && visit(at)) return {&bucket, slot, at};
      }
      if (bucket.passed.load(std::memory_order_acquire) == 0) break;
      index = Next(index);
    }
    return {};
  }

  // --- The writer's -----------------------------------------------------------------------------

  // Needs Size() < Capacity().
  void Insert(uint32_t tag, Location at) {
    for (size_t index = Home(tag);; index = Next(index)) {
      IndexBucket& bucket = buckets_[index];
      for (size_t slot = 0; slot < IndexBucket::kSlots; ++slot) {
        if (bucket.At(slot)) continue;
        // release: see "Memory order" above.
        bucket.tags[slot].store(tag, std::memory_order_release);
        bucket.Set(slot, at);
        ++size_;
        return;
      }
      Pass(bucket, 1);
    }
  }

  void Erase(const Slot& found) {
    // acquire: the writer reads its own stores; the order is At's.
    const uint32_t tag = found.bucket->tags[found.slot].load(std::memory_order_acquire);
    found.bucket->Set(found.slot, Location());
    for (size_t index = Home(tag); &buckets_[index] != found.bucket; index = Next(index)) {
      Pass(buckets_[index], -1);
    }
    --size_;
  }

  // Calls visit(tag, location) for every slot.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (size_t index = 0; index < count_; ++index) {
      for (size_t slot = 0; slot < IndexBucket::kSlots; ++slot) {
        const Location at = buckets_[index].At(slot);
        if (at) visit(buckets_[index].tags[slot].load(std::memory_order_acquire), at);
      }
    }
  }

  // --- For Freeze (index.h): who reads this table as it is ---------------------------------------

  // relaxed: under the shard's lock.
  void Freeze() { freezers_.fetch_add(1, std::memory_order_relaxed); }
  // release: the reads come before; pairs with Frozen().
  void Thaw() { freezers_.fetch_sub(1, std::memory_order_release); }
  bool Frozen() const { return freezers_.load(std::memory_order_acquire) != 0; }

 private:
  size_t Home(uint32_t tag) const { return (uint64_t{tag} * count_) >> 32; }
  size_t Next(size_t index) const { return index + 1 == count_ ? 0 : index + 1; }
  // Only the writer changes it, so it needs no read-modify-write.
  static void Pass(IndexBucket& bucket, int by) {
    const uint32_t passed = bucket.passed.load(std::memory_order_relaxed);
    bucket.passed.store(passed + static_cast<uint32_t>(by), std::memory_order_release);
  }

  std::unique_ptr<IndexBucket[]> buckets_;
  size_t count_;
  size_t size_ = 0;
  Atomic<uint32_t> freezers_{0};
};

}  // namespace kv

#endif  // ENGINES_LOG_INDEX_TABLE_H_
