#include "bench/remote/load/request_builder.h"

#include <zstd.h>

#include <set>
#include <string>
#include <vector>

#include "bench/remote/load/key_text.h"
#include "bench/remote/load/reply_judge.h"
#include "clients/slot.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

LoadPlan PlanOf(std::string_view load, const LoadOptions& options = {}) {
  auto plan = PlanLoad(*FindLoad(load), options);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return *plan;
}

std::vector<std::string> Build(RequestBuilder* builder, std::string_view operation,
                               const Target& target) {
  std::vector<std::string> arguments;
  for (const std::string_view argument : builder->Build(*FindOperation(operation), target)) {
    arguments.emplace_back(argument);
  }
  return arguments;
}

TEST(Digits, AreTwelve) {
  const auto digits = [](uint64_t number) {
    std::string text(kDigits, '?');
    WriteDigits(number, text.data());
    return text;
  };
  EXPECT_EQ(digits(0), "000000000000");
  EXPECT_EQ(digits(7), "000000000007");
  EXPECT_EQ(digits(123'456'789'012), "123456789012");
  EXPECT_EQ(digits(999'999'999'999), "999999999999");
  EXPECT_EQ(digits(1'000'000), "000001000000");
}

using Texts = std::vector<std::string>;

TEST(Requests, HaveTheArgumentsOfTheirOperation) {
  const LoadPlan plan = PlanOf("structures", {.prefix = "p:", .value_sizes = {{14, 14}}});
  RequestBuilder builder(plan, 0);
  EXPECT_EQ(Build(&builder, "PING", {}), (Texts{"PING"}));
  EXPECT_EQ(Build(&builder, "GET", {.number = 12}), (Texts{"GET", "p:string:000000000012"}));
  EXPECT_EQ(Build(&builder, "LINDEX", {.number = 3, .element = 7}),
            (Texts{"LINDEX", "p:list:000000000003", "7"}));
  EXPECT_EQ(Build(&builder, "LRANGE_10", {.number = 3, .element = 50}),
            (Texts{"LRANGE", "p:list:000000000003", "50", "59"}));
  EXPECT_EQ(Build(&builder, "LRANGE_10", {.number = 3, .element = 99}),
            (Texts{"LRANGE", "p:list:000000000003", "90", "99"}));
  EXPECT_EQ(Build(&builder, "LRANGE_600", {.number = 3}),
            (Texts{"LRANGE", "p:list:000000000003", "0", "599"}));
  EXPECT_EQ(Build(&builder, "HGET", {.number = 4, .element = 5}),
            (Texts{"HGET", "p:hash:000000000004", "element:000000000005"}));
  EXPECT_EQ(Build(&builder, "ZADD", {.number = 4, .element = 105}),
            (Texts{"ZADD", "p:zset:000000000004", "105", "element:000000000105"}));
  EXPECT_EQ(Build(&builder, "ZINCRBY", {.number = 4, .element = 1}),
            (Texts{"ZINCRBY", "p:zset:000000000004", "1", "element:000000000001"}));
  const Texts fields = Build(&builder, "HMGET_10", {.number = 4, .element = 95});
  ASSERT_EQ(fields.size(), 12u);
  EXPECT_EQ(fields[2], "element:000000000095");
  EXPECT_EQ(fields[11], "element:000000000004");
  const Texts several = Build(&builder, "HSET_5", {.number = 4, .element = 0});
  ASSERT_EQ(several.size(), 12u);
  EXPECT_EQ(several[10], "element:000000000004");
  EXPECT_EQ(several[11].substr(0, 12), "000000000004");
  EXPECT_EQ(Build(&builder, "SADD_10", {.number = 0, .element = 98, .at_most = 2}),
            (Texts{"SADD", "p:set:000000000000", "element:000000000098", "element:000000000099"}));
}

TEST(Requests, OfYcsbHaveItsKeysAndFields) {
  const LoadPlan plan = PlanOf("ycsb_e", {.prefix = "p:"});
  RequestBuilder builder(plan, 0);
  EXPECT_EQ(Build(&builder, "READ", {.number = 0}),
            (Texts{"HGETALL", "p:user6284781860667377211"}));
  EXPECT_EQ(Build(&builder, "INSERT_INDEX", {.number = 1}),
            (Texts{"ZADD", "p:index", "1", "user8517097267634966620"}));
  EXPECT_EQ(Build(&builder, "SCAN", {.number = 1, .length = 17}),
            (Texts{"ZRANGEBYSCORE", "p:index", "1", "+inf", "LIMIT", "0", "17"}));
  const Texts insert = Build(&builder, "INSERT", {.number = 2});
  ASSERT_EQ(insert.size(), 22u);
  EXPECT_EQ(insert[2], "field0");
  EXPECT_EQ(insert[20], "field9");
  EXPECT_EQ(insert[21].size(), 100u);
  const Texts update = Build(&builder, "UPDATE", {.number = 2, .element = 9});
  ASSERT_EQ(update.size(), 4u);
  EXPECT_EQ(update[2], "field9");
}

TEST(Requests, ExpireWhereAskedFor) {
  const LoadPlan never = PlanOf("getset");
  RequestBuilder lasting(never, 0);
  EXPECT_EQ(Build(&lasting, "SET", {}).size(), 3u);
  const LoadPlan plan = PlanOf("getset", {.ttls = {{60, 120}}});
  RequestBuilder builder(plan, 0);
  std::set<int> seconds;
  for (int i = 0; i < 1000; ++i) {
    const Texts set = Build(&builder, "SET", {});
    ASSERT_EQ(set.size(), 5u);
    EXPECT_EQ(set[3], "EX");
    seconds.insert(std::stoi(set[4]));
  }
  EXPECT_EQ(*seconds.begin(), 60);
  EXPECT_EQ(*seconds.rbegin(), 120);
  const LoadPlan zero = PlanOf("getset", {.ttls = {{0, 0}}});
  RequestBuilder none(zero, 0);
  EXPECT_EQ(Build(&none, "SET", {}).size(), 3u);
}

TEST(Values, BeginWithTheNumberOfTheirKeyAndDiffer) {
  const LoadPlan plan = PlanOf("getset", {.value_sizes = {{0, 200}}});
  RequestBuilder builder(plan, 0);
  std::set<std::string> values;
  std::set<size_t> sizes;
  for (uint64_t number = 0; number < 2000; ++number) {
    const std::string value = Build(&builder, "SET", {.number = number})[2];
    EXPECT_TRUE(IsValueOf(number, value)) << value;
    if (value.size() >= 4) {
      EXPECT_FALSE(IsValueOf(number + 1, value)) << value;
    }
    sizes.insert(value.size());
    if (value.size() >= 20) values.insert(value);
  }
  EXPECT_EQ(sizes.size(), 201u);
  EXPECT_GT(values.size(), 1700u);
  // The same key again: another value of the same key.
  const std::string first = Build(&builder, "SET", {.number = 5})[2];
  std::string second = Build(&builder, "SET", {.number = 5})[2];
  while (first.size() < 40 || second.size() < 40) return;
  EXPECT_NE(first.substr(12, 20), second.substr(12, 20));
}

TEST(Values, OfOneRequestStandApart) {
  // Ten of the largest size, so that the pool is gone round in a few requests.
  const LoadPlan plan = PlanOf("redis_mset", {.value_sizes = {{200'000, 200'000}}});
  RequestBuilder builder(plan, 3);
  for (int round = 0; round < 30; ++round) {
    const uint64_t first = static_cast<uint64_t>(round) * 10;
    const auto arguments = builder.Build(*FindOperation("MSET_10"), {.number = first});
    ASSERT_EQ(arguments.size(), 21u);
    for (uint64_t i = 0; i < 10; ++i) {
      ASSERT_TRUE(IsValueOf(first + i, arguments[2 + 2 * i])) << round << " " << i;
    }
  }
}

TEST(Values, LeaveThePoolAsItWas) {
  LoadPlan plan = PlanOf("getset", {.value_sizes = {{1, 50}}, .compressibility = 1});
  RequestBuilder builder(plan, 0);
  for (uint64_t number = 0; number < 500'000; ++number) {
    builder.Build(*FindOperation("SET"), {.number = number});
  }
  // The pool has been gone round a dozen times; only a value's own digits differ from its filling.
  for (uint64_t number = 0; number < 1000; ++number) {
    const std::string value = Build(&builder, "SET", {.number = number})[2];
    const std::string rest = value.size() > 12 ? value.substr(12) : "";
    EXPECT_EQ(rest, std::string(rest.size(), 'x'));
  }
}

double CompressedShare(double compressibility, uint32_t size) {
  const LoadPlan plan =
      PlanOf("getset", {.value_sizes = {{size, size}}, .compressibility = compressibility});
  RequestBuilder builder(plan, 0);
  std::string compressed(ZSTD_compressBound(size), '\0');
  double total = 0;
  const int values = size > 10'000 ? 20 : 500;
  for (int i = 0; i < values; ++i) {
    const std::string value =
        Build(&builder, "SET", {.number = static_cast<uint64_t>(i) * 7919})[2];
    EXPECT_EQ(value.size(), size);
    total += static_cast<double>(
        ZSTD_compress(compressed.data(), compressed.size(), value.data(), value.size(), 3));
  }
  return total / values / size;
}

TEST(Values, CompressByTheShareThatWasAskedFor) {
  for (const double share : {0.0, 0.25, 0.5, 0.75, 0.9}) {
    EXPECT_NEAR(CompressedShare(share, 100'000), 1 - share, 0.04) << share;
    EXPECT_NEAR(CompressedShare(share, 1000), 1 - share, 0.07) << share;
  }
  EXPECT_LT(CompressedShare(1, 1000), 0.05);
}

TEST(Keys, OfOneCommandShareASlotInACluster) {
  const LoadPlan plan = PlanOf("redis_mset", {.cluster = true});
  RequestBuilder builder(plan, 0);
  std::set<uint16_t> slots;
  for (uint64_t group = 0; group < 100; ++group) {
    for (const char* operation : {"MSET_10", "MGET_10"}) {
      const auto arguments =
          builder.Build(*FindOperation(operation), {.number = group * kKeysOfGroup});
      const size_t step = operation[1] == 'S' ? 2 : 1;
      const uint16_t slot = clients::SlotOf(arguments[1]);
      std::set<std::string_view> keys;
      for (size_t i = 1; i < arguments.size(); i += step) {
        EXPECT_EQ(clients::SlotOf(arguments[i]), slot);
        keys.insert(arguments[i]);
      }
      EXPECT_EQ(keys.size(), 10u);
      slots.insert(slot);
    }
  }
  // And the groups are spread.
  EXPECT_GT(slots.size(), 90u);
}

TEST(Keys, OfAFileStandBehindThePrefix) {
  const auto file = KeyFile::Parse("one\tfirst\ntwo\tsecond\n", "f");
  ASSERT_TRUE(file.ok());
  const LoadPlan plan = PlanOf("getset", {.prefix = "p:", .key_file = *file});
  EXPECT_EQ(plan.keys, 2u);
  RequestBuilder builder(plan, 0);
  EXPECT_EQ(Build(&builder, "SET", {.number = 1}), (Texts{"SET", "p:two", "second"}));
  EXPECT_EQ(Build(&builder, "GET", {.number = kMissingKeys + 1}),
            (Texts{"GET", "p:absent:100000000001"}));
}

TEST(Keys, OfATwitterClusterHaveItsSize) {
  const LoadPlan plan = PlanOf("twitter_cluster14");
  RequestBuilder builder(plan, 0);
  const Texts get = Build(&builder, "GET", {.number = 5});
  EXPECT_EQ(get[1].size(), 96u);
  EXPECT_TRUE(get[1].starts_with("ashlar:string:000000000005..."));
}

}  // namespace
}  // namespace bench::remote
