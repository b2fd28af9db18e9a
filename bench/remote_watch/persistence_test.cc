// Rounds of real servers, as short as they can be.
#include "bench/remote_watch/persistence.h"

#include <atomic>
#include <string>
#include <vector>

#include "bench/remote_watch/persistence_report.h"
#include "bench/remote_watch/policies.h"
#include "gtest/gtest.h"

namespace bench::remote_watch {
namespace {

PersistencePlan Plan(const std::vector<std::string>& policies) {
  PersistencePlan plan{.rounds = 1, .min_seconds = 0.2, .max_seconds = 0.4, .keys = 1000};
  for (const std::string& name : policies) plan.policies.push_back(FindPolicy(name));
  return plan;
}

std::vector<RoundResult> Rounds(const PersistencePlan& plan) {
  size_t before = 0;
  size_t after = 0;
  const auto results = RunPersistence(
      plan, [&](const Policy&, int) { ++before; }, [&](const RoundResult&) { ++after; });
  EXPECT_TRUE(results.ok()) << results.status();
  if (!results.ok()) return {};
  EXPECT_EQ(before, results->size());
  EXPECT_EQ(after, results->size());
  return *results;
}

TEST(Persistence, AlwaysLosesNothing) {
  const auto results = Rounds(Plan({"always"}));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_GT(results[0].acknowledged, 0u);
  EXPECT_GE(results[0].writes, results[0].acknowledged);
  EXPECT_EQ(results[0].lost, 0u);
  EXPECT_EQ(results[0].lost_window_ms, 0);
  EXPECT_GT(results[0].ops_per_second, 0);
  EXPECT_FALSE(BrokePromise(results));
}

// It shows that the test finds what is lost.
TEST(Persistence, WithoutAnyAllIsLost) {
  const auto results = Rounds(Plan({"none"}));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_GT(results[0].acknowledged, 0u);
  EXPECT_EQ(results[0].lost, results[0].acknowledged);
  EXPECT_EQ(results[0].holes, 0u);
  EXPECT_GT(results[0].lost_window_ms, 0);
}

// The first snapshot comes after a second, and a part of what follows it is lost.
TEST(Persistence, ASnapshotKeepsWhatWasBeforeIt) {
  PersistencePlan plan = Plan({"rdb"});
  plan.min_seconds = plan.max_seconds = 4;
  const auto results = Rounds(plan);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_GT(results[0].lost, 0u);
  EXPECT_LT(results[0].lost, results[0].acknowledged);
  EXPECT_EQ(results[0].holes, 0u);
}

TEST(Persistence, EachPolicyInItsTurn) {
  PersistencePlan plan = Plan({"everysec", "always"});
  plan.rounds = 2;
  std::atomic<uint64_t> progress = 0;
  plan.progress = &progress;
  const auto results = Rounds(plan);
  ASSERT_EQ(results.size(), 4u);
  uint64_t acknowledged = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].policy->name, i < 2 ? "everysec" : "always");
    EXPECT_EQ(results[i].round, static_cast<int>(i % 2) + 1);
    acknowledged += results[i].acknowledged;
  }
  EXPECT_EQ(progress, acknowledged);
}

TEST(Persistence, AnInterruptEndsIt) {
  std::atomic<bool> interrupted = true;
  PersistencePlan plan = Plan({"always"});
  plan.interrupted = &interrupted;
  EXPECT_TRUE(Rounds(plan).empty());
}

TEST(Persistence, AServerThatDoesNotStartIsNamed) {
  PersistencePlan plan = Plan({"always"});
  plan.program = "/nosuch/redis-server";
  const auto results = RunPersistence(
      plan, [](const Policy&, int) {}, [](const RoundResult&) {});
  ASSERT_FALSE(results.ok());
  EXPECT_NE(results.status().ToString().find("always, round 1"), std::string::npos)
      << results.status();
}

TEST(PersistenceReport, HasTheWorstAndWhatIsNotShown) {
  const PersistencePlan plan = Plan({"rdb", "always"});
  const std::vector<RoundResult> results = {
      {.policy = FindPolicy("rdb"),
       .round = 1,
       .acknowledged = 1000,
       .lost = 20,
       .lost_window_ms = 12,
       .ops_per_second = 500},
      {.policy = FindPolicy("rdb"),
       .round = 2,
       .acknowledged = 1000,
       .lost = 1500,
       .lost_window_ms = 870,
       .ops_per_second = 500},
      {.policy = FindPolicy("always"), .round = 1, .acknowledged = 100, .ops_per_second = 50}};
  const std::string text = PersistenceSummary(plan, results);
  EXPECT_NE(text.find("at most 1,500 acknowledged writes, those of 870 ms, in 2 rounds"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("loss of power"), std::string::npos);
  EXPECT_NE(text.find("kept"), std::string::npos);
  const auto json = PersistenceJson({{"kernel", "k"}}, plan, results);
  ASSERT_EQ(json["benchmarks"].size(), 3u);
  EXPECT_EQ(json["benchmarks"][1]["name"], "persistence/rdb/round:2");
  EXPECT_EQ(json["benchmarks"][1]["lost"], 1500);
  EXPECT_EQ(json["promises_kept"], true);
  EXPECT_EQ(json["context"]["kernel"], "k");
}

TEST(PersistenceReport, ABrokenPromiseIsTold) {
  const PersistencePlan plan = Plan({"always"});
  const std::vector<RoundResult> results = {
      {.policy = FindPolicy("always"), .round = 1, .acknowledged = 100, .lost = 1}};
  EXPECT_TRUE(BrokePromise(results));
  EXPECT_NE(PersistenceSummary(plan, results).find("LOST"), std::string::npos);
  EXPECT_EQ(PersistenceJson({}, plan, results)["promises_kept"], false);
}

}  // namespace
}  // namespace bench::remote_watch
