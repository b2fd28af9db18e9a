// The source document's lock-free coordinators, rebuilt for comparison: a lock-free queue beside a
// set in shards ("DashSet": four shards a processor, each a hash set behind a lock).
//
//   V2   no lock around them.
//   V1   the same behind one mutex, which is what the document found to be wrong with it.
//
// Kept as they are: a duplicate costs a shard's lock; a drain pops and erases one by one; a signal
// flag is set at each registration. Better than theirs: a faster hash (theirs is SipHash).
#ifndef BENCH_COORD_SOURCE_PEERS_H_
#define BENCH_COORD_SOURCE_PEERS_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "bench/coord/ready_set.h"
#include "bench/coord/segment_queue.h"

namespace bench {

class ShardedSet {
 public:
  bool Insert(uint64_t key) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    return shard.keys.insert(key).second;
  }
  void Erase(uint64_t key) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    shard.keys.erase(key);
  }

 private:
  struct alignas(kv::kCacheLineBytes) Shard {
    std::mutex mutex;
    absl::flat_hash_set<uint64_t> keys;
  };

  Shard& ShardOf(uint64_t key) {
    // Its high bits: the low ones choose the place within the shard.
    return shards_[absl::HashOf(key) >> 32 & (count_ - 1)];
  }

  const size_t count_ = std::bit_ceil<size_t>(4 * std::thread::hardware_concurrency());
  const std::unique_ptr<Shard[]> shards_ = std::make_unique<Shard[]>(count_);
};

class SourceV2 : public PlainSlots {
 public:
  static constexpr std::string_view kName = "source_v2";

  explicit SourceV2(size_t) {}

  bool Register(Index index) {
    if (!queued_.Insert(Key(index))) return false;
    queue_.Push(index);
    // release: as theirs.
    signal_pending_.store(true, std::memory_order_release);
    return true;
  }

  size_t RegisterBatch(std::span<const Index> indices) {
    size_t count = 0;
    for (const Index index : indices) count += Register(index) ? 1 : 0;
    return count;
  }

  size_t Drain(size_t max, std::vector<Index>* out) {
    size_t count = 0;
    for (; count < max; ++count) {
      const std::optional<Index> index = queue_.Pop();
      if (!index.has_value()) break;
      queued_.Erase(Key(*index));
      out->push_back(*index);
    }
    return count;
  }

  void FinishAgain(Index index) { Register(index); }

 private:
  static uint64_t Key(Index index) { return uint64_t{index.generation} << 32 | index.slot; }

  SegmentQueue<Index> queue_;
  ShardedSet queued_;
  std::atomic<bool> signal_pending_{false};
};

class SourceV1 : public PlainSlots {
 public:
  static constexpr std::string_view kName = "source_v1";

  explicit SourceV1(size_t slots) : set_(slots) {}

  bool Register(Index index) {
    const std::lock_guard lock(mutex_);
    return set_.Register(index);
  }
  size_t RegisterBatch(std::span<const Index> indices) {
    const std::lock_guard lock(mutex_);
    return set_.RegisterBatch(indices);
  }
  size_t Drain(size_t max, std::vector<Index>* out) {
    const std::lock_guard lock(mutex_);
    return set_.Drain(max, out);
  }
  void FinishAgain(Index index) { Register(index); }

 private:
  std::mutex mutex_;
  SourceV2 set_;
};

}  // namespace bench

#endif  // BENCH_COORD_SOURCE_PEERS_H_
