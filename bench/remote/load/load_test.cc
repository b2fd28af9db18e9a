#include "bench/remote/load/load.h"

#include <set>
#include <string>
#include <vector>

#include "bench/remote/load/operations.h"
#include "bench/remote/load/plan.h"
#include "bench/remote/load/suites.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

TEST(OperationTable, NamesAreUniqueAndEachHasACommand) {
  std::set<std::string_view> names;
  for (const Operation& operation : Operations()) {
    EXPECT_TRUE(names.insert(operation.name).second) << operation.name;
    EXPECT_EQ(operation.parts[0].kind, PartKind::kLiteral) << operation.name;
    EXPECT_EQ(FindOperation(operation.name), &operation);
    EXPECT_EQ(Has(operation, PartKind::kKey) || Has(operation, PartKind::kKeys) ||
                  Has(operation, PartKind::kKeysAndValues),
              operation.space != Space::kNone)
        << operation.name;
  }
  EXPECT_EQ(FindOperation("GETT"), nullptr);
}

TEST(LoadTable, EveryLoadHasADescriptionAndKnownOperations) {
  std::set<std::string_view> names;
  for (const Load& load : Loads()) {
    EXPECT_TRUE(names.insert(load.name).second) << load.name;
    EXPECT_GE(load.description.size(), 20u) << load.name;
    EXPECT_EQ(load.description.find('\n'), std::string_view::npos) << load.name;
    for (const Step& step : load.steps) {
      EXPECT_GT(step.share, 0) << load.name;
      for (const std::string_view name : {step.operation, step.undo, step.then}) {
        if (!name.empty()) {
          EXPECT_NE(FindOperation(name), nullptr) << load.name << " " << name;
        }
      }
    }
    for (const std::string_view row : load.rows) EXPECT_NE(FindLoad(row), nullptr) << row;
  }
}

TEST(LoadTable, HasWhatIsPromised) {
  for (const char* name :
       {"getset", "string", "list", "hash", "set", "zset", "structures", "redis_benchmark",
        "redis_benchmark_literal", "memtier", "ycsb_a", "ycsb_b", "ycsb_c", "ycsb_d", "ycsb_e",
        "ycsb_f", "twitter_cluster01", "twitter_cluster54", "replay"}) {
    EXPECT_NE(FindLoad(name), nullptr) << name;
  }
  EXPECT_EQ(FindLoad("nothing"), nullptr);
}

TEST(LoadTable, TheDataStructureBenchmarkHasItsWholeTable) {
  const std::set<std::string_view> table = {
      "GET",       "SET",          "LRANGE_10", "LINDEX",    "LLEN",    "LPUSH", "RPUSH",
      "LPOP",      "RPOP",         "HGET",      "HMGET_10",  "HGETALL", "HLEN",  "HSET",
      "HSET_5",    "HDEL",         "SMEMBERS",  "SISMEMBER", "SCARD",   "SADD",  "SREM",
      "ZRANGE_10", "ZREVRANGE_10", "ZCARD",     "ZSCORE",    "ZADD",    "ZREM",  "ZINCRBY"};
  std::set<std::string_view> found;
  for (const Operation* const operation : OperationsOf(*FindLoad("structures"))) {
    found.insert(operation->name);
  }
  EXPECT_EQ(found, table);
}

TEST(LoadTable, TheRedisBenchmarkHasItsOrder) {
  const std::vector<std::string> expected = {
      "ping_inline", "ping_mbulk", "set",          "get",        "incr",       "lpush",
      "rpush",       "lpop",       "rpop",         "sadd",       "hset",       "spop",
      "zadd",        "zpopmin",    "lpush_refill", "lrange_100", "lrange_300", "lrange_500",
      "lrange_600",  "mset",       "mget",         "xadd"};
  for (const auto& [suite, head] : {std::pair{"redis_benchmark", "redis_"},
                                    std::pair{"redis_benchmark_literal", "redis_literal_"}}) {
    std::vector<std::string> rows;
    for (const std::string_view row : FindLoad(suite)->rows) rows.emplace_back(row);
    std::vector<std::string> wanted;
    for (const std::string& name : expected) wanted.push_back(head + name);
    EXPECT_EQ(rows, wanted);
  }
  EXPECT_EQ(YcsbLoads().size(), 6u);
  EXPECT_EQ(TwitterLoads().size(), 54u);
}

TEST(LoadTable, SuitesAreExpandedInOrder) {
  const std::vector<std::string> names = {"getset", "redis_benchmark", "memtier"};
  const auto loads = ExpandLoads(names);
  ASSERT_TRUE(loads.ok()) << loads.status();
  ASSERT_EQ(loads->size(), 24u);
  EXPECT_EQ(loads->front()->name, "getset");
  EXPECT_EQ((*loads)[1]->name, "redis_ping_inline");
  EXPECT_EQ(loads->back()->name, "memtier");
  const std::vector<std::string> wrong = {"getset", "gotset"};
  EXPECT_EQ(ExpandLoads(wrong).status().message(), "there is no load \"gotset\"");
}

