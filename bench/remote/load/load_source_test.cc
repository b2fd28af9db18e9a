#include "bench/remote/load/load_source.h"

#include <cmath>
#include <cstdlib>
#include <map>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace {

// Of this program, so that a stretch without allocations can be shown to have none.
size_t allocations = 0;

}  // namespace

// Not inlined: the compiler would see memory of malloc go to a delete, or of new to free.
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  void* const memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace bench::remote {
namespace {

LoadPlan PlanOf(std::string_view load, const LoadOptions& options = {}) {
  auto plan = PlanLoad(*FindLoad(load), options);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return *std::move(plan);
}

std::string Text(const Request& request) {
  std::string text;
  for (const std::string_view argument : request.arguments) {
    text.append(argument);
    text.push_back(' ');
  }
  return text;
}

// Loads that can be generated as they are.
std::vector<const Load*> Generated() {
  std::vector<const Load*> loads;
  for (const Load& load : Loads()) {
    if (PlanLoad(load, {.keys = 10}).ok()) loads.push_back(&load);
  }
  EXPECT_GT(loads.size(), 100u);
  return loads;
}

TEST(LoadSource, EqualPlansAndThreadsGiveEqualRequests) {
  for (const char* name : {"structures", "ycsb_e", "twitter_cluster14", "redis_spop"}) {
    const LoadOptions options = {.keys = 1000, .seed = 7, .threads = 2};
    const LoadPlan first = PlanOf(name, options);
    const LoadPlan second = PlanOf(name, options);
    // Of its own, since sources of one plan share the numbers of inserts.
    const LoadPlan third = PlanOf(name, options);
    LoadOptions changed = options;
    changed.seed = 8;
    const LoadPlan other_seed = PlanOf(name, changed);
    LoadSource a(first, 0);
    LoadSource b(second, 0);
    LoadSource other_thread(third, 1);
    LoadSource other(other_seed, 0);
    int same_thread = 0;
    int same_seed = 0;
    for (int i = 0; i < 2000; ++i) {
      const std::string text = Text(a.Next());
      ASSERT_TRUE(text == Text(b.Next())) << name << " " << i;
      same_thread += text == Text(other_thread.Next()) ? 1 : 0;
      same_seed += text == Text(other.Next()) ? 1 : 0;
    }
    EXPECT_LT(same_thread, 100) << name;
    EXPECT_LT(same_seed, 100) << name;
  }
}

TEST(LoadSource, AllocatesNothing) {
  for (const Load* const load : Generated()) {
    const LoadPlan plan = PlanOf(load->name, {.keys = 100});
    LoadSource source(plan, 0);
    for (int i = 0; i < 10; ++i) source.Next();
    const size_t before = allocations;
    size_t arguments = 0;
    for (int i = 0; i < 2000; ++i) arguments += source.Next().arguments.size();
    EXPECT_EQ(allocations, before) << load->name;
    EXPECT_GE(arguments, 2000u);
  }
}

TEST(LoadSource, EveryRequestSaysWhichArgumentIsItsKey) {
  for (const Load* const load : Generated()) {
    const LoadPlan plan = PlanOf(load->name, {.prefix = "here:", .keys = 100});
    LoadSource source(plan, 0);
    for (int i = 0; i < 200; ++i) {
      const Request request = source.Next();
      ASSERT_LT(request.operation, source.operations());
      if (request.key_argument == 0) {
        EXPECT_EQ(request.arguments[0], "PING");
      } else {
        ASSERT_LT(request.key_argument, request.arguments.size());
        EXPECT_TRUE(request.arguments[request.key_argument].starts_with("here:")) << load->name;
      }
    }
  }
}

// Of each operation, how often it was sent.
std::map<std::string, int> Counts(const LoadPlan& plan, int requests) {
  LoadSource source(plan, 0);
  std::map<std::string, int> counts;
  for (int i = 0; i < requests; ++i) {
    ++counts[std::string(source.OperationName(source.Next().operation))];
  }
  return counts;
}

TEST(LoadSource, SendsTheSharesOfItsMix) {
  auto counts = Counts(PlanOf("getset"), 100'000);
  EXPECT_NEAR(counts["GET"], 80'000, 700);
  EXPECT_NEAR(counts["SET"], 20'000, 700);
  counts = Counts(PlanOf("getset", {.read_ratio = 0.05}), 100'000);
  EXPECT_NEAR(counts["GET"], 5000, 400);
  counts = Counts(PlanOf("memtier"), 110'000);
  EXPECT_NEAR(counts["SET"], 10'000, 500);
  counts = Counts(PlanOf("twitter_cluster14"), 100'000);
  EXPECT_NEAR(counts["GET"], 65'000, 800);
  EXPECT_NEAR(counts["DELETE"], 22'000, 700);
}

TEST(LoadSource, EachPushHasItsPop) {
  auto counts = Counts(PlanOf("list", {.read_ratio = 0.5}), 200'000);
  EXPECT_NEAR(counts["LPUSH"] + counts["RPUSH"], 50'000, 1200);
  const int missing = counts["LPUSH"] + counts["RPUSH"] - counts["LPOP"] - counts["RPOP"];
  EXPECT_GE(missing, 0);
  EXPECT_LE(missing, 1024);
  EXPECT_NEAR(counts["LPUSH"], counts["LPOP"], 1200);
  counts = Counts(PlanOf("structures"), 200'000);
  EXPECT_NEAR(counts["SADD"], counts["SREM"], 1024);
  EXPECT_NEAR(counts["ZADD"], counts["ZREM"], 1024);
  EXPECT_NEAR(counts["HSET"], counts["HDEL"], 1024);
}

TEST(LoadSource, WhatIsTakenBackIsWhatWasAdded) {
  const LoadPlan plan = PlanOf("set", {.keys = 50, .elements = 20, .read_ratio = 0});
  LoadSource source(plan, 0);
  std::set<std::string> added;
  for (int i = 0; i < 5000; ++i) {
    const Request request = source.Next();
    const std::string what = std::string(request.arguments[1]) + std::string(request.arguments[2]);
    if (source.OperationName(request.operation) == "SADD") {
      EXPECT_TRUE(added.insert(what).second) << what;
      // Never a member that the sets begin with.
      EXPECT_GE(request.arguments[2], "element:000000000020");
    } else {
      EXPECT_EQ(added.erase(what), 1u) << what;
    }
    // Two percent of the 1000 elements.
    ASSERT_LE(added.size(), 20u);
  }
}

TEST(LoadSource, TheHitRatioIsTheShareOfPresentKeys) {
  const LoadPlan plan = PlanOf("getset", {.read_ratio = 1, .hit_ratio = 0.3});
  LoadSource source(plan, 0);
  int present = 0;
  for (int i = 0; i < 100'000; ++i) present += source.Next().subject < plan.keys ? 1 : 0;
  EXPECT_NEAR(present, 30'000, 800);
}

TEST(LoadSource, WritesGoToKeysThatAreThereWhateverTheHitRatio) {
  const LoadPlan plan = PlanOf("getset", {.read_ratio = 0, .hit_ratio = 0});
  LoadSource source(plan, 0);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(source.Next().subject, plan.keys);
}

TEST(LoadSource, AScanIsFollowedByTheReadsOfItsRecords) {
  const LoadPlan plan = PlanOf("ycsb_e", {.keys = 500});
  LoadSource source(plan, 0);
  std::set<uint64_t> lengths;
  for (int i = 0; i < 2000; ++i) {
    const Request scan = source.Next();
    const std::string_view name = source.OperationName(scan.operation);
    if (name == "INSERT") {
      const uint64_t record = scan.subject;
      const Request index = source.Next();
      EXPECT_EQ(source.OperationName(index.operation), "INSERT_INDEX");
      EXPECT_EQ(index.subject, record);
      EXPECT_EQ(index.arguments[1], "ashlar:index");
      continue;
    }
    ASSERT_EQ(name, "SCAN");
    const uint64_t first = scan.subject;
    const uint64_t length = std::stoull(std::string(scan.arguments.back()));
    lengths.insert(length);
    // As many as are there: inserts of a moment ago are not counted on.
    for (uint64_t j = 0; j < length && first + j < 500; ++j) {
      const Request read = source.Next();
      ASSERT_EQ(source.OperationName(read.operation), "READ") << i;
      EXPECT_EQ(read.subject, first + j);
    }
    if (first + length > 500) break;
  }
  EXPECT_GE(*lengths.begin(), 1u);
  EXPECT_LE(*lengths.rbegin(), 100u);
}

TEST(LoadSource, AReadModifyWriteIsOfOneRecord) {
  const LoadPlan plan = PlanOf("ycsb_f", {.keys = 500});
  LoadSource source(plan, 0);
  int updates = 0;
  uint64_t last = 0;
  for (int i = 0; i < 30'000; ++i) {
    const Request request = source.Next();
    if (source.OperationName(request.operation) == "UPDATE") {
      ++updates;
      EXPECT_EQ(request.subject, last);
    }
    last = request.subject;
  }
  // A third of the requests: read; read, update.
  EXPECT_NEAR(updates, 10'000, 500);
}

TEST(LoadSource, InlinePingSaysSo) {
  const LoadPlan plan = PlanOf("redis_ping_inline");
  LoadSource source(plan, 0);
  EXPECT_EQ(source.Next().formatted, "PING\r\n");
  const LoadPlan bulk = PlanOf("redis_ping_mbulk");
  EXPECT_EQ(LoadSource(bulk, 0).Next().formatted, "");
}

TEST(PreloadSource, WritesEachKeyOnceAndHasAnEnd) {
  for (const int threads : {1, 3}) {
    const LoadPlan plan = PlanOf("structures", {.keys = 20, .elements = 25, .threads = threads});
    std::map<std::string, int> arguments;
    uint64_t requests = 0;
    for (int thread = 0; thread < threads; ++thread) {
      PreloadSource source(plan, thread);
      for (Request request = source.Next(); !request.arguments.empty(); request = source.Next()) {
        ++requests;
        const auto after_key = static_cast<int>(request.arguments.size()) - 2;
        arguments[std::string(request.arguments[1])] += after_key;
      }
      EXPECT_TRUE(source.Next().arguments.empty());
    }
    EXPECT_EQ(requests, PreloadRequests(plan));
    EXPECT_EQ(arguments.size(), 5u * 20);
    for (const auto& [key, count] : arguments) {
      const bool in_pairs =
          key.find(":hash:") != std::string::npos || key.find(":zset:") != std::string::npos;
      const int expected = key.find(":string:") != std::string::npos ? 1 : in_pairs ? 50 : 25;
      EXPECT_EQ(count, expected) << key;
    }
  }
}

TEST(PreloadSource, WritesNothingWhereNothingIsRead) {
  for (const char* name :
       {"memtier", "redis_set", "redis_ping_mbulk", "redis_lpush", "redis_xadd"}) {
    const LoadPlan plan = PlanOf(name);
    EXPECT_EQ(PreloadRequests(plan), 0u) << name;
    EXPECT_TRUE(PreloadSource(plan, 0).Next().arguments.empty()) << name;
  }
  EXPECT_EQ(PreloadRequests(PlanOf("redis_mget", {.keys = 95})), 10u);
  EXPECT_EQ(PreloadRequests(PlanOf("ycsb_a", {.keys = 95})), 190u);
  EXPECT_EQ(PreloadRequests(PlanOf("ycsb_e", {.keys = 95})), 190u);
  EXPECT_EQ(PreloadRequests(PlanOf("redis_lrange_100")), 100u * 60);
}

TEST(PreloadSource, AllocatesNothing) {
  const LoadPlan plan = PlanOf("structures", {.keys = 100});
  PreloadSource source(plan, 0);
  const size_t before = allocations;
  while (!source.Next().arguments.empty()) {
  }
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace bench::remote
