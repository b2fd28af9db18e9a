#include "bench/remote/flag_values.h"

#include "gtest/gtest.h"

namespace bench::remote {
namespace {

TEST(FlagValues, Rates) {
  const auto constant = ParseRate("10k");
  ASSERT_TRUE(constant.has_value());
  EXPECT_EQ(constant->pace, Pace::kConstant);
  EXPECT_EQ(constant->rate, 10'000);
  EXPECT_EQ(ParseRate("0.5")->rate, 0.5);
  const auto ramp = ParseRate("1k..50k");
  ASSERT_TRUE(ramp.has_value());
  EXPECT_EQ(ramp->pace, Pace::kRamp);
  EXPECT_EQ(ramp->rate, 1000);
  EXPECT_EQ(ramp->end_rate, 50'000);
  for (const char* bad :
       {"", "0", "-1", "x", "10kk", "1e300", "nan", "inf", "1..", "..1", "1..2..3", "10 "}) {
    EXPECT_FALSE(ParseRate(bad).has_value()) << bad;
  }
}

TEST(FlagValues, Bursts) {
  const auto burst = ParseBurst("5k:500ms,100:9");
  ASSERT_TRUE(burst.has_value());
  EXPECT_EQ(burst->pace, Pace::kBurst);
  EXPECT_EQ(burst->rate, 5000);
  EXPECT_EQ(burst->burst_seconds, 0.5);
  EXPECT_EQ(burst->rest_rate, 100);
  EXPECT_EQ(burst->rest_seconds, 9);
  EXPECT_EQ(ParseBurst("5k:1,0:9")->rest_rate, 0);
  for (const char* bad :
       {"", "5k", "5k:1", "5k:1,1", "5k:0,1:1", "0:1,5:1", "a:1,b:1", "5k:1,1:1,1:1"}) {
    EXPECT_FALSE(ParseBurst(bad).has_value()) << bad;
  }
}

TEST(FlagValues, Numbers) {
  EXPECT_EQ(ParseNumbers("1,50,1k", 1, 1000), (std::vector<int>{1, 50, 1000}));
  for (const char* bad : {"", ",", "0", "1001", "1,x", "-1", "1.5"}) {
    EXPECT_FALSE(ParseNumbers(bad, 1, 1000).has_value()) << bad;
  }
}

TEST(FlagValues, Shares) {
  EXPECT_EQ(ParseShare("0.8"), 0.8);
  EXPECT_EQ(ParseShare("80%"), 0.8);
  EXPECT_EQ(ParseShare("0"), 0);
  EXPECT_EQ(ParseShare("1"), 1);
  for (const char* bad : {"", "%", "1.1", "-0.1", "120%", "nan", "x"}) {
    EXPECT_FALSE(ParseShare(bad).has_value()) << bad;
  }
}

TEST(FlagValues, TheRest) {
  EXPECT_EQ(ParseDuration("1h"), 3600);
  EXPECT_FALSE(ParseDuration("0").has_value());
  EXPECT_FALSE(ParseDuration("-1").has_value());
  EXPECT_EQ(ParseSetting("io-threads=4"), (std::vector<std::string>{"io-threads", "4"}));
  EXPECT_EQ(ParseSetting("save="), (std::vector<std::string>{"save", ""}));
  EXPECT_FALSE(ParseSetting("io-threads").has_value());
  EXPECT_FALSE(ParseSetting("=4").has_value());
  EXPECT_EQ(ParseYes("no"), false);
  EXPECT_EQ(ParseYes("yes"), true);
  EXPECT_FALSE(ParseYes("perhaps").has_value());
}

}  // namespace
}  // namespace bench::remote
