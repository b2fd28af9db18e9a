#include "bench/command_line.h"

#include <cstdlib>

#include "bench/text.h"
#include "gtest/gtest.h"

namespace bench {
namespace {

TEST(CommandLine, AnUnknownFlagIsNamedWithoutItsValue) {
  CLI::App app;
  std::string url;
  app.add_option("--url", url);
  EXPECT_EQ(UnknownFlag(app, "--ulr=redis://:secret@host"),
            "unknown flag: --ulr; did you mean --url? (--help lists them)");
  EXPECT_EQ(UnknownFlag(app, "--qqqqqqqq"), "unknown flag: --qqqqqqqq (--help lists them)");
  EXPECT_EQ(UnknownFlag(app, "redis://:secret@host?db=1"),
            "an argument that is no flag (--help lists them)");
  EXPECT_EQ(UnknownFlag(app, "stray"), "unknown flag: stray (--help lists them)");
}

TEST(CommandLine, TheNearestOfNamesIsSuggestedWhereOneIsNear) {
  const std::vector<std::string_view> names = {"getset", "structures"};
  EXPECT_EQ(Unknown("load", "gteset", names), "unknown load: gteset; did you mean getset?");
  EXPECT_EQ(Unknown("load", "zzzzzzzzzz", names), "unknown load: zzzzzzzzzz");
}

TEST(CommandLine, ValuesComeFromTheEnvironmentWhereTheySaySo) {
  setenv("BENCH_COMMAND_LINE_TEST", "redis://:secret@host", 1);
  EXPECT_EQ(*FromEnvironment("env:BENCH_COMMAND_LINE_TEST"), "redis://:secret@host");
  EXPECT_EQ(*FromEnvironment("redis://host"), "redis://host");
  unsetenv("BENCH_COMMAND_LINE_TEST");
  const auto absent = FromEnvironment("env:BENCH_COMMAND_LINE_TEST");
  EXPECT_EQ(absent.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(absent.status().message().find("BENCH_COMMAND_LINE_TEST"), std::string_view::npos);
}

TEST(CommandLine, PathsAreTheCallers) {
  setenv("BUILD_WORKING_DIRECTORY", "/caller", 1);
  EXPECT_EQ(FromCaller("a/b"), "/caller/a/b");
  EXPECT_EQ(FromCaller("/a"), "/a");
  EXPECT_EQ(FromCaller(""), "");
  unsetenv("BUILD_WORKING_DIRECTORY");
  EXPECT_EQ(FromCaller("a/b"), "a/b");
}

TEST(CommandLine, CountsAreWithinTheirBounds) {
  const auto count = CountWithin(2, 1000);
  EXPECT_EQ(count("1k"), 1000u);
  EXPECT_EQ(count("2"), 2u);
  EXPECT_FALSE(count("1").has_value());
  EXPECT_FALSE(count("1001").has_value());
  EXPECT_FALSE(count("two").has_value());
}

}  // namespace
}  // namespace bench
