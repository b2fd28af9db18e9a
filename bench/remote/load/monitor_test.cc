#include "bench/remote/load/monitor.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using namespace std::string_literals;

std::vector<std::string> Arguments(const MonitorRecord& record, size_t request) {
  std::vector<std::string> arguments;
  for (size_t i = 0; i < record.arguments(request); ++i) {
    arguments.emplace_back(record.argument(request, i));
  }
  return arguments;
}

std::string ErrorOf(std::string_view line) {
  const auto record = MonitorRecord::Parse(line, "m.txt", {});
  return record.ok() ? "" : std::string(record.status().message());
}

using Texts = std::vector<std::string>;

TEST(Monitor, ReadsTimesAndArguments) {
  const auto record = MonitorRecord::Parse(
      "OK\n"
      "1339518083.107412 [0 127.0.0.1:60866] \"set\" \"k\" \"a\\\"b\\xff\\\\\\n\\r\\t\\a\\b\"\n"
      "\r\n"
      "1339518083.107512 [12 [::1]:6] \"get\" \"k\"\r\n"
      "1339518085.000000 [0 unix:/run/a] b.sock] \"ping\"",
      "m", {});
  ASSERT_TRUE(record.ok()) << record.status();
  ASSERT_EQ(record->size(), 3u);
  EXPECT_EQ(Arguments(*record, 0), (Texts{"set", "k", "a\"b\xff\\\n\r\t\a\b"}));
  EXPECT_EQ(Arguments(*record, 1), (Texts{"get", "k"}));
  EXPECT_EQ(Arguments(*record, 2), (Texts{"ping"}));
  EXPECT_EQ(record->at_micros(0), 0u);
  EXPECT_EQ(record->at_micros(1), 100u);
  EXPECT_EQ(record->at_micros(2), 1'892'588u);
  EXPECT_EQ(record->most_arguments(), 3u);
}

TEST(Monitor, ArgumentsMayBeEmptyOrHoldAnything) {
  const auto record =
      MonitorRecord::Parse("1.000000 [0 a:1] \"SET\" \"\" \"\\x00] \\\" [\"\n", "m", {});
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(Arguments(*record, 0), (Texts{"SET", "", "\0] \" ["s}));
}

TEST(Monitor, LeavesOutWhatScriptsRan) {
  const auto record = MonitorRecord::Parse(
      "1.000000 [0 a:1] \"EVAL\" \"redis.call('SET', 'k', 1)\" \"0\"\n"
      "1.000001 [0 lua] \"SET\" \"k\" \"1\"\n"
      "1.000002 [0 a:1] \"GET\" \"k\"\n",
      "m", {});
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->size(), 2u);
  EXPECT_EQ(record->of_scripts(), 1u);
  EXPECT_EQ(record->argument(1, 0), "GET");
}

