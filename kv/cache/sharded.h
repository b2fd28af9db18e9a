// ShardedCache<Order>: a block cache in shards, each a hash table under a mutex; which block goes
// first is the business of its Order (LruOrder, S3FifoOrder).
//
// Contract: kv/cache/concept.h. A shard has a sixteenth of the capacity, or more when that would be
// less than 512 KiB. A block that a handle is on may be evicted: the cache then forgets it, and the
// handle keeps it alive.
//
// Charge: allocated bytes of the block, its node, and malloc's headers; the tables are charged at
// the start. A block above its shard's capacity is handed back and not kept.
//
// Memory order: everything in a shard is guarded by its mutex, but for an entry's count of
// references. That is raised under the mutex, or by who holds a reference (relaxed); lowered with
// acq_rel, so that whoever lowers it to zero frees the block after the last read of it. used is
// changed under the mutex and read beside it (relaxed: a figure).
//
// Cost: a hit is one mutex and one node; several threads on one hot block wait for each other. An
// Insert allocates its node. EraseFile looks at every block.
// Omits: resizing; blocks that are loaded by one thread while others wait for it.
#ifndef KV_CACHE_SHARDED_H_
#define KV_CACHE_SHARDED_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kv/base/atomic.h"
#include "kv/base/mutex.h"
#include "kv/base/striped_counters.h"
#include "kv/base/thread_stripe.h"
#include "kv/cache/block.h"
#include "kv/cache/concept.h"

namespace kv {

// A block of a sharded cache. All but `references` is guarded by the shard's mutex or constant.
struct CachedBlock {
  uint64_t file = 0;
  uint64_t offset = 0;
  uint64_t hash = 0;
  size_t charge = 0;
  std::string block;
  Atomic<uint32_t> references{0};  // handles, and the cache while it has the block
  // The Order's, to use as it likes.
  uint8_t queue = 0;
  uint8_t hits = 0;
  CachedBlock* newer = nullptr;
  CachedBlock* older = nullptr;
  CachedBlock* next = nullptr;  // of the bucket
};

// Blocks in the order in which they were added, with their charge.
class BlockQueue {
 public:
  void AddNewest(CachedBlock* block) {
    block->newer = nullptr;
    block->older = newest_;
    (newest_ == nullptr ? oldest_ : newest_->newer) = block;
    newest_ = block;
    bytes_ += block->charge;
    ++blocks_;
  }
  void Remove(CachedBlock* block) {
    (block->newer == nullptr ? newest_ : block->newer->older) = block->older;
    (block->older == nullptr ? oldest_ : block->older->newer) = block->newer;
    bytes_ -= block->charge;
    --blocks_;
  }
  CachedBlock* oldest() const { return oldest_; }  // null when empty
  size_t bytes() const { return bytes_; }
  size_t blocks() const { return blocks_; }

 private:
  CachedBlock* newest_ = nullptr;
  CachedBlock* oldest_ = nullptr;
  size_t bytes_ = 0;
  size_t blocks_ = 0;
};

// The order of eviction of one shard. Called by one thread at a time; O(1) each, TakeVictim
// amortised.
//
//   O(bytes, slots)     for blocks of `bytes` in all, some `slots` of them
//   StructureBytes      what O(bytes, slots) allocates
//   Added(block)        a new block, which is not in the order
//   Hit(block)          a lookup found it
//   TakeVictim()        takes the block that goes first out of the order; there is one
//   Removed(block)      takes this block out of the order
template <typename O>
concept CacheOrder = std::constructible_from<O, size_t, size_t> &&
    requires(O& order, CachedBlock* block, size_t slots) {
  { O::kName } -> std::same_as<const std::string_view&>;
  { O::StructureBytes(slots) } -> std::same_as<size_t>;
  order.Added(block);
  order.Hit(block);
  { order.TakeVictim() } -> std::same_as<CachedBlock*>;
  order.Removed(block);
};

template <CacheOrder Order>
class ShardedCache {
 public:
  static constexpr std::string_view kName = Order::kName;
  static constexpr bool kEnabled = true;

  using Handle = BlockHandle<ShardedCache, CachedBlock>;

  explicit ShardedCache(size_t capacity_bytes) : capacity_(capacity_bytes) {
    const size_t count = std::clamp<size_t>(std::bit_floor(capacity_bytes / kLeastShard), 1, 16);
    const size_t bytes = capacity_bytes / count;
    const size_t slots = std::bit_ceil(bytes / kBytesPerSlot + 1);
    const size_t structure =
        sizeof(Shard) + slots * sizeof(CachedBlock*) + Order::StructureBytes(slots);
    if (structure > bytes) return;  // no shard, and nothing is kept
    for (size_t i = 0; i < count; ++i) {
      shards_.push_back(std::make_unique<Shard>(bytes, structure, slots));
    }
  }

  ShardedCache(const ShardedCache&) = delete;
  ShardedCache& operator=(const ShardedCache&) = delete;

  ~ShardedCache() {
    for (const auto& shard : shards_) {
      for (CachedBlock* block : shard->buckets) {
        while (block != nullptr) delete std::exchange(block, block->next);
      }
    }
  }

