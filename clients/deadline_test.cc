#include "clients/deadline.h"

#include <unistd.h>

#include <array>
#include <chrono>

#include "gtest/gtest.h"

namespace clients {
namespace {

TEST(Deadline, IsCutBeforeItOverflows) {
  EXPECT_GT(After(Nanoseconds::max()), Now() + std::chrono::hours(1000));
  EXPECT_FALSE(IsOver(After(Nanoseconds::max())));
  EXPECT_GT(PollMillis(After(Nanoseconds::max())), 0);
}

TEST(Deadline, LeavesNothingOnceItIsOver) {
  EXPECT_TRUE(IsOver(After(Nanoseconds(0))));
  EXPECT_EQ(PollMillis(Now() - std::chrono::hours(1)), 0);
  EXPECT_EQ(PollMillis(After(std::chrono::hours(1000000))), 2147483647);
}

TEST(Deadline, EndsAPoll) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  EXPECT_FALSE(PollUntil(ends[0], POLLIN, After(std::chrono::milliseconds(5))));
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  EXPECT_TRUE(PollUntil(ends[0], POLLIN, After(std::chrono::hours(1))));
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace clients
