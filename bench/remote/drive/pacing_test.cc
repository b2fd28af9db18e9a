#include "bench/remote/drive/pacing.h"

#include <chrono>
#include <optional>
#include <thread>

#include "clients/deadline.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr clients::Nanoseconds kAtOnce{0};

// At times that the tests make up; no clock is looked at.
class PacingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "one processor";
    pacing_.Begin(now_);
    pacing_.BeginWait(now_);
  }
  // A reply comes `after` the wait for it began.
  void Reply(microseconds after, bool elsewhere = true) {
    now_ += after;
    pacing_.EndWait(elsewhere, now_);
  }
  bool IsAwake(size_t outstanding, microseconds later = microseconds(0)) const {
    return pacing_.WaitFor(std::nullopt, outstanding, now_ + later) == kAtOnce;
  }

  const DrivePlan plan_;
  Pacing pacing_{plan_, 0};
  clients::Deadline now_{std::chrono::hours(1)};
};

TEST_F(PacingTest, StaysAwakeForAReplyThatMayComeAnyMoment) {
  EXPECT_FALSE(IsAwake(1)) << "nobody knows yet how long replies take";
  Reply(microseconds(20));
  EXPECT_TRUE(IsAwake(1));
  EXPECT_TRUE(IsAwake(16, microseconds(49)));
}

TEST_F(PacingTest, GoesToSleepBehindTheTimeInWhichItMayCome) {
  Reply(microseconds(20));
  EXPECT_FALSE(IsAwake(1, microseconds(50)));
  Reply(microseconds(1000));
  EXPECT_FALSE(IsAwake(1)) << "replies take too long";
  Reply(microseconds(80));
  EXPECT_TRUE(IsAwake(1)) << "and now they do not";
}

TEST_F(PacingTest, SleepsWhereRequestsWaitForEachOther) {
  Reply(microseconds(20));
  EXPECT_FALSE(IsAwake(17));
  EXPECT_FALSE(IsAwake(0)) << "no reply is to come";
}

TEST_F(PacingTest, SleepsWhereTheServerMayNeedThisProcessor) {
  Reply(microseconds(20), false);
  EXPECT_FALSE(IsAwake(1));
}

TEST_F(PacingTest, SleepsWhereThreadsTakeAllProcessors) {
  DrivePlan plan;
  plan.threads = static_cast<int>(std::thread::hardware_concurrency());
  Pacing pacing(plan, 0);
  pacing.BeginWait(now_);
  pacing.EndWait(true, now_);
  EXPECT_GT(pacing.WaitFor(std::nullopt, 1, now_), kAtOnce);
}

TEST_F(PacingTest, ThePlannedTimeEndsTheWaitInTime) {
  EXPECT_EQ(pacing_.WaitFor(now_ + milliseconds(2), 1, now_), microseconds(1950));
  EXPECT_EQ(pacing_.WaitFor(now_ + microseconds(40), 0, now_), kAtOnce);
  Reply(microseconds(20));
  EXPECT_EQ(pacing_.WaitFor(now_ + milliseconds(2), 1, now_), kAtOnce);
  EXPECT_EQ(pacing_.WaitFor(now_ + milliseconds(2), 0, now_), microseconds(1950));
}

}  // namespace
}  // namespace bench::remote