TEST(Monitor, TimesNeverFall) {
  const auto record = MonitorRecord::Parse(
      "5.000000 [0 a:1] \"A\"\n4.000000 [0 a:1] \"A\"\n6.000000 [0 a:1] \"A\"\n"
      "5.500000 [0 a:1] \"A\"\n999999999999.000000 [0 a:1] \"A\"\n",
      "m", {});
  ASSERT_TRUE(record.ok()) << record.status();
  const std::vector<uint64_t> expected = {0, 0, 1'000'000, 1'000'000, 1'000'000'000'000'000};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(record->at_micros(i), expected[i]);
}

TEST(Monitor, ABadLineIsNamedWithItsReason) {
  EXPECT_EQ(ErrorOf("1.000000 [0 a:1] \"A\"\nrubbish\n"),
            "m.txt:2: does not begin with seconds.microseconds");
  const std::string time = "m.txt:1: does not begin with seconds.microseconds";
  EXPECT_EQ(ErrorOf("1.00000 [0 a:1] \"A\"\n"), time);
  EXPECT_EQ(ErrorOf("1 [0 a:1] \"A\"\n"), time);
  EXPECT_EQ(ErrorOf("-1.000000 [0 a:1] \"A\"\n"), time);
  EXPECT_EQ(ErrorOf("9999999999999.000000 [0 a:1] \"A\"\n"), time);
  const std::string client = "m.txt:1: no [database client] and a quoted command behind the time";
  EXPECT_EQ(ErrorOf("1.000000 \"A\"\n"), client);
  EXPECT_EQ(ErrorOf("1.000000 [x a:1] \"A\"\n"), client);
  EXPECT_EQ(ErrorOf("1.000000 [0] \"A\"\n"), client);
  EXPECT_EQ(ErrorOf("1.000000 [0 a:1]\n"), client);
  EXPECT_EQ(ErrorOf("1.000000 [0 a:1] A\n"), client);
  EXPECT_EQ(ErrorOf("1.000000 [0 a:1] \"A\n"), "m.txt:1: an argument has no closing quote");
  EXPECT_EQ(ErrorOf("1.000000 [0 a:1] \"A\" B\n"),
            "m.txt:1: an argument does not begin with a quote");
  EXPECT_EQ(ErrorOf("1.000000 [0 a:1] \"A\" \n"),
            "m.txt:1: an argument does not begin with a quote");
  EXPECT_EQ(ErrorOf("1.000000 [0 a:1] \"A\"\"B\"\n"), "m.txt:1: no blank between two arguments");
  EXPECT_EQ(ErrorOf("1.000000 [0 a:1] \"\\q\"\n"), "m.txt:1: an unknown escape");
  EXPECT_EQ(ErrorOf("1.000000 [0 a:1] \"\\x1\"\n"), "m.txt:1: an unknown escape");
  EXPECT_EQ(ErrorOf("1.000000 [0 a:1] \"\\xg0\"\n"), "m.txt:1: an unknown escape");
  EXPECT_EQ(ErrorOf("1.000000 [0 a:1] \"\"\n"), "m.txt:1: an empty command");
  EXPECT_EQ(ErrorOf(""), "m.txt: no requests");
  EXPECT_EQ(ErrorOf("OK\n"), "m.txt: no requests");
}

TEST(Monitor, BadLinesCanBeLeftOutAndALimitSet) {
  const auto record = MonitorRecord::Parse(
      "no\n1.000000 [0 a:1] \"A\" \"x\" \"\\q\"\n2.000000 [0 a:1] \"B\" \"y\"\n"
      "3.000000 [0 a:1] \"C\"\nno\n",
      "m", {.skip_bad_lines = true, .limit = 2});
  ASSERT_TRUE(record.ok()) << record.status();
  ASSERT_EQ(record->size(), 2u);
  EXPECT_EQ(record->bad_lines(), 2u);
  EXPECT_EQ(record->first_bad_line(), "m:1: does not begin with seconds.microseconds");
  EXPECT_EQ(Arguments(*record, 0), (Texts{"B", "y"}));
  EXPECT_EQ(record->at_micros(1), 1'000'000u);
}

TEST(Monitor, IsToldFromATrace) {
  EXPECT_TRUE(IsMonitorOutput("OK\n"));
  EXPECT_TRUE(IsMonitorOutput("\n1.000000 [0 a:1] \"A\"\n"));
  EXPECT_FALSE(IsMonitorOutput(""));
  EXPECT_FALSE(IsMonitorOutput("version,time,op,size,lbn\n"));
  EXPECT_FALSE(IsMonitorOutput("1,10,2a,512,7\n"));
  EXPECT_FALSE(IsMonitorOutput("0,k,1,2,3,get,0\n"));
}

TEST(Monitor, NoFileIsAnError) {
  EXPECT_TRUE(absl::IsNotFound(MonitorRecord::Read("/nonexistent/m", {}).status()));
}

}  // namespace
}  // namespace bench::remote
