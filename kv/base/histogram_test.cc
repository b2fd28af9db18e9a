#include "kv/base/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace kv {
namespace {

constexpr double kPercents[] = {0, 1, 10, 50, 90, 99, 99.9, 99.99, 100};

// The nearest-rank percentile of sorted values: the definition Percentile() is held to.
uint64_t ExactPercentile(const std::vector<uint64_t>& sorted, double percent) {
  const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()));
  return sorted[static_cast<size_t>(std::max(rank, 1.0)) - 1];
}

void ExpectThreeDigits(const Histogram& histogram, std::vector<uint64_t> values) {
  std::sort(values.begin(), values.end());
  ASSERT_EQ(histogram.Count(), values.size());
  EXPECT_EQ(histogram.Min(), values.front());
  EXPECT_EQ(histogram.Max(), values.back());
  for (const double percent : kPercents) {
    const auto exact = static_cast<double>(ExactPercentile(values, percent));
    const auto got = static_cast<double>(histogram.Percentile(percent));
    EXPECT_LE(std::abs(got - exact), exact * 0.001) << "p" << percent << " of " << values.size();
  }
}

TEST(Histogram, EmptyAnswersZero) {
  const auto histogram = std::make_unique<Histogram>();
  EXPECT_EQ(histogram->Count(), 0u);
  EXPECT_EQ(histogram->Min(), 0u);
  EXPECT_EQ(histogram->Max(), 0u);
  EXPECT_EQ(histogram->Mean(), 0);
  EXPECT_EQ(histogram->Percentile(99), 0u);
}

TEST(Histogram, SmallValuesAreExact) {
  const auto histogram = std::make_unique<Histogram>();
  for (uint64_t nanos = 0; nanos < 1024; ++nanos) histogram->Record(nanos);
  for (uint64_t nanos = 0; nanos < 1024; ++nanos) {
    EXPECT_EQ(histogram->Percentile(100.0 * static_cast<double>(nanos + 1) / 1024), nanos);
  }
}

TEST(Histogram, EveryOctaveKeepsThreeDigitsAtItsEdges) {
  for (unsigned bit = 1; bit < 42; ++bit) {
    for (const uint64_t nanos :
         {(uint64_t{1} << bit) - 1, uint64_t{1} << bit, (uint64_t{1} << bit) + 1}) {
      if (nanos > Histogram::kMaxNanos) continue;
      const auto histogram = std::make_unique<Histogram>();
      // A smaller and a larger companion keep the answer from being clamped to an exact end.
      histogram->Record(0);
      histogram->Record(nanos);
      histogram->Record(Histogram::kMaxNanos);
      const double error =
          std::abs(static_cast<double>(histogram->Percentile(50)) - static_cast<double>(nanos));
      EXPECT_LE(error, static_cast<double>(nanos) / 1000) << nanos;
    }
  }
}

TEST(Histogram, AgreesWithASortOverManyShapes) {
  std::mt19937_64 random(42);
  std::lognormal_distribution<double> log_normal(8, 3);
  for (const int count : {1, 2, 10, 1000, 100'000}) {
    const auto histogram = std::make_unique<Histogram>();
    std::vector<uint64_t> values;
    for (int i = 0; i < count; ++i) {
      values.push_back(
          std::min(Histogram::kMaxNanos, static_cast<uint64_t>(log_normal(random)) + 1));
      histogram->Record(values.back());
    }
    ExpectThreeDigits(*histogram, values);
  }
}

TEST(Histogram, MergeEqualsRecordingInOne) {
  std::mt19937_64 random(7);
  const auto merged = std::make_unique<Histogram>();
  std::vector<uint64_t> values;
  for (int part = 0; part < 4; ++part) {
    const auto histogram = std::make_unique<Histogram>();
    for (int i = 0; i < 5000; ++i) {
      values.push_back(random() % 1'000'000'000);
      histogram->Record(values.back());
    }
    merged->Merge(*histogram);
  }
  ExpectThreeDigits(*merged, values);
}

TEST(Histogram, WeightCountsAValueManyTimes) {
  const auto histogram = std::make_unique<Histogram>();
  histogram->Record(100, 16);
  histogram->Record(1000);
  EXPECT_EQ(histogram->Count(), 17u);
  EXPECT_EQ(histogram->Percentile(90), 100u);
  EXPECT_NEAR(histogram->Mean(), 2600.0 / 17, 1e-9);
}

TEST(Histogram, ValuesOverAnHourAreCountedAndTheMaximumIsExact) {
  const auto histogram = std::make_unique<Histogram>();
  histogram->Record(Histogram::kMaxNanos);
  EXPECT_EQ(histogram->Overflow(), 0u);
  histogram->Record(Histogram::kMaxNanos * 5);
  EXPECT_EQ(histogram->Overflow(), 1u);
  EXPECT_EQ(histogram->Max(), Histogram::kMaxNanos * 5);
  EXPECT_EQ(histogram->Percentile(100), Histogram::kMaxNanos * 5);
}

TEST(Histogram, ForEachVisitsEveryBucketInOrder) {
  const auto histogram = std::make_unique<Histogram>();
  histogram->ForEach([](uint64_t, uint64_t) { FAIL(); });
  histogram->Record(1'000'000, 3);
  histogram->Record(0);
  histogram->Record(7, 2);
  std::vector<uint64_t> middles;
  uint64_t count = 0;
  histogram->ForEach([&](uint64_t middle, uint64_t counted) {
    middles.push_back(middle);
    count += counted;
  });
  ASSERT_EQ(middles.size(), 3u);
  EXPECT_EQ(middles[0], 0u);
  EXPECT_EQ(middles[1], 7u);
  EXPECT_NEAR(static_cast<double>(middles[2]), 1e6, 1e3);
  EXPECT_EQ(count, histogram->Count());
}

}  // namespace
}  // namespace kv
