// ShardLocks: the locks of a set of shards, held together.
//
// Taken in ascending order, so that no circle closes. A set is as many bits as there are shards:
// visiting it costs a word for each 64 shards and what it holds.
//
// Thread safety: one thread; the locks exclude the others.
#ifndef ENGINES_MEMORY_SHARD_LOCKS_H_
#define ENGINES_MEMORY_SHARD_LOCKS_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "engines/memory/hash_shard.h"

namespace kv::memory_internal {

template <size_t kShards>
class ShardSet {
 public:
  static ShardSet All() {
    ShardSet all;
    for (size_t i = 0; i < kShards; ++i) all.Add(i);
    return all;
  }

  void Add(size_t shard) { words_[shard / 64] |= uint64_t{1} << shard % 64; }

  // Calls `visit(size_t)` in ascending order.
  template <typename F>
  void ForEach(F&& visit) const {
    for (size_t w = 0; w < words_.size(); ++w) {
      for (uint64_t word = words_[w]; word != 0; word &= word - 1) {
        visit(w * 64 + static_cast<size_t>(std::countr_zero(word)));
      }
    }
  }

 private:
  std::array<uint64_t, (kShards + 63) / 64> words_{};
};

template <size_t kShards>
class ShardLocks {
 public:
  using Set = ShardSet<kShards>;
  ShardLocks(std::array<std::unique_ptr<HashShard>, kShards>& shards, const Set& set)
      : shards_(shards), set_(set) {
    ForEach([](HashShard& shard) { shard.lock().lock(); });
  }
  ShardLocks(const ShardLocks&) = delete;
  ShardLocks& operator=(const ShardLocks&) = delete;
  ~ShardLocks() {
    ForEach([](HashShard& shard) { shard.lock().unlock(); });
  }

  template <typename F>
  void ForEach(F&& visit) {
    set_.ForEach([&](size_t i) { visit(*shards_[i]); });
  }

 private:
  std::array<std::unique_ptr<HashShard>, kShards>& shards_;
  Set set_;
};

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_SHARD_LOCKS_H_
