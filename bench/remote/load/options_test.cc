#include "bench/remote/load/options.h"

#include <string>

#include "gtest/gtest.h"

namespace bench::remote {
namespace {

TEST(KeyDistributions, AreReadFromTheirTexts) {
  EXPECT_EQ(ParseKeyDistribution("uniform")->pattern, KeyPattern::kUniform);
  EXPECT_EQ(ParseKeyDistribution("sequential")->pattern, KeyPattern::kSequential);
  EXPECT_EQ(ParseKeyDistribution("zipf")->pattern, KeyPattern::kZipf);
  EXPECT_EQ(ParseKeyDistribution("zipf")->theta, 0.99);
  EXPECT_EQ(ParseKeyDistribution("zipf:1.2")->theta, 1.2);
  EXPECT_EQ(ParseKeyDistribution("latest:0.5")->pattern, KeyPattern::kLatest);
  EXPECT_EQ(ParseKeyDistribution("latest:0.5")->theta, 0.5);
  const auto hot = ParseKeyDistribution("hot:0.2:0.75");
  ASSERT_TRUE(hot.ok()) << hot.status();
  EXPECT_EQ(hot->pattern, KeyPattern::kHot);
  EXPECT_EQ(hot->hot_keys, 0.2);
  EXPECT_EQ(hot->hot_requests, 0.75);
}

TEST(KeyDistributions, WhatIsNoneIsRefused) {
  for (const char* text : {"", "zip", "uniform:1", "uniform:", "zipf:", "zipf:x", "zipf:-1",
                           "zipf:nan", "zipf:11", "hot", "hot:0.1", "hot:0:0.5", "hot:0.1:2",
                           "hot:nan:0.5", "hot:0.1:0.5:1", "sequential:2"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseKeyDistribution(text).status())) << text;
  }
  EXPECT_EQ(ParseKeyDistribution("zip").status().message(),
            "\"zip\" is no key distribution: uniform, zipf[:theta], latest[:theta], sequential, "
            "hot:share of keys:share of requests");
}

TEST(Ranges, AreReadFromTheirTexts) {
  using Ranges = std::vector<RangeShare>;
  EXPECT_EQ(*ParseRanges("100"), (Ranges{{100, 100, 1}}));
  EXPECT_EQ(*ParseRanges("0"), (Ranges{{0, 0, 1}}));
  EXPECT_EQ(*ParseRanges("100-1000"), (Ranges{{100, 1000, 1}}));
  EXPECT_EQ(*ParseRanges("100:3,1000-2000:0.5,7"),
            (Ranges{{100, 100, 3}, {1000, 2000, 0.5}, {7, 7, 1}}));
}

TEST(Ranges, WhatIsNoneIsRefused) {
  for (const char* text : {"", ",", "1,", ",1", "a", "-1", "5-", "5-:1", "5:", "5:x", "5:0", "5:-1",
                           "5:nan", "5:inf", "9-5", "5-9-12", "5:1:2", "4294967296", "1 "}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseRanges(text).status())) << text;
  }
}

}  // namespace
}  // namespace bench::remote
