#include "bench/workload.h"

#include <cmath>
#include <set>
#include <string>

#include "bench/twitter_profiles.h"
#include "gtest/gtest.h"

namespace bench {
namespace {

TEST(Workloads, AreWellFormed) {
  std::set<std::string_view> names;
  for (const Workload& workload : Workloads()) {
    SCOPED_TRACE(workload.name);
    EXPECT_TRUE(names.insert(workload.name).second);
    EXPECT_FALSE(workload.description.empty());
    EXPECT_EQ(workload.description.find('\n'), std::string_view::npos);
    EXPECT_GE(workload.operations_divisor, 1u);
    EXPECT_LE(workload.scan_minimum, workload.scan_maximum);
    EXPECT_EQ(FindWorkload(workload.name), &workload);
    if (!Refusal(workload, true).empty()) continue;
    double sum = 0;
    bool ended = false;
    for (const MixEntry& entry : workload.mix) {
      EXPECT_GE(entry.share, 0);
      EXPECT_FALSE(ended && entry.share > 0) << "an entry after an unused one";
      ended |= entry.share == 0;
      sum += entry.share;
    }
    EXPECT_NEAR(sum, 1, 1e-9);
    // A batch kind has the row to itself: the block's layout depends on it.
    for (const MixEntry& entry : workload.mix) {
      if (entry.kind == OperationKind::kPutBatch || entry.kind == OperationKind::kMultiGet) {
        EXPECT_EQ(entry.share, 1);
      }
    }
  }
}

TEST(Workloads, HoldTheWholeList) {
  for (const char* name : {"fillseq",
                           "fillrandom",
                           "filluniquerandom",
                           "overwrite",
                           "fillsync",
                           "fill100K",
                           "fillbatch",
                           "readseq",
                           "readreverse",
                           "readrandom",
                           "readmissing",
                           "readhot",
                           "readwhilewriting",
                           "readrandomwriterandom",
                           "readscans",
                           "readfollowing",
                           "fillpaths",
                           "readpaths",
                           "fillseries",
                           "updaterandom",
                           "seekrandom",
                           "multireadrandom",
                           "deleteseq",
                           "deleterandom",
                           "compact",
                           "cas",
                           "count",
                           "count_1_in_5",
                           "count_1_in_100",
                           "count_1_in_1000",
                           "count_none",
                           "putbatch",
                           "ycsb_a",
                           "ycsb_b",
                           "ycsb_c",
                           "ycsb_d",
                           "ycsb_e",
                           "ycsb_f"}) {
    EXPECT_NE(FindWorkload(name), nullptr) << name;
  }
  for (int cluster = 1; cluster <= 54; ++cluster) {
    EXPECT_NE(FindWorkload("twitter_cluster" + std::to_string(cluster)), nullptr) << cluster;
  }
  EXPECT_EQ(FindWorkload("twitter_cluster55"), nullptr);
}

TEST(TwitterProfiles, AreAllThereAndSensible) {
  ASSERT_EQ(kTwitterProfiles.size(), 54u);
  int unknown = 0;
  uint64_t key_bytes = 0;
  uint64_t value_bytes = 0;
  double kilo_requests = 0;
  for (size_t i = 0; i < kTwitterProfiles.size(); ++i) {
    const TwitterProfile& profile = kTwitterProfiles[i];
    SCOPED_TRACE(profile.cluster);
    EXPECT_EQ(profile.cluster, static_cast<int>(i) + 1);
    EXPECT_GE(profile.category, 1);
    EXPECT_LE(profile.category, 3);
    if (profile.key_bytes == 0) {
      ++unknown;
      continue;
    }
    key_bytes += profile.key_bytes;
    value_bytes += profile.value_bytes;
    kilo_requests += profile.kilo_requests_per_second;
    double operations = 0;
    for (const auto& [operation, share] : profile.operations) {
      EXPECT_EQ(operation == TwitterOperation::kNone, share == 0);
      operations += share;
    }
    // Published shares are rounded to whole percents and leave out what is rarer.
    EXPECT_GE(operations, 0.96);
    EXPECT_LE(operations, 1.02);
    double ttls = 0;
    for (const auto& [seconds, share] : profile.ttls) {
      EXPECT_EQ(seconds == 0, share == 0);
      ttls += share;
    }
    EXPECT_GT(ttls, 0.2);
    EXPECT_LE(ttls, 1.02);
  }
  EXPECT_EQ(unknown, 1);
  // Column sums of the published file.
  EXPECT_EQ(key_bytes, 2015u);
  EXPECT_EQ(value_bytes, 146437u);
  EXPECT_NEAR(kilo_requests, 377.96, 1e-6);
}

TEST(TwitterProfiles, WhatIsNotPublishedIsRefused) {
  EXPECT_NE(Refusal(*FindWorkload("twitter_cluster5"), true), "");
  EXPECT_NE(Refusal(*FindWorkload("twitter_cluster43"), false), "");
  EXPECT_EQ(Refusal(*FindWorkload("twitter_cluster43"), true), "");
  EXPECT_EQ(Refusal(*FindWorkload("twitter_cluster54"), false), "");
}

}  // namespace
}  // namespace bench