std::string ErrorOf(std::string_view load, const LoadOptions& options) {
  const auto plan = PlanLoad(*FindLoad(load), options);
  if (plan.ok()) return "";
  EXPECT_TRUE(absl::IsInvalidArgument(plan.status()));
  return std::string(plan.status().message());
}

TEST(Plans, TakeWhatTheLoadHasWhereNothingIsSaid) {
  const auto plan = PlanLoad(*FindLoad("memtier"), {});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->keys, 10'000'000u);
  EXPECT_EQ(plan->value_sizes, (std::vector<RangeShare>{{32, 32, 1}}));
  EXPECT_EQ(plan->prefix, "ashlar:");
  EXPECT_TRUE(PlanLoad(*FindLoad("getset"), {.keys = kMissingKeys}).ok());
}

TEST(Plans, OptionsOutOfTheirRangeAreRefused) {
  EXPECT_EQ(ErrorOf("getset", {.keys = 0}), "0 keys are not from 1 to 100000000000");
  EXPECT_NE(ErrorOf("getset", {.keys = kMissingKeys + 1}), "");
  EXPECT_NE(ErrorOf("list", {.elements = 0}), "");
  EXPECT_NE(ErrorOf("getset", {.threads = 0}), "");
  EXPECT_EQ(ErrorOf("getset", {.read_ratio = 1.5}), "a read ratio of 1.5 is not from 0 to 1");
  EXPECT_NE(ErrorOf("getset", {.hit_ratio = -0.1}), "");
  EXPECT_NE(ErrorOf("getset", {.compressibility = 2}), "");
  EXPECT_NE(ErrorOf("getset", {.distribution = KeyDistribution{.theta = -1}}), "");
  EXPECT_NE(ErrorOf("getset", {.value_sizes = {{0, 600'000'000}}}), "");
  EXPECT_NE(ErrorOf("getset", {.value_sizes = {{1, 1, 0}}}), "");
}

TEST(Plans, OptionsThatTheLoadWouldIgnoreAreRefused) {
  EXPECT_EQ(ErrorOf("ycsb_a", {.read_ratio = 0.9}),
            "ycsb_a has a mix of its own, which no read ratio changes");
  EXPECT_EQ(ErrorOf("list", {.ttls = {{60, 60}}}), "list writes nothing that could expire");
  EXPECT_NE(ErrorOf("ycsb_a", {.hit_ratio = 0.5}), "");
  EXPECT_EQ(ErrorOf("getset", {.prefix = "{x}", .cluster = true}),
            "a prefix with a { is a hash tag, which puts all keys on one node");
  const auto file = KeyFile::Parse("a\nb\n", "f");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(ErrorOf("list", {.key_file = *file}),
            "list (LRANGE_10) takes no keys from a file: those are for strings");
  EXPECT_NE(ErrorOf("getset", {.keys = 7, .key_file = *file}), "");
  EXPECT_EQ(ErrorOf("getset", {.key_file = *file}), "");
}

TEST(Plans, WhatCannotBeGeneratedIsRefused) {
  EXPECT_NE(ErrorOf("redis_benchmark", {}), "");
  EXPECT_NE(ErrorOf("replay", {}), "");
  EXPECT_NE(ErrorOf("twitter_cluster05", {}).find("not published"), std::string::npos);
  EXPECT_NE(ErrorOf("twitter_cluster43", {}).find("Zipf"), std::string::npos);
  EXPECT_EQ(ErrorOf("twitter_cluster43", {.distribution = KeyDistribution{}}), "");
}

TEST(Plans, TheReadRatioIsTheShareOfReads) {
  const auto plan = PlanLoad(*FindLoad("structures"), {.read_ratio = 0.3});
  ASSERT_TRUE(plan.ok());
  const std::vector<double> shares = StepShares(*plan);
  double reads = 0;
  double all = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    all += shares[i];
    if (plan->load->steps[i].reads) reads += shares[i];
  }
  EXPECT_NEAR(all, 1, 1e-9);
  EXPECT_NEAR(reads, 0.3, 1e-9);
}

TEST(Plans, TheImpliedHitRatioIsThatOfTheReads) {
  const auto implied = [](std::string_view load, const LoadOptions& options) {
    return ImpliedHitRatio(*PlanLoad(*FindLoad(load), options));
  };
  EXPECT_EQ(implied("getset", {}), 1);
  EXPECT_EQ(implied("getset", {.hit_ratio = 0.25}), 0.25);
  EXPECT_EQ(implied("ycsb_d", {}), 1);
  // Pops and removals find something; reads do so in half of the cases.
  EXPECT_NEAR(*implied("list", {.read_ratio = 0.8, .hit_ratio = 0.5}), (0.4 + 0.1) / 0.9, 1e-9);
  EXPECT_EQ(implied("getset", {.ttls = {{60, 60}}}), std::nullopt);
  EXPECT_EQ(implied("getset", {.ttls = {{0, 0}}}), 1);
  EXPECT_EQ(implied("memtier", {}), std::nullopt);
  EXPECT_EQ(implied("redis_literal_spop", {}), std::nullopt);
  EXPECT_EQ(implied("redis_set", {}), std::nullopt);
  EXPECT_EQ(implied("twitter_cluster01", {}), std::nullopt);
}

}  // namespace
}  // namespace bench::remote
