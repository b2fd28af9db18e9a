// EventCount: nobody sleeps through the change they wait for, in every interleaving.
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/base/event_count.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv {
namespace {

using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

// What is waited for is no atomic: who is not ordered behind its notification has a race.
Program Waiting(std::string name, int waiters, uint32_t notifications) {
  return {std::move(name), [=](Trial& trial) {
            EventCount count;
            std::vector<int> written(notifications, 0);
            const auto await_all = [&] {
              uint32_t seen = 0;
              while ((seen = count.Now()) != notifications) count.AwaitChange(seen);
              for (const int each : written) trial.Expect(each == 1, "what was notified is there");
            };
            std::vector<std::function<void()>> threads(static_cast<size_t>(waiters), await_all);
            threads.push_back([&] {
              for (int& each : written) {
                each = 1;
                count.NotifyAll();
              }
            });
            trial.Run(std::move(threads));
          }};
}

TEST(EventCountInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(kPlan,
                         {Waiting("one waiter", 1, 1), Waiting("two notifications", 1, 2),
                          Waiting("two waiters", 2, 1)},
                         {
                             // Before it sleeps, a thread looks at the newest count here, as it
                             // does at a futex, so it misses no change whatever it has loaded. C++
                             // promises less: the order is kept for what it says.
                             "EventCount::NotifyAll update seq_cst -> acq_rel",
                             "EventCount::NotifyAll update seq_cst -> release",
                         });
}

}  // namespace
}  // namespace kv
