#include "coord/timers.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "coord/index.h"
#include "gtest/gtest.h"

namespace coord {
namespace {

using Indices = std::vector<Index>;

Indices Due(Timers& timers, uint64_t now) {
  Indices due;
  timers.PopDue(now, &due);
  return due;
}

TEST(TimersTest, TheSoonestFirst) {
  Timers timers(4);
  EXPECT_EQ(timers.NextDeadline(), Timers::kNever);
  EXPECT_TRUE(timers.Set({0, 1}, 30));
  EXPECT_FALSE(timers.Set({1, 1}, 40));
  EXPECT_TRUE(timers.Set({2, 1}, 10));
  EXPECT_TRUE(timers.Set({3, 1}, 9));
  EXPECT_EQ(timers.NextDeadline(), 9u);
  EXPECT_EQ(Due(timers, 8), Indices{});
  EXPECT_EQ(Due(timers, 30), (Indices{{3, 1}, {2, 1}, {0, 1}}));
  EXPECT_EQ(timers.NextDeadline(), 40u);
  EXPECT_EQ(Due(timers, 1'000), (Indices{{1, 1}}));
  EXPECT_EQ(timers.NextDeadline(), Timers::kNever);
}

TEST(TimersTest, ASlotHasOneTimer) {
  Timers timers(2);
  EXPECT_TRUE(timers.Set({0, 1}, 10));
  EXPECT_FALSE(timers.Set({0, 1}, 20));
  EXPECT_EQ(timers.NextDeadline(), 20u);
  EXPECT_TRUE(timers.Set({0, 2}, 15));
  EXPECT_EQ(Due(timers, 100), (Indices{{0, 2}}));
}

TEST(TimersTest, WhoIsLateDoesNotReplaceTheTimerOfTheNextUse) {
  Timers timers(2);
  EXPECT_TRUE(timers.Set({0, 2}, 10));
  EXPECT_FALSE(timers.Set({0, 1}, 5));
  EXPECT_EQ(timers.NextDeadline(), 10u);
  // Also where generations wrap around.
  EXPECT_TRUE(timers.Set({1, 1}, 7));
  EXPECT_FALSE(timers.Set({1, ~0u}, 5));
  EXPECT_EQ(timers.NextDeadline(), 7u);
}

TEST(TimersTest, AsAMapDoes) {
  constexpr uint32_t kSlots = 37;
  Timers timers(kSlots);
  std::map<uint32_t, uint64_t> model;
  uint64_t random = 1;
  for (uint64_t now = 0; now < 5'000; ++now) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const auto slot = static_cast<uint32_t>((random >> 33) % kSlots);
    const uint64_t deadline = now + (random >> 40) % 100;
    model[slot] = deadline;
    timers.Set({slot, 1}, deadline);
    if (now % 7 != 0) continue;
    uint64_t last = 0;
    for (const Index index : Due(timers, now)) {
      ASSERT_TRUE(model.contains(index.slot));
      EXPECT_LE(model[index.slot], now);
      EXPECT_LE(last, model[index.slot]);
      last = model[index.slot];
      model.erase(index.slot);
    }
    uint64_t soonest = Timers::kNever;
    for (const auto& [unused, time] : model) soonest = std::min(soonest, time);
    EXPECT_EQ(timers.NextDeadline(), soonest);
    EXPECT_GT(soonest, now);
  }
}

}  // namespace
}  // namespace coord
