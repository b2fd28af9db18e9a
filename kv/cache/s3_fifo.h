// S3-FIFO cache: three queues, in which blocks never move up on a hit.
//
//   new block ---> small (a tenth of the bytes) --hit twice--> main (the rest) <--+
//                    |  else                                    |   hit meanwhile |
//                    v                                          +-----------------+
//                  ghost: their hashes; one that comes back goes to main at once
//
// Most blocks of a long tail, and all of a scan, are used once: they pass through the small queue
// and leave the main one alone.
//
// Contract and cost: kv/cache/sharded.h. The ghosts are a table of 8 bytes for each 4 KiB of
// capacity, which forgets the older of two that meet, and those that are older than as many
// evictions as there are blocks in main.
//
// For: point reads with long tails, and scans beside them: of lookups by Zipf's law 64.8 % hit,
// with scans between them 65.1 % (CLOCK 62.1 and 59.4 %, LRU 57.7 and 53.6 %; hit_ratio_test.cc, a
// cache for a tenth of the blocks). Not for: readers that follow each other (34.6 %; LRU 65.5 %);
// hot loads on many threads (a hit takes its shard's mutex: see clock.h).
//
// Source: Yang et al., FIFO Queues Are All You Need for Cache Eviction, SOSP 2023.
#ifndef KV_CACHE_S3_FIFO_H_
#define KV_CACHE_S3_FIFO_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "kv/cache/concept.h"
#include "kv/cache/sharded.h"

namespace kv {

class S3FifoOrder {
 public:
  static constexpr std::string_view kName = "s3_fifo";
  static constexpr size_t StructureBytes(size_t slots) { return slots * sizeof(Ghost); }

  // `slots` is a power of two.
  S3FifoOrder(size_t bytes, size_t slots) : small_bytes_(bytes / 10), ghosts_(slots) {}

  void Added(CachedBlock* block) {
    block->hits = 0;
    block->queue = TakeGhost(block->hash) ? kMain : kSmall;
    QueueOf(block).AddNewest(block);
  }

  void Hit(CachedBlock* block) {
    if (block->hits < kMostHits) ++block->hits;
  }

  CachedBlock* TakeVictim() {
    for (;;) {
      if (small_.blocks() > 0 && (small_.bytes() > small_bytes_ || main_.blocks() == 0)) {
        CachedBlock* const block = small_.oldest();
        small_.Remove(block);
        if (block->hits < kHitsForMain) {
          AddGhost(block->hash);
          return block;
        }
        block->hits = 0;
        block->queue = kMain;
        main_.AddNewest(block);
      } else {
        CachedBlock* const block = main_.oldest();
        main_.Remove(block);
        if (block->hits == 0) return block;
        --block->hits;
        main_.AddNewest(block);
      }
    }
  }

  void Removed(CachedBlock* block) { QueueOf(block).Remove(block); }

 private:
  static constexpr uint8_t kSmall = 0;
  static constexpr uint8_t kMain = 1;
  static constexpr uint8_t kMostHits = 3;
  static constexpr uint8_t kHitsForMain = 2;

  // What left the small queue: the upper half of its hash, and when, in evictions; 0: nobody.
  struct Ghost {
    uint32_t tag = 0;
    uint32_t evicted_at = 0;
  };

  BlockQueue& QueueOf(const CachedBlock* block) { return block->queue == kMain ? main_ : small_; }

  Ghost& GhostOf(uint64_t hash) { return ghosts_[(hash >> 8) & (ghosts_.size() - 1)]; }

  void AddGhost(uint64_t hash) {
    if (++evictions_ == 0) evictions_ = 1;
    GhostOf(hash) = {static_cast<uint32_t>(hash >> 32), evictions_};
  }

  bool TakeGhost(uint64_t hash) {
    Ghost& ghost = GhostOf(hash);
    if (ghost.evicted_at == 0 || ghost.tag != static_cast<uint32_t>(hash >> 32)) return false;
    const bool young = evictions_ - ghost.evicted_at <= main_.blocks() + small_.blocks();
    ghost = {};
    return young;
  }

  const size_t small_bytes_;
  BlockQueue small_;
  BlockQueue main_;
  std::vector<Ghost> ghosts_;
  uint32_t evictions_ = 0;
};

using S3FifoCache = ShardedCache<S3FifoOrder>;
static_assert(Cache<S3FifoCache>);

}  // namespace kv

#endif  // KV_CACHE_S3_FIFO_H_
