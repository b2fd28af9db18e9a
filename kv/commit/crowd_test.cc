#include "kv/commit/crowd.h"

#include <cstddef>

#include "gtest/gtest.h"

namespace kv {
namespace {

// The yields of a leader beside whom `come(yields)` sets how many wait.
template <typename Come>
size_t Yields(Crowd& crowd, Come&& come) {
  size_t yields = 0;
  crowd.AwaitExpected([&] { come(++yields); });
  return yields;
}

size_t Yields(Crowd& crowd) {
  return Yields(crowd, [](size_t) {});
}

TEST(CrowdTest, WhoMetNobodyWaitsForNobody) {
  Crowd crowd;
  EXPECT_EQ(Yields(crowd), 0u);
  crowd.Met(1);
  EXPECT_EQ(Yields(crowd), 0u);
}

TEST(CrowdTest, DoesNotYieldWhenAllAreThere) {
  Crowd crowd;
  crowd.Met(3);
  crowd.SetWaiting(3);
  EXPECT_EQ(Yields(crowd), 0u);
}

TEST(CrowdTest, WaitsForTheLastAndNoLonger) {
  Crowd crowd;
  crowd.Met(10);
  crowd.SetWaiting(1);
  // One more every 50 yields: each is a reason to go on.
  EXPECT_EQ(Yields(crowd, [&](size_t yields) { crowd.SetWaiting(1 + yields / 50); }), 450u);
}

TEST(CrowdTest, GivesUpOnThoseWhoDoNotCome) {
  Crowd crowd;
  crowd.Met(10);
  crowd.SetWaiting(1);
  EXPECT_EQ(Yields(crowd), Crowd::kYields);
  // Those who came late are waited for no longer than any.
  EXPECT_EQ(Yields(crowd, [&](size_t yields) { crowd.SetWaiting(yields < 20 ? 1 : 2); }),
            20 + Crowd::kYields);
}

}  // namespace
}  // namespace kv
