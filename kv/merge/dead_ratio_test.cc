// What DeadRatioMerge and ManualMerge choose, from values.
#include "kv/merge/dead_ratio.h"

#include <optional>
#include <vector>

#include "gtest/gtest.h"
#include "kv/merge/concept.h"
#include "kv/merge/manual.h"

namespace kv {
namespace {

constexpr uint64_t kTarget = 1'000;

struct Dead {
  uint64_t bytes;
  uint64_t dead;
};

std::vector<SegmentShape> Segments(const std::vector<Dead>& each) {
  std::vector<SegmentShape> segments;
  for (const Dead& one : each) {
    segments.push_back(
        {.number = segments.size() + 1, .bytes = one.bytes, .dead_bytes = one.dead, .entries = 1});
  }
  return segments;
}

std::optional<MergeChoice> Choose(const std::vector<Dead>& each) {
  const auto segments = Segments(each);
  return DeadRatioMerge<>::Choose({.segments = segments, .target_bytes = kTarget});
}

double Debt(const std::vector<Dead>& each) {
  const auto segments = Segments(each);
  return DeadRatioMerge<>::WriteStallDebt({.segments = segments, .target_bytes = kTarget});
}

using Choice = std::optional<MergeChoice>;

TEST(DeadRatioMergeTest, WaitsForHalfOfASegment) {
  EXPECT_EQ(Choose({}), std::nullopt);
  EXPECT_EQ(Choose({{1'000, 0}, {1'000, 499}}), std::nullopt);
  EXPECT_EQ(Choose({{1'000, 0}, {1'000, 500}}), (Choice({.first = 1, .count = 1})));
}

TEST(DeadRatioMergeTest, TakesTheWorst) {
  EXPECT_EQ(Choose({{1'000, 600}, {1'000, 0}, {1'000, 900}, {1'000, 0}, {1'000, 700}}),
            (Choice({.first = 2, .count = 1})));
  // By share, not by bytes.
  EXPECT_EQ(Choose({{1'000, 600}, {1'000, 0}, {600, 500}}), (Choice({.first = 2, .count = 1})));
}

TEST(DeadRatioMergeTest, TakesNeighboursThatGainAsLongAsTheyFit) {
  // 100 + 400 + 500 live bytes fit; the 700 of the last do not.
  EXPECT_EQ(Choose({{1'000, 600}, {1'000, 900}, {1'000, 500}, {1'000, 300}}),
            (Choice({.first = 0, .count = 3})));
  // A neighbour in which little is dead is left alone, unless it is small.
  EXPECT_EQ(Choose({{800, 100}, {1'000, 900}, {200, 0}}), (Choice({.first = 1, .count = 2})));
}

TEST(DeadRatioMergeTest, PutsSmallSegmentsTogether) {
  std::vector<Dead> each(7, {10, 0});
  EXPECT_EQ(Choose(each), std::nullopt);
  each.push_back({10, 0});
  EXPECT_EQ(Choose(each), (Choice({.first = 0, .count = 8})));
  each.insert(each.begin() + 4, {900, 0});
  EXPECT_EQ(Choose(each), std::nullopt) << "not side by side";
}

TEST(DeadRatioMergeTest, DebtBeginsAfterTheSlackAndEndsAtOne) {
  EXPECT_EQ(Debt({}), 0);
  EXPECT_EQ(Debt({{1'000, 1'000}}), 0) << "within the slack";
  EXPECT_EQ(Debt(std::vector<Dead>(100, {1'000, 500})), 0);
  EXPECT_EQ(Debt(std::vector<Dead>(100, {1'000, 540})), 0);
  const double some = Debt(std::vector<Dead>(100, {1'000, 600}));
  EXPECT_GT(some, 0);
  EXPECT_LT(some, 0.5);
  EXPECT_EQ(Debt(std::vector<Dead>(100, {1'000, 900})), 1);
}

TEST(ManualMergeTest, TakesWhatHasSomethingDeadOldestFirstAndNothingNew) {
  auto segments = Segments({{1'000, 0}, {1'000, 400}, {1'000, 700}, {1'000, 0}, {1'000, 1}});
  const auto choose = [&](uint64_t before) {
    return ManualMerge({.segments = segments, .target_bytes = kTarget}, before);
  };
  EXPECT_EQ(choose(100), (Choice({.first = 1, .count = 2})));
  segments[1].number = segments[2].number = 200;
  EXPECT_EQ(choose(100), (Choice({.first = 4, .count = 1})));
  segments[4].dead_bytes = 0;
  EXPECT_EQ(choose(100), std::nullopt);
}

}  // namespace
}  // namespace kv
