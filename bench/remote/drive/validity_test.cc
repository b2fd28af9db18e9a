#include "bench/remote/drive/validity.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/base/histogram.h"

namespace bench::remote {
namespace {

DrivePlan Closed() { return {}; }
DrivePlan Open() { return {.schedule = {.pace = Pace::kConstant, .rate = 1000}}; }

// A run without fault.
DriveResult Good() {
  DriveResult result;
  result.seconds = 10;
  result.planned = 10'000;
  result.busiest_thread_share = 0.4;
  OperationResult get;
  get.name = "GET";
  get.answered = 9000;
  get.hits = 8100;
  get.misses = 900;
  result.operations.push_back(std::move(get));
  OperationResult set;
  set.name = "SET";
  set.answered = 1000;
  result.operations.push_back(std::move(set));
  return result;
}

// The one reason has all these parts.
void ExpectReason(const std::vector<std::string>& reasons,
                  const std::vector<std::string_view>& parts) {
  ASSERT_EQ(reasons.size(), 1u);
  for (const std::string_view part : parts) {
    EXPECT_NE(reasons[0].find(part), std::string::npos) << reasons[0] << " lacks " << part;
  }
}

TEST(Validity, OfARunWithoutFault) {
  EXPECT_TRUE(WhyInvalid(Closed(), Good(), {}).empty());
  EXPECT_TRUE(WhyInvalid(Open(), Good(), {}).empty());
  EXPECT_TRUE(WhyInvalid(Open(), Good(), {.hit_ratio = 0.9}).empty());
}

TEST(Validity, NothingAnswered) {
  DriveResult result;
  result.operations.emplace_back();
  ExpectReason(WhyInvalid(Closed(), result, {.hit_ratio = 0.9}), {"nothing was answered", "limit"});
  ExpectReason(WhyInvalid(Closed(), DriveResult(), {}), {"nothing was answered"});
}

TEST(Validity, ABusyGenerator) {
  DriveResult result = Good();
  result.busiest_thread_share = 0.97;
  ExpectReason(WhyInvalid(Open(), result, {}), {"CPU-bound", "97.0 %", "limit 95 %"});
  // With a plan to keep, a busy server is no excuse.
  ExpectReason(WhyInvalid(Open(), result, {.server_cpu_share = 0.99}), {"CPU-bound"});
  ExpectReason(WhyInvalid(Closed(), result, {}), {"CPU-bound", "not known"});
  ExpectReason(WhyInvalid(Closed(), result, {.server_cpu_share = 0.6}), {"CPU-bound", "60.0 %"});
  EXPECT_TRUE(WhyInvalid(Closed(), result, {.server_cpu_share = 0.96}).empty());
  result.busiest_thread_share = 0.95;
  EXPECT_TRUE(WhyInvalid(Open(), result, {}).empty());
}

TEST(Validity, RequestsSentLate) {
  DriveResult result = Good();
  result.sent_late = 10;
  EXPECT_TRUE(WhyInvalid(Open(), result, {}).empty());
  result.sent_late = 11;
  result.worst_slip_nanos = 2'500'000;
  ExpectReason(WhyInvalid(Open(), result, {}), {"slipped", "11 of 10000", "0.1 %", "2.5 ms"});
  EXPECT_TRUE(WhyInvalid(Closed(), result, {}).empty());
}

TEST(Validity, RequestsNeverSent) {
  DriveResult result = Good();
  result.planned = 10'001;
  ExpectReason(WhyInvalid(Open(), result, {}), {"1 of 10001", "never sent", "limit 0"});
  EXPECT_TRUE(WhyInvalid(Closed(), result, {}).empty());
  // What was lost was sent.
  result.operations[0].lost = 1;
  EXPECT_TRUE(WhyInvalid(Open(), result, {.errors_allowed = true}).empty());
}

TEST(Validity, FewerHitsThanImplied) {
  ExpectReason(WhyInvalid(Closed(), Good(), {.hit_ratio = 0.92}),
               {"90.0 % of 9000 reads", "limit 91.0 %", "implies 92.0 %"});
  EXPECT_TRUE(WhyInvalid(Closed(), Good(), {.hit_ratio = 0.905}).empty());
  EXPECT_TRUE(WhyInvalid(Closed(), Good(), {.hit_ratio = 0.1}).empty());
  // Of ten reads, two misses where one is implied are nothing but chance.
  DriveResult few = Good();
  few.operations[0].hits = 8;
  few.operations[0].misses = 2;
  EXPECT_TRUE(WhyInvalid(Closed(), few, {.hit_ratio = 0.9}).empty());
  few.operations[0].hits = 0;
  few.operations[0].misses = 10;
  ExpectReason(WhyInvalid(Closed(), few, {.hit_ratio = 0.9}), {"0.0 % of 10 reads"});
  few.operations[0].misses = 0;
  ExpectReason(WhyInvalid(Closed(), few, {.hit_ratio = 0.9}), {"no read", "90.0 %"});
}

TEST(Validity, Errors) {
  DriveResult result = Good();
  result.operations[1].errors = 7;
  result.error_words = {{"ERR", 1}, {"OOM", 4}, {"READONLY", 1}, {"LOADING", 1}};
  ExpectReason(WhyInvalid(Closed(), result, {}), {"7 error replies", "limit 0", "(OOM 4, ", "..."});
  EXPECT_TRUE(WhyInvalid(Closed(), result, {.errors_allowed = true}).empty());
}

TEST(Validity, WrongReplies) {
  DriveResult result = Good();
  result.operations[0].wrong_replies = 2;
  ExpectReason(WhyInvalid(Closed(), result, {}), {"2 wrong replies", "limit 0", "(GET 2)"});
  EXPECT_TRUE(WhyInvalid(Closed(), result, {.errors_allowed = true}).empty());
}

TEST(Validity, LostRequests) {
  DriveResult result = Good();
  result.operations[0].lost = 3;
  result.lost_reasons = {{"h:1: the server closed the connection", 1}};
  ExpectReason(WhyInvalid(Closed(), result, {}),
               {"3 requests", "limit 0", "(h:1: the server closed the connection 1)"});
}

TEST(Validity, AHistogramThatOverflows) {
  DriveResult result = Good();
  result.operations[1].latency->Record(kv::Histogram::kMaxNanos + 1);
  ExpectReason(WhyInvalid(Closed(), result, {}), {"1 latencies of SET", "limit 3600 s"});
}

TEST(Validity, AllReasonsAreTold) {
  DriveResult result = Good();
  result.busiest_thread_share = 1;
  result.planned = 20'000;
  result.sent_late = 1000;
  result.operations[0].errors = 1;
  EXPECT_EQ(WhyInvalid(Open(), result, {.hit_ratio = 1}).size(), 5u);
}

}  // namespace
}  // namespace bench::remote
