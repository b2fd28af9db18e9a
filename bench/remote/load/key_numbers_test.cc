#include "bench/remote/load/key_numbers.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace bench::remote {
namespace {

LoadPlan PlanOf(const KeyDistribution& distribution, uint64_t keys, int threads = 1) {
  LoadPlan plan;
  plan.keys = keys;
  plan.distribution = distribution;
  plan.threads = threads;
  plan.next_record = std::make_shared<std::atomic<uint64_t>>(keys);
  return plan;
}

std::vector<int> CountsOf(const LoadPlan& plan, int draws) {
  KeyNumbers numbers(plan, 0);
  Random random(5);
  std::vector<int> counts(plan.keys);
  for (int i = 0; i < draws; ++i) {
    const uint64_t number = numbers.Present(random);
    EXPECT_LT(number, plan.keys);
    ++counts[number];
  }
  return counts;
}

// Pearson's statistic over equal shares.
double ChiSquare(const std::vector<int>& counts) {
  double total = 0;
  for (const int count : counts) total += count;
  const double expected = total / static_cast<double>(counts.size());
  double sum = 0;
  for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

TEST(KeyNumbers, UniformIsUniform) {
  const double chi_square = ChiSquare(CountsOf(PlanOf({}, 1000), 200'000));
  // 999 degrees of freedom: mean 999, standard deviation 45.
  EXPECT_GT(chi_square, 999 - 5 * 45);
  EXPECT_LT(chi_square, 999 + 5 * 45);
}

TEST(KeyNumbers, AHotSetGetsItsShare) {
  const LoadPlan plan =
      PlanOf({.pattern = KeyPattern::kHot, .hot_keys = 0.1, .hot_requests = 0.9}, 100);
  const std::vector<int> counts = CountsOf(plan, 100'000);
  for (int key = 0; key < 100; ++key) {
    EXPECT_NEAR(counts[key], key < 10 ? 9000 : 111, key < 10 ? 500 : 60) << key;
  }
}

TEST(KeyNumbers, AHotSetOfAllKeysIsUniform) {
  const LoadPlan plan =
      PlanOf({.pattern = KeyPattern::kHot, .hot_keys = 1, .hot_requests = 0.5}, 10);
  for (const int count : CountsOf(plan, 100'000)) EXPECT_NEAR(count, 10'000, 500);
}

TEST(KeyNumbers, ZipfIsSpreadOverTheKeys) {
  const LoadPlan plan = PlanOf({.pattern = KeyPattern::kZipf, .theta = 0.99}, 1000);
  std::vector<int> counts = CountsOf(plan, 400'000);
  const std::vector<int> by_key = counts;
  std::sort(counts.rbegin(), counts.rend());
  const double zeta = Zeta(1000, 0.99);
  EXPECT_NEAR(counts[0] / (400'000 / zeta), 1, 0.03);
  EXPECT_NEAR(counts[1] / (400'000 / zeta / std::pow(2, 0.99)), 1, 0.03);
  // The likeliest keys are not the first ones.
  int first_ten = 0;
  for (int key = 0; key < 10; ++key) first_ten += by_key[key];
  EXPECT_LT(first_ten, 100'000);
}

TEST(KeyNumbers, YcsbsZipfianIsOverItsItemsAndHashed) {
  const LoadPlan plan = PlanOf({.pattern = KeyPattern::kYcsbZipf}, 1000);
  const std::vector<int> counts = CountsOf(plan, 400'000);
  // Rank 0 of 10^10 items has 1 part in zeta = 26.469; other ranks fall on its key as well.
  const int first = counts[YcsbHash(0) % 1000];
  EXPECT_GT(first, 400'000 / 26.47 * 0.97);
  EXPECT_EQ(first, *std::max_element(counts.begin(), counts.end()));
}

TEST(KeyNumbers, ThreadsShareASequence) {
  const LoadPlan plan = PlanOf({.pattern = KeyPattern::kSequential}, 99, 3);
  Random random(6);
  std::set<uint64_t> seen;
  for (int thread = 0; thread < 3; ++thread) {
    KeyNumbers numbers(plan, thread);
    for (int i = 0; i < 33; ++i) {
      const uint64_t number = numbers.Present(random);
      EXPECT_EQ(number, static_cast<uint64_t>(thread + 3 * i));
      seen.insert(number);
    }
    EXPECT_EQ(numbers.Present(random), static_cast<uint64_t>(thread));
  }
  EXPECT_EQ(seen.size(), 99u);
}

TEST(KeyNumbers, LatestFollowsTheInsertsAtADistance) {
  const LoadPlan plan = PlanOf({.pattern = KeyPattern::kLatest}, 1000);
  KeyNumbers numbers(plan, 0);
  Random random(7);
  std::vector<int> counts(1000);
  for (int i = 0; i < 100'000; ++i) ++counts[numbers.Present(random)];
  EXPECT_EQ(counts[999], *std::max_element(counts.begin(), counts.end()));
  for (uint64_t expected = 1000; expected < 1500; ++expected) {
    EXPECT_EQ(numbers.Insert(), expected);
  }
  // All of these may be on their way.
  EXPECT_EQ(numbers.Settled(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(numbers.Present(random), 1000u);
  for (int i = 0; i < 5000; ++i) numbers.Insert();
  EXPECT_GT(numbers.Settled(), 5000u);
  EXPECT_LT(numbers.Settled(), 6500u);
  uint64_t newest = 0;
  for (int i = 0; i < 1000; ++i) newest = std::max(newest, numbers.Present(random));
  EXPECT_EQ(newest, numbers.Settled() - 1);
}

TEST(KeyNumbers, MissingKeysAreNeverPresentOnes) {
  const LoadPlan plan = PlanOf({}, 10);
  const KeyNumbers numbers(plan, 0);
  Random random(8);
  for (int i = 0; i < 1000; ++i) EXPECT_GE(numbers.Missing(random), kMissingKeys);
}

}  // namespace
}  // namespace bench::remote
