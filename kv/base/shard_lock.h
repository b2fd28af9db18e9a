// A mutex of four bytes: 1 while held, 2 while held and waited for.
//
// Beside its size, what std::mutex lacks here is that a thread may hold hundreds of them, which the
// deadlock detector of ThreadSanitizer (at most 64) does not allow. Batches, counts and copies of
// sharded tables do, always in ascending order of shard.
//
// Thread safety: models BasicLockable. Unfair. Waiting spins for a little, then parks (a futex).
// Source: Drepper, Futexes Are Tricky, 2011 (the third mutex).
#ifndef KV_BASE_SHARD_LOCK_H_
#define KV_BASE_SHARD_LOCK_H_

#include <atomic>
#include <cstdint>

#include "kv/base/atomic.h"

namespace kv {

class ShardLock {
 public:
  void lock() {
    uint32_t free = 0;
    // acquire here and below: pairs with the release in unlock.
    if (state_.compare_exchange_strong(free, 1, std::memory_order_acquire,
                                       std::memory_order_relaxed)) [[likely]] {
      return;
    }
    // Whoever has waited cannot know that it was the last, and leaves the mark for the next.
    while (state_.exchange(2, std::memory_order_acquire) != 0) {
      state_.wait(2, std::memory_order_relaxed);
    }
  }

  void unlock() {
    if (state_.exchange(0, std::memory_order_release) == 2) [[unlikely]]
      state_.notify_one();
  }

 private:
  Atomic<uint32_t> state_{0};
};

}  // namespace kv

#endif  // KV_BASE_SHARD_LOCK_H_