  Handle Lookup(uint64_t file, uint64_t offset) {
    const uint64_t hash = HashBlockKey(file, offset);
    if (!shards_.empty()) {
      Shard& shard = ShardOf(hash);
      const std::lock_guard lock(shard.mutex);
      if (CachedBlock* const block = *shard.Find(hash, file, offset)) {
        shard.order.Hit(block);
        counters_.Add(kHits);
        return Pin(block);
      }
    }
    counters_.Add(kMisses);
    return Handle();
  }

  Handle Insert(uint64_t file, uint64_t offset, std::string block) {
    const uint64_t hash = HashBlockKey(file, offset);
    const size_t charge = BlockCharge(block) + sizeof(CachedBlock) + kMallocHeader;
    if (shards_.empty()) return Handle(std::move(block));
    Shard& shard = ShardOf(hash);
    if (charge > shard.capacity - shard.structure) return Handle(std::move(block));
    auto fresh = std::make_unique<CachedBlock>();
    fresh->file = file;
    fresh->offset = offset;
    fresh->hash = hash;
    fresh->charge = charge;
    fresh->block = std::move(block);

    CachedBlock* victims = nullptr;  // freed once the mutex is
    Handle handle;
    {
      const std::lock_guard lock(shard.mutex);
      if (CachedBlock* const found = *shard.Find(hash, file, offset)) return Pin(found);
      // relaxed: see above.
      size_t used = shard.used.load(std::memory_order_relaxed);
      for (; charge > shard.capacity - used;) {
        CachedBlock* const victim = shard.order.TakeVictim();
        shard.Unlink(victim);
        used -= victim->charge;
        victim->next = std::exchange(victims, victim);
      }
      shard.used.store(used + charge, std::memory_order_relaxed);
      CachedBlock* const added = fresh.release();
      // relaxed: nobody else has it yet.
      added->references.store(1, std::memory_order_relaxed);
      CachedBlock*& bucket = shard.Bucket(hash);
      added->next = std::exchange(bucket, added);
      shard.order.Added(added);
      handle = Pin(added);
    }
    while (victims != nullptr) Unpin(std::exchange(victims, victims->next));
    return handle;
  }

  void EraseFile(uint64_t file) {
    for (const auto& shard : shards_) {
      const std::lock_guard lock(shard->mutex);
      for (CachedBlock*& bucket : shard->buckets) {
        for (CachedBlock** at = &bucket; *at != nullptr;) {
          CachedBlock* const block = *at;
          if (block->file != file) {
            at = &block->next;
            continue;
          }
          *at = block->next;
          shard->order.Removed(block);
          // relaxed: see above.
          shard->used.fetch_sub(block->charge, std::memory_order_relaxed);
          Unpin(block);
        }
      }
    }
  }

  CacheCounters Counters() const {
    return {.hits = counters_.Sum(kHits), .misses = counters_.Sum(kMisses)};
  }

  size_t UsedBytes() const {
    size_t used = 0;
    for (const auto& shard : shards_) used += shard->used.load(std::memory_order_relaxed);
    return used;
  }
  size_t CapacityBytes() const { return capacity_; }

 private:
  friend Handle;

  static constexpr size_t kLeastShard = size_t{512} << 10;
  static constexpr size_t kBytesPerSlot = 4096;

  enum Counter : size_t { kHits, kMisses, kCounterCount };

  struct alignas(kCacheLineBytes) Shard {
    Shard(size_t capacity_bytes, size_t structure_bytes, size_t slots)
        : capacity(capacity_bytes),
          structure(structure_bytes),
          order(capacity_bytes - structure_bytes, slots),
          buckets(slots),
          used(structure_bytes) {}

    CachedBlock*& Bucket(uint64_t hash) { return buckets[hash & (buckets.size() - 1)]; }

    // Where the block is linked, or the end of its bucket.
    CachedBlock** Find(uint64_t hash, uint64_t file, uint64_t offset) {
      CachedBlock** at = &Bucket(hash);
      while (*at != nullptr && ((*at)->file != file || (*at)->offset != offset)) {
        at = &(*at)->next;
      }
      return at;
    }
    void Unlink(CachedBlock* block) {
      *Find(block->hash, block->file, block->offset) = block->next;
    }

    const size_t capacity;
    const size_t structure;
    Mutex mutex;
    Order order;
    std::vector<CachedBlock*> buckets;
    Atomic<size_t> used;
  };

  // The bits above those that choose a bucket.
  Shard& ShardOf(uint64_t hash) { return *shards_[(hash >> 56) & (shards_.size() - 1)]; }

  // The mutex is held.
  Handle Pin(CachedBlock* block) {
    // relaxed: the cache's own reference keeps the block from being freed meanwhile.
    block->references.fetch_add(1, std::memory_order_relaxed);
    return Handle(this, block);
  }

  static void Unpin(CachedBlock* block) {
    // acq_rel: pairs with itself in other threads, whose last reads come before the block is freed.
    if (block->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete block;
  }

  const size_t capacity_;
  std::vector<std::unique_ptr<Shard>> shards_;
  StripedCounters<Counter, kCounterCount> counters_;
};

}  // namespace kv

#endif  // KV_CACHE_SHARDED_H_
