#include "kv/testing/random.h"

#include "gtest/gtest.h"

namespace kv::testing {
namespace {

// The figures are those of the authors' C code for this seed: a seed in an old report still means
// the same run.
TEST(RandomTest, IsSplitMix64) {
  Random random(1234567);
  EXPECT_EQ(random.Next(), 6457827717110365317u);
  EXPECT_EQ(random.Next(), 3203168211198807973u);
  EXPECT_EQ(random.Next(), 9817491932198370423u);
}

TEST(RandomTest, StaysBelowTheLimitAndReachesAllOfIt) {
  Random random(1);
  int seen[5] = {};
  for (int i = 0; i < 1000; ++i) {
    const uint64_t number = random.Below(5);
    ASSERT_LT(number, 5u);
    ++seen[number];
  }
  for (const int count : seen) EXPECT_GT(count, 0);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(random.OneIn(1));
}

TEST(RandomTest, BytesHaveTheSizeAskedFor) {
  Random random(1);
  for (size_t size = 0; size < 20; ++size) EXPECT_EQ(random.Bytes(size).size(), size);
  EXPECT_NE(random.Bytes(16), random.Bytes(16));
}

}  // namespace
}  // namespace kv::testing
