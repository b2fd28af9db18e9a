#include "bench/remote_watch/recovery.h"

#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace bench::remote_watch {
namespace {

// What the keys hold after the first `count` writes, by writing them.
std::vector<uint64_t> After(uint64_t count, size_t keys) {
  std::vector<uint64_t> found(keys);
  for (uint64_t n = 1; n <= count; ++n) found[n % keys] = n;
  return found;
}

TEST(LastWrite, IsWhatWritingThemGives) {
  for (size_t keys : {1, 2, 3, 7}) {
    for (uint64_t count = 0; count < 30; ++count) {
      const auto found = After(count, keys);
      for (uint64_t key = 0; key < keys; ++key) {
        EXPECT_EQ(LastWriteTo(key, keys, count), found[key]) << key << " " << keys << " " << count;
      }
    }
  }
}

TEST(Recovery, OfEverything) {
  const Recovered all = JudgeRecovery(After(25, 10), 25);
  EXPECT_EQ(all.newest, 25u);
  EXPECT_EQ(all.lost, 0u);
  EXPECT_EQ(all.oldest_lost, 0u);
}

// More is there than was acknowledged: the answers were under way when it was killed.
TEST(Recovery, OfMoreThanWasAcknowledged) {
  const Recovered more = JudgeRecovery(After(28, 10), 25);
  EXPECT_EQ(more.newest, 28u);
  EXPECT_EQ(more.lost, 0u);
}

TEST(Recovery, OfAPart) {
  const Recovered part = JudgeRecovery(After(25, 10), 31);
  EXPECT_EQ(part.newest, 25u);
  EXPECT_EQ(part.lost, 6u);
  EXPECT_EQ(part.holes, 0u);
  EXPECT_EQ(part.oldest_lost, 26u);
}

TEST(Recovery, OfNothing) {
  const Recovered nothing = JudgeRecovery(std::vector<uint64_t>(10), 31);
  EXPECT_EQ(nothing.newest, 0u);
  EXPECT_EQ(nothing.lost, 31u);
  EXPECT_EQ(nothing.oldest_lost, 1u);
}

TEST(Recovery, HolesAreLosses) {
  std::vector<uint64_t> found = After(25, 10);
  found[4] = 14;  // 24 is gone
  found[7] = 0;   // 17 is gone, and what stood there before
  const Recovered holes = JudgeRecovery(found, 27);
  EXPECT_EQ(holes.newest, 25u);
  EXPECT_EQ(holes.holes, 2u);
  EXPECT_EQ(holes.lost, 4u);
  EXPECT_EQ(holes.oldest_lost, 17u);
  // A hole that was never acknowledged is no loss.
  EXPECT_EQ(JudgeRecovery(found, 20).lost, 1u);
}

TEST(Recovery, OfRandomStates) {
  std::minstd_rand random(1);
  for (int i = 0; i < 1000; ++i) {
    const size_t keys = 1 + random() % 12;
    const uint64_t kept = random() % 40;
    const uint64_t acknowledged = random() % 40;
    const Recovered recovered = JudgeRecovery(After(kept, keys), acknowledged);
    EXPECT_EQ(recovered.newest, kept);
    EXPECT_EQ(recovered.lost, acknowledged > kept ? acknowledged - kept : 0);
    EXPECT_EQ(recovered.holes, 0u);
  }
}

}  // namespace
}  // namespace bench::remote_watch
