#include "bench/flags.h"

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bench/text.h"
#include "gtest/gtest.h"

namespace bench {
namespace {

ParsedFlags Parse(const std::vector<std::string>& arguments) {
  unsetenv("BUILD_WORKING_DIRECTORY");
  return ParseFlags("memory", arguments);
}

std::string ErrorOf(const std::vector<std::string>& arguments) {
  const ParsedFlags parsed = Parse(arguments);
  EXPECT_EQ(parsed.exit_status, 2);
  return parsed.error;
}

TEST(Flags, DefaultsNeedNothing) {
  const ParsedFlags parsed = Parse({});
  EXPECT_FALSE(parsed.exit_status.has_value()) << parsed.error;
  EXPECT_TRUE(parsed.flags.workloads.empty());
  EXPECT_EQ(parsed.flags.threads, std::vector<int>{1});
}

TEST(Flags, AreRead) {
  const ParsedFlags parsed = Parse(
      {"--workloads=fillseq,readrandom", "--num=2M", "--reads", "10k", "--threads=1,4",
       "--value_size=0", "--key_size=24", "--duration=500ms", "--seed=7", "--benchmark_filter=read",
       "--memtable_mb=8", "--cache_mb=1", "--batch_size=10", "--repetitions=3", "--zipf_theta=1.1",
       "--json=out.json", "--keep", "--dir=/x/y", "--value_text=alphanumeric"});
  ASSERT_FALSE(parsed.exit_status.has_value()) << parsed.error;
  const Flags& flags = parsed.flags;
  EXPECT_EQ(flags.workloads, (std::vector<std::string>{"fillseq", "readrandom"}));
  EXPECT_EQ(flags.num, 2'000'000u);
  EXPECT_EQ(flags.reads, 10'000u);
  EXPECT_EQ(flags.threads, (std::vector<int>{1, 4}));
  EXPECT_EQ(flags.value_size, 0u);
  EXPECT_EQ(flags.value_text, ValueText::kAlphanumeric);
  EXPECT_EQ(flags.key_size, 24u);
  EXPECT_EQ(flags.seconds, 0.5);
  EXPECT_EQ(flags.seed, 7u);
  EXPECT_EQ(flags.memtable_bytes, uint64_t{8} << 20);
  EXPECT_EQ(flags.cache_bytes, uint64_t{1} << 20);
  EXPECT_EQ(flags.batch_size, 10u);
  EXPECT_EQ(flags.repetitions, 3);
  EXPECT_EQ(flags.zipf_theta, 1.1);
  EXPECT_TRUE(flags.keep);
  EXPECT_EQ(flags.benchmark_flags, std::vector<std::string>{"--benchmark_filter=read"});
}

TEST(Flags, UnknownOnesSuggestTheNearest) {
  EXPECT_NE(ErrorOf({"--workload=x"}).find("did you mean --workloads?"), std::string::npos);
  EXPECT_NE(ErrorOf({"--thread=2"}).find("did you mean --threads?"), std::string::npos);
  EXPECT_NE(ErrorOf({"--qqqqqqqqqqqq"}).find("unknown flag: --qqqqqqqqqqqq"), std::string::npos);
  EXPECT_NE(ErrorOf({"stray"}).find("stray"), std::string::npos);
}

TEST(Flags, UnknownWorkloadsSuggestTheNearest) {
  EXPECT_NE(ErrorOf({"--workloads=fillsek"}).find("did you mean fillseq?"), std::string::npos);
  EXPECT_NE(ErrorOf({"--workloads=ycsb_z"}).find("unknown workload: ycsb_z"), std::string::npos);
}

TEST(Flags, BadValuesAreRefused) {
  for (const char* argument :
       {"--num=0", "--num=-5", "--num=ten", "--num=1.5", "--threads=0", "--threads=", "--reads=1x",
        "--key_size=3", "--key_size=70000", "--duration=fast", "--repetitions=0", "--zipf_theta=-1",
        "--zipf_theta=abc", "--memtable_mb=0", "--batch_size=0"}) {
    EXPECT_FALSE(ErrorOf({argument}).empty()) << argument;
  }
}

TEST(Flags, ContradictionsAreRefused) {
  EXPECT_NE(ErrorOf({"--use_existing", "--workloads=readrandom"}).find("--dir"), std::string::npos);
  EXPECT_NE(ErrorOf({"--use_existing", "--dir=/x", "--workloads=fillseq"}).find("fresh"),
            std::string::npos);
  EXPECT_NE(ErrorOf({"--skip_bad_lines"}).find("--replay"), std::string::npos);
  EXPECT_NE(ErrorOf({"--workloads=twitter_cluster5"}).find("not published"), std::string::npos);
}

TEST(Flags, HelpAndListExitWithZero) {
  const ParsedFlags help = Parse({"--help"});
  EXPECT_EQ(help.exit_status, 0);
  EXPECT_NE(help.output.find("Examples:"), std::string::npos);
  const ParsedFlags list = Parse({"--list"});
  EXPECT_EQ(list.exit_status, 0);
  EXPECT_NE(list.output.find("readwhilewriting"), std::string::npos);
}

TEST(Flags, RelativePathsAreTheCallers) {
  setenv("BUILD_WORKING_DIRECTORY", "/srv/user", 1);
  const ParsedFlags parsed =
      ParseFlags("memory", {"--dir=store", "--json=/abs/out.json", "--replay=../t.csv"});
  unsetenv("BUILD_WORKING_DIRECTORY");
  EXPECT_EQ(parsed.flags.directory, "/srv/user/store");
  EXPECT_EQ(parsed.flags.json, "/abs/out.json");
  EXPECT_EQ(parsed.flags.replay, "/srv/user/../t.csv");
}

TEST(Text, Numbers) {
  EXPECT_EQ(ParseCount("1.5M"), 1'500'000u);
  EXPECT_EQ(ParseCount("2G"), 2'000'000'000u);
  EXPECT_EQ(ParseCount("1MM"), std::nullopt);
  EXPECT_EQ(ParseCount(""), std::nullopt);
  EXPECT_EQ(ParseCount("nan"), std::nullopt);
  EXPECT_EQ(ParseCount("inf"), std::nullopt);
  EXPECT_EQ(ParseSeconds("2m"), 120);
  EXPECT_EQ(ParseSeconds("10"), 10);
  EXPECT_EQ(ParseSeconds("10 s"), std::nullopt);
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1'234'567), "1,234,567");
  EXPECT_EQ(Short(1.234), "1.23");
  EXPECT_EQ(Short(0.0004), "0.000");
  EXPECT_EQ(Short(12'345.6), "12,346");
}

TEST(Text, NearestNeedsSomethingNear) {
  const std::string_view names[] = {"alpha", "beta"};
  EXPECT_EQ(Nearest("alhpa", names), "alpha");
  EXPECT_EQ(Nearest("zzzzzz", names), "");
}

}  // namespace
}  // namespace bench
