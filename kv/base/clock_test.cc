#include "kv/base/clock.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace kv {
namespace {

struct NoUnixTime {
  uint64_t MonotonicNanos() const { return 0; }
};
struct SignedTime {
  int64_t MonotonicNanos() const { return 0; }
  int64_t UnixMillis() const { return 0; }
};
struct MustBeMutable {
  uint64_t MonotonicNanos() { return 0; }
  uint64_t UnixMillis() { return 0; }
};
static_assert(Clock<SystemClock> && Clock<ManualClock>);
static_assert(!Clock<NoUnixTime> && !Clock<SignedTime> && !Clock<MustBeMutable>);

TEST(SystemClockTest, TellsTheTime) {
  const SystemClock clock;
  const uint64_t first = clock.MonotonicNanos();
  EXPECT_GE(clock.MonotonicNanos(), first);
  // Milliseconds, not seconds or nanoseconds: between 2020 and 2200.
  EXPECT_GT(clock.UnixMillis(), 1'577'836'800'000u);
  EXPECT_LT(clock.UnixMillis(), 7'258'118'400'000u);
}

TEST(ManualClockTest, StandsStillUntilItIsMovedAndSharesItsTime) {
  ManualClock clock;
  const ManualClock copy = clock;
  const uint64_t millis = clock.UnixMillis();
  const uint64_t nanos = clock.MonotonicNanos();
  EXPECT_EQ(copy.UnixMillis(), millis);
  clock.AdvanceMillis(250);
  EXPECT_EQ(clock.UnixMillis(), millis + 250);
  EXPECT_EQ(copy.UnixMillis(), millis + 250);
  EXPECT_EQ(copy.MonotonicNanos(), nanos + 250'000'000);
  // An expiry of 1 ms after 1970 is in the past; another clock has a time of its own.
  EXPECT_GT(millis, 1u);
  EXPECT_EQ(ManualClock().UnixMillis(), millis);
}

TEST(ManualClockTest, ItsWallClockJumpsAnywhereAndTheOtherGoesOn) {
  ManualClock clock;
  const ManualClock copy = clock;
  const uint64_t nanos = clock.MonotonicNanos();
  for (const uint64_t to : {uint64_t{0}, uint64_t{5}, UINT64_MAX, clock.UnixMillis()}) {
    clock.SetUnixMillis(to);
    EXPECT_EQ(clock.UnixMillis(), to);
    EXPECT_EQ(copy.UnixMillis(), to);
    EXPECT_EQ(clock.MonotonicNanos(), nanos);
  }
  clock.SetUnixMillis(7);
  clock.AdvanceMillis(3);
  EXPECT_EQ(clock.UnixMillis(), 10u);
  EXPECT_EQ(clock.MonotonicNanos(), nanos + 3'000'000);
}

}  // namespace
}  // namespace kv
