#include "kv/base/shard_lock.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace kv {
namespace {

static_assert(sizeof(ShardLock) == 4);

TEST(ShardLockTest, HoldersComeOneAfterAnother) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 20'000;
  ShardLock lock;
  int count = 0;  // guarded by lock; not atomic, so that thread sanitizer sees an order that lacks
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        const std::lock_guard guard(lock);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, kThreads * kRounds);
}

// With several that wait, each unlock wakes one, who must leave the mark for the others.
//
// Memory order: seq_cst, the default, for the count.
TEST(ShardLockTest, EveryoneWhoIsParkedIsWokenInTheEnd) {
  constexpr int kWaiters = 8;
  for (int round = 0; round < 20; ++round) {
    ShardLock lock;
    std::atomic<int> coming = 0;
    int came = 0;  // guarded by lock
    std::vector<std::thread> threads;
    {
      const std::lock_guard guard(lock);
      for (int t = 0; t < kWaiters; ++t) {
        threads.emplace_back([&] {
          ++coming;
          const std::lock_guard inner(lock);
          ++came;
        });
      }
      while (coming < kWaiters) std::this_thread::yield();
      // Long enough for them to park, on some runs.
      for (int i = 0; i < 100; ++i) std::this_thread::yield();
      EXPECT_EQ(came, 0);
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(came, kWaiters);
  }
}

// What thread sanitizer allows of no std::mutex: it stops a test that holds more than 64.
TEST(ShardLockTest, OneThreadHoldsHundreds) {
  std::array<ShardLock, 256> locks;
  int changes = 0;  // guarded by all of them
  const auto change = [&] {
    for (int i = 0; i < 100; ++i) {
      for (ShardLock& lock : locks) lock.lock();
      ++changes;
      for (ShardLock& lock : locks) lock.unlock();
    }
  };
  std::thread other(change);
  change();
  other.join();
  EXPECT_EQ(changes, 200);
}

}  // namespace
}  // namespace kv
