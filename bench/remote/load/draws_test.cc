#include "bench/remote/load/draws.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "bench/random.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

constexpr int kDraws = 400'000;

// Five standard deviations of a count: less than one in a million runs would be beyond, and with a
// fixed seed there is only one run.
double Tolerance(double share) { return 5 * std::sqrt(kDraws * share * (1 - share)) + 1; }

void ExpectShares(const std::vector<double>& weights) {
  const WeightedDraw draw(weights);
  Random random(1);
  double total = 0;
  for (const double weight : weights) total += weight;
  std::vector<int> counts(weights.size());
  for (int i = 0; i < kDraws; ++i) ++counts[draw(random)];
  for (size_t i = 0; i < weights.size(); ++i) {
    const double share = weights[i] / total;
    EXPECT_NEAR(counts[i], kDraws * share, Tolerance(share)) << i << " of " << weights.size();
    if (weights[i] == 0) {
      EXPECT_EQ(counts[i], 0);
    }
  }
}

TEST(WeightedDraw, DrawsInProportion) {
  ExpectShares({1});
  ExpectShares({1, 1});
  ExpectShares({0.8, 0.2});
  ExpectShares({1, 10});
  ExpectShares({0, 1, 0});
  ExpectShares({3, 0.001, 1, 7, 0, 2, 2});
  ExpectShares(std::vector<double>(27, 0.37));
}

TEST(RangeDraw, IsUniformWithinARange) {
  const RangeDraw draw({{10, 19}});
  Random random(2);
  std::vector<int> counts(10);
  for (int i = 0; i < kDraws; ++i) {
    const uint32_t number = draw(random);
    ASSERT_GE(number, 10u);
    ASSERT_LE(number, 19u);
    ++counts[number - 10];
  }
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 10.0, Tolerance(0.1));
}

TEST(RangeDraw, HasTheWeightsOfItsRanges) {
  const RangeDraw draw({{100, 100, 3}, {1000, 2000, 1}, {0, 4294967295, 0}});
  Random random(3);
  int small = 0;
  for (int i = 0; i < kDraws; ++i) {
    const uint32_t number = draw(random);
    ASSERT_TRUE(number == 100 || (number >= 1000 && number <= 2000)) << number;
    small += number == 100 ? 1 : 0;
  }
  EXPECT_NEAR(small, kDraws * 0.75, Tolerance(0.75));
}

TEST(RangeDraw, ReachesBothEndsOfTheWidestRange) {
  const RangeDraw draw({{0, 4294967295}});
  Random random(4);
  uint32_t lowest = ~uint32_t{0};
  uint32_t highest = 0;
  for (int i = 0; i < kDraws; ++i) {
    const uint32_t number = draw(random);
    lowest = std::min(lowest, number);
    highest = std::max(highest, number);
  }
  EXPECT_LT(lowest, 200'000u);
  EXPECT_GT(highest, 4294967295u - 200'000u);
}

}  // namespace
}  // namespace bench::remote
