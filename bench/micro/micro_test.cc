#include "bench/micro/micro.h"

#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace bench {
namespace {

absl::StatusOr<MicroResult> Counts(const MicroPlan& plan) {
  MicroResult result;
  result.operations = plan.num * static_cast<uint64_t>(plan.threads);
  result.seconds = 2;
  result.nanos.Record(100);
  result.nanos.Record(900);
  return result;
}

absl::StatusOr<MicroResult> Fails(const MicroPlan&) { return absl::InternalError("broken"); }

int StatusOf(const std::vector<std::string>& flags) {
  const std::vector<MicroCase> cases = {{"count", "one", "counts", Counts},
                                        {"fail", "one", "fails", Fails}};
  std::vector<const char*> argv = {"micro"};
  for (const std::string& flag : flags) argv.push_back(flag.c_str());
  return RunMicro(static_cast<int>(argv.size()), argv.data(), cases);
}

TEST(MicroTest, WritesARowForEachWorkloadAndThreadCount) {
  const std::string path = testing::TempDir() + "/report.json";
  ASSERT_EQ(StatusOf({"--system=one", "--workloads=count", "--threads=1,4", "--num=10",
                      "--dir=" + testing::TempDir(), "--json=" + path}),
            0);
  const auto report = nlohmann::json::parse(std::ifstream(path));
  ASSERT_EQ(report["benchmarks"].size(), 2u);
  const auto& row = report["benchmarks"][1];
  EXPECT_EQ(row["name"], "one/count/threads:4");
  EXPECT_EQ(row["items_per_second"], 20.0);
  EXPECT_EQ(row["p50_ns"], 100);
  EXPECT_EQ(row["max_ns"], 900);
}

TEST(MicroTest, WhatItCannotDoIsAnError) {
  const std::string dir = "--dir=" + testing::TempDir();
  EXPECT_EQ(StatusOf({"--system=one", "--workloads=fail", dir}), 1);
  EXPECT_EQ(StatusOf({"--system=one", "--workloads=nothing", dir}), 2);
  EXPECT_EQ(StatusOf({"--system=none", "--workloads=count", dir}), 2);
  EXPECT_EQ(StatusOf({"--system=one", "--workloads=count", "--threads=0", dir}), 2);
  EXPECT_EQ(StatusOf({"--system=one", "--workloads=count", "--num=many", dir}), 2);
  EXPECT_EQ(StatusOf({"--system=one", "--workloads=count", "--what", dir}), 2);
  EXPECT_EQ(StatusOf({"--system=one", "--workloads=count"}), 2);
  EXPECT_EQ(StatusOf({"--list"}), 0);
}

}  // namespace
}  // namespace bench
