// ShardLock: exclusion, and nobody sleeps on for ever, in every interleaving.
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/base/shard_lock.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv {
namespace {

using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

// Each of `threads` threads takes the lock `rounds` times. What the lock guards is no atomic: who
// lacks the order of holders has a race.
Program Holders(std::string name, int threads, int rounds) {
  return {std::move(name), [=](Trial& trial) {
            ShardLock lock;
            int count = 0;
            const auto hold = [&] {
              for (int i = 0; i < rounds; ++i) {
                const std::lock_guard guard(lock);
                ++count;
              }
            };
            trial.Run(std::vector<std::function<void()>>(static_cast<size_t>(threads), hold));
            trial.Expect(count == threads * rounds, "holders come one after another");
          }};
}

TEST(ShardLockInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(kPlan, {Holders("two threads", 2, 1), Holders("two threads, twice", 2, 2),
                                 Holders("three threads", 3, 1)});
}

}  // namespace
}  // namespace kv
