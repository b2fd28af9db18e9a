#include "bench/remote/drive/tally.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using clients::Deadline;
using clients::Nanoseconds;
using std::chrono::milliseconds;

const Deadline kBegin = Deadline() + std::chrono::hours(1);

TEST(IntervalBuckets, ArePreciseToAPercent) {
  IntervalBuckets buckets;
  for (uint64_t nanos = 1; nanos < kv::Histogram::kMaxNanos; nanos = nanos * 5 / 4 + 1) {
    buckets.Record(nanos);
    const IntervalBuckets::Packed packed = buckets.Pack();
    ASSERT_EQ(packed.size(), 1u);
    const auto found = static_cast<double>(IntervalBuckets::Percentile(packed, 50));
    EXPECT_NEAR(found, static_cast<double>(nanos), static_cast<double>(nanos) / 100);
  }
  EXPECT_TRUE(buckets.Pack().empty());
  buckets.Record(kv::Histogram::kMaxNanos * 2);
  EXPECT_EQ(buckets.Pack().size(), 1u);
}

TEST(IntervalBuckets, Percentiles) {
  IntervalBuckets buckets;
  for (uint64_t nanos = 1; nanos <= 100; ++nanos) buckets.Record(nanos);
  const IntervalBuckets::Packed packed = buckets.Pack();
  EXPECT_EQ(IntervalBuckets::Percentile(packed, 50), 50u);
  EXPECT_EQ(IntervalBuckets::Percentile(packed, 99), 99u);
  EXPECT_EQ(IntervalBuckets::Percentile(packed, 100), 100u);
  EXPECT_EQ(IntervalBuckets::Percentile(packed, 0), 1u);
  EXPECT_EQ(IntervalBuckets::Percentile({}, 50), 0u);
}

class Tallies : public ::testing::Test {
 protected:
  Tallies() : first_(2, milliseconds(100)), second_(2, milliseconds(100)) {
    first_.tally.Begin(kBegin);
    second_.tally.Begin(kBegin);
  }

  absl::StatusOr<DriveResult> Merge() {
    first_.tally.Finish();
    second_.tally.Finish();
    const std::vector<ThreadResult*> threads = {&first_, &second_};
    return MergeResults(threads, {"GET", "SET"}, kBegin, 0.1);
  }

  static void Answer(ThreadResult& thread, uint16_t operation, int at_millis, Outcome outcome) {
    const Deadline at = kBegin + milliseconds(at_millis);
    thread.tally.Answered(operation, outcome, at - milliseconds(1), at);
  }

  ThreadResult first_;
  ThreadResult second_;
};

TEST_F(Tallies, AreMerged) {
  Answer(first_, 0, 10, Outcome::kHit);
  Answer(first_, 0, 20, Outcome::kMiss);
  Answer(second_, 1, 30, Outcome::kDone);
  Answer(second_, 1, 40, Outcome::kWrongReply);
  second_.tally.Error(1, "OOM out of memory", kBegin, kBegin + milliseconds(50));
  second_.tally.Error(1, "OOM", kBegin, kBegin + milliseconds(60));
  first_.tally.Error(1, "OOM", kBegin, kBegin + milliseconds(60));
  first_.tally.Lost(0, kBegin + milliseconds(70));
  first_.tally.LostConnection("gone");
  second_.tally.LostConnection("gone");
  first_.cpu_seconds = 0.5;
  first_.wall_seconds = 1;
  second_.cpu_seconds = 0.2;
  second_.wall_seconds = 1;
  first_.worst_slip_nanos = 5;
  second_.worst_slip_nanos = 7;
  first_.planned = 3;
  second_.planned = 4;
  const auto result = Merge();
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->operations.size(), 2u);
  const OperationResult& get = result->operations[0];
  EXPECT_EQ(get.name, "GET");
  EXPECT_EQ(get.answered, 2u);
  EXPECT_EQ(get.hits, 1u);
  EXPECT_EQ(get.misses, 1u);
  EXPECT_EQ(get.lost, 1u);
  EXPECT_EQ(get.latency->Count(), 2u);
  EXPECT_EQ(get.latency->Max(), 1'000'000u);
  const OperationResult& set = result->operations[1];
  EXPECT_EQ(set.answered, 5u);
  EXPECT_EQ(set.errors, 3u);
  EXPECT_EQ(set.wrong_replies, 1u);
  EXPECT_EQ(result->error_words.at("OOM"), 3u);
  EXPECT_EQ(result->lost_reasons.at("gone"), 2u);
  EXPECT_EQ(result->threads, 2);
  EXPECT_DOUBLE_EQ(result->cpu_seconds, 0.7);
  EXPECT_DOUBLE_EQ(result->busiest_thread_share, 0.5);
  EXPECT_EQ(result->worst_slip_nanos, 7u);
  EXPECT_EQ(result->planned, 7u);
  EXPECT_DOUBLE_EQ(result->seconds, 0.06);
  ASSERT_EQ(result->intervals.size(), 1u);
  EXPECT_EQ(result->intervals[0].answered, 7u);
  EXPECT_EQ(result->intervals[0].errors, 5u);
  EXPECT_EQ(result->intervals[0].max_nanos, 60'000'000u);
}

TEST_F(Tallies, IntervalsMeetByTheirNumbers) {
  Answer(first_, 0, 50, Outcome::kDone);
  Answer(first_, 0, 350, Outcome::kDone);  // nothing in the second and third
  Answer(second_, 0, 150, Outcome::kDone);
  Answer(second_, 0, 160, Outcome::kDone);
  Answer(second_, 0, 399, Outcome::kDone);
  const auto result = Merge();
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->intervals.size(), 4u);
  const std::vector<uint64_t> answered = {1, 2, 0, 2};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(result->intervals[i].answered, answered[i]) << i;
    EXPECT_DOUBLE_EQ(result->intervals[i].begin_seconds, 0.1 * static_cast<double>(i));
  }
  EXPECT_EQ(result->intervals[0].p99_nanos, 1'000'000u);
  EXPECT_EQ(result->intervals[2].p99_nanos, 0u);
  EXPECT_NEAR(result->intervals[3].seconds, 0.099, 1e-12);
}

TEST_F(Tallies, AShortRestJoinsTheIntervalBefore) {
  Answer(first_, 0, 199, Outcome::kDone);
  Answer(first_, 0, 205, Outcome::kDone);
  const auto result = Merge();
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->intervals.size(), 2u);
  EXPECT_EQ(result->intervals[1].answered, 2u);
  EXPECT_NEAR(result->intervals[1].seconds, 0.105, 1e-12);
}

TEST_F(Tallies, OfARunWithoutReplies) {
  first_.tally.Lost(1, kBegin + std::chrono::seconds(1));
  const auto result = Merge();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->seconds, 0);
  ASSERT_EQ(result->intervals.size(), 1u);
  EXPECT_EQ(result->intervals[0].errors, 1u);
}

TEST_F(Tallies, AFailureIsTheResult) {
  second_.failure = absl::UnavailableError("gone");
  EXPECT_TRUE(absl::IsUnavailable(Merge().status()));
}

TEST_F(Tallies, AWordOfNoEndIsCut) {
  first_.tally.Error(0, std::string(1000, 'x'), kBegin, kBegin);
  const auto result = Merge();
  ASSERT_TRUE(result.ok());
  EXPECT_LT(result->error_words.begin()->first.size(), 60u);
}

}  // namespace
}  // namespace bench::remote
