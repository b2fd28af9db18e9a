#include "bench/remote/drive/schedule.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace bench::remote {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

Schedule Constant(double rate) { return {.pace = Pace::kConstant, .rate = rate}; }

// Each request stands on its side of CountBefore, and times never fall.
void ExpectConsistent(const Timetable& timetable, uint64_t requests) {
  uint64_t before = 0;
  for (uint64_t request = 0; request < requests; ++request) {
    const uint64_t at = timetable.At(request);
    ASSERT_GE(at, before) << request;
    ASSERT_GT(timetable.CountBefore(at + 1), request);
    ASSERT_LE(timetable.CountBefore(at), request);
    before = at;
  }
}

TEST(Timetable, ConstantCountsAreExact) {
  for (const double rate : {1.0, 3.0, 7.0, 999.0, 1000.0, 33'333.0, 1'000'000.0}) {
    const Timetable timetable(Constant(rate));
    for (const uint64_t seconds : {1, 2, 10, 3600}) {
      EXPECT_EQ(timetable.CountBefore(seconds * kSecond), static_cast<uint64_t>(rate) * seconds);
    }
  }
  const Timetable timetable(Constant(1000));
  EXPECT_EQ(timetable.At(0), 0u);
  EXPECT_EQ(timetable.At(1), 1'000'000u);
  EXPECT_EQ(timetable.At(86'400'000), 86'400 * kSecond);
  EXPECT_EQ(timetable.CountBefore(0), 0u);
  EXPECT_EQ(timetable.CountBefore(1), 1u);
  ExpectConsistent(Timetable(Constant(2.5)), 1000);
  ExpectConsistent(Timetable(Constant(1e9 / 3)), 10'000);
}

TEST(Timetable, RampUp) {
  // 0 to 1000 a second in 10 s: 5000 requests, and then 1000 a second.
  const Timetable timetable({.pace = Pace::kRamp, .rate = 0, .end_rate = 1000, .seconds = 10});
  EXPECT_EQ(timetable.CountBefore(10 * kSecond), 5000u);
  EXPECT_EQ(timetable.CountBefore(5 * kSecond), 1250u);
  EXPECT_EQ(timetable.CountBefore(20 * kSecond), 15'000u);
  EXPECT_EQ(timetable.At(0), 0u);
  EXPECT_EQ(timetable.At(5001) - timetable.At(5000), 1'000'000u);
  ExpectConsistent(timetable, 8000);
}

TEST(Timetable, RampDown) {
  const Timetable timetable({.pace = Pace::kRamp, .rate = 3000, .end_rate = 1000, .seconds = 4});
  EXPECT_EQ(timetable.CountBefore(4 * kSecond), 8000u);
  EXPECT_EQ(timetable.CountBefore(2 * kSecond), 5000u);
  EXPECT_EQ(timetable.CountBefore(5 * kSecond), 9000u);
  ExpectConsistent(timetable, 9000);
}

TEST(Timetable, ARampToNothingComesToRest) {
  const Timetable timetable({.pace = Pace::kRamp, .rate = 100, .end_rate = 0, .seconds = 2});
  EXPECT_EQ(timetable.CountBefore(2 * kSecond), 100u);
  EXPECT_EQ(timetable.CountBefore(3600 * kSecond), 100u);
  EXPECT_LT(timetable.At(99), 2 * kSecond);
  EXPECT_EQ(timetable.At(100), Timetable::kNever);
}

TEST(Timetable, ARampBetweenEqualRatesIsConstant) {
  const Timetable ramp({.pace = Pace::kRamp, .rate = 500, .end_rate = 500, .seconds = 3});
  const Timetable constant(Constant(500));
  for (uint64_t request = 0; request < 3000; ++request) {
    EXPECT_EQ(ramp.At(request), constant.At(request));
  }
}

TEST(Timetable, Bursts) {
  const Timetable timetable({.pace = Pace::kBurst,
                             .rate = 1000,
                             .burst_seconds = 2,
                             .rest_seconds = 3,
                             .rest_rate = 100});
  EXPECT_EQ(timetable.CountBefore(2 * kSecond), 2000u);
  EXPECT_EQ(timetable.CountBefore(5 * kSecond), 2300u);
  EXPECT_EQ(timetable.CountBefore(7 * kSecond), 4300u);
  EXPECT_EQ(timetable.CountBefore(50 * kSecond), 23'000u);
  EXPECT_EQ(timetable.At(2300), 5 * kSecond);
  ExpectConsistent(timetable, 5000);
}

TEST(Timetable, BurstsWithNothingBetween) {
  const Timetable timetable(
      {.pace = Pace::kBurst, .rate = 10, .burst_seconds = 1, .rest_seconds = 9});
  EXPECT_EQ(timetable.CountBefore(1 * kSecond), 10u);
  EXPECT_EQ(timetable.CountBefore(10 * kSecond), 10u);
  EXPECT_EQ(timetable.CountBefore(10 * kSecond + 1), 11u);
  EXPECT_EQ(timetable.CountBefore(100 * kSecond), 100u);
  EXPECT_EQ(timetable.At(10), 10 * kSecond);
}

TEST(ShareOf, DealsOutAllOfIt) {
  for (const int threads : {1, 2, 3, 7, 64}) {
    for (const uint64_t count : {0, 1, 2, 6, 7, 8, 1000}) {
      uint64_t sum = 0;
      for (int thread = 0; thread < threads; ++thread) {
        const uint64_t share = ShareOf(count, thread, threads);
        EXPECT_GE(share, count / static_cast<uint64_t>(threads));
        EXPECT_LE(share, count / static_cast<uint64_t>(threads) + 1);
        sum += share;
      }
      EXPECT_EQ(sum, count);
    }
  }
}

std::vector<uint64_t> TimesOf(PlannedTimes times, size_t most) {
  std::vector<uint64_t> found;
  for (; times.next() != Timetable::kNever && found.size() < most; times.Advance()) {
    found.push_back(times.next());
  }
  return found;
}

TEST(PlannedTimes, ThreadsTakeTurns) {
  const Timetable timetable(Constant(1000));
  std::vector<std::vector<uint64_t>> of_threads;
  for (int thread = 0; thread < 3; ++thread) {
    const PlannedTimes times(Constant(1000), 0, 100, thread, 3);
    EXPECT_EQ(times.RunCountBefore(kSecond), ShareOf(100, thread, 3));
    EXPECT_EQ(times.RunCountBefore(10'000'000), ShareOf(10, thread, 3));
    of_threads.push_back(TimesOf(times, 1000));
    EXPECT_EQ(of_threads.back().size(), ShareOf(100, thread, 3));
  }
  for (uint64_t request = 0; request < 100; ++request) {
    EXPECT_EQ(of_threads[request % 3][request / 3], timetable.At(request));
  }
}

TEST(PlannedTimes, TheWarmupComesOnTop) {
  // 1000 a second from 0 to 10 ms, and then 5 requests.
  const PlannedTimes times(Constant(1000), 10'000'000, 5, 0, 1);
  const std::vector<uint64_t> found = TimesOf(times, 100);
  ASSERT_EQ(found.size(), 15u);
  for (uint64_t request = 0; request < 15; ++request)
    EXPECT_EQ(found[request], request * 1'000'000);
  EXPECT_EQ(times.RunCountBefore(10'000'000), 0u);
  EXPECT_EQ(times.RunCountBefore(10'000'001), 1u);
  EXPECT_EQ(times.RunCountBefore(kSecond), 5u);
}

TEST(PlannedTimes, ARampWaitsAtItsFirstRate) {
  const Schedule ramp = {.pace = Pace::kRamp, .rate = 100, .end_rate = 1000, .seconds = 1};
  const std::vector<uint64_t> found =
      TimesOf(PlannedTimes(ramp, kSecond, Timetable::kNever, 0, 1), 102);
  EXPECT_EQ(found[99], 990'000'000u);
  EXPECT_EQ(found[100], kSecond);
  EXPECT_LT(found[101], kSecond + 10'000'000);
}

TEST(PlannedTimes, ARampFromNothingHasNoWarmup) {
  const Schedule ramp = {.pace = Pace::kRamp, .rate = 0, .end_rate = 1000, .seconds = 1};
  EXPECT_EQ(TimesOf(PlannedTimes(ramp, kSecond, 3, 0, 1), 10).size(), 3u);
  EXPECT_EQ(PlannedTimes(ramp, kSecond, 3, 0, 1).next(), kSecond);
}

TEST(CheckSchedule, RefusesWhatPlansNothing) {
  EXPECT_TRUE(CheckSchedule({}).ok());
  EXPECT_TRUE(CheckSchedule(Constant(0.1)).ok());
  EXPECT_TRUE(CheckSchedule({.pace = Pace::kRecorded}).ok());
  EXPECT_TRUE(CheckSchedule({.pace = Pace::kRamp, .end_rate = 10, .seconds = 1}).ok());
  EXPECT_TRUE(CheckSchedule({.pace = Pace::kBurst, .rate = 10, .burst_seconds = 1}).ok());
  const std::vector<Schedule> refused = {
      Constant(0),
      Constant(-1),
      Constant(std::numeric_limits<double>::infinity()),
      {.pace = Pace::kRamp, .seconds = 1},
      {.pace = Pace::kRamp, .rate = 10, .end_rate = 20},
      {.pace = Pace::kRamp, .rate = 10, .end_rate = -20, .seconds = 1},
      {.pace = Pace::kBurst, .rate = 10},
      {.pace = Pace::kBurst, .rate = 10, .burst_seconds = 1, .rest_seconds = -1},
      {.pace = Pace::kRecorded, .speed = 0}};
  for (const Schedule& schedule : refused) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckSchedule(schedule)));
  }
}

}  // namespace
}  // namespace bench::remote
