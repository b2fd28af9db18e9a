// The whole program: its exit status, what it prints, and its JSON.
#include "bench/remote_watch/program.h"

#include <atomic>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "bench/remote_watch/watch_report.h"
#include "clients/local/process.h"
#include "clients/local/server.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace bench::remote_watch {
namespace {

using clients::local::Server;

struct Outcome {
  int status = -1;
  std::string out;
  std::string error;
};

Outcome RunProgram(const std::vector<std::string>& arguments, bool interrupt = false) {
  const std::atomic<bool> interrupted = interrupt;
  Outcome outcome;
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  outcome.status = Main(arguments, "test", interrupted);
  std::fflush(stdout);
  outcome.out = ::testing::internal::GetCapturedStdout();
  outcome.error = ::testing::internal::GetCapturedStderr();
  return outcome;
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

nlohmann::json ReadJson(const std::string& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
}

std::string UrlOf(const Server& server) {
  return "redis://127.0.0.1:" + std::to_string(server.port());
}

TEST(Program, ADemonstrationThatLosesNothing) {
  const clients::local::TemporaryDirectory directory;
  const std::string json = directory.path() + "/out.json";
  const Outcome run =
      RunProgram({"--duration=4s", "--interval=20ms", "--policy=always", "--json=" + json});
  EXPECT_EQ(run.status, kKept) << run.out << run.error;
  for (const std::string part :
       {"A demonstration", "is killed now", "DOWN", "UP ", "another process answers",
        "availability", "gaps", "latency", "kept: all"}) {
    EXPECT_TRUE(Has(run.out, part)) << part << ": " << run.out;
  }
  const nlohmann::json report = ReadJson(json);
  ASSERT_FALSE(report.is_discarded());
  ASSERT_EQ(report["benchmarks"].size(), 2u);
  for (const auto& row : report["benchmarks"]) {
    EXPECT_GT(row["acknowledged"], 0);
    EXPECT_EQ(row["lost"], 0);
    EXPECT_GE(row["gaps"], 1);
    EXPECT_LT(row["availability"], 1);
    EXPECT_GT(row["availability"], 0);
    EXPECT_GT(row["write_p50_ns"], 0);
  }
  ASSERT_GE(report["gaps"].size(), 2u);
  EXPECT_GT(report["gaps"][0]["down_ms"]["connect"], 0);
  EXPECT_FALSE(report["events"].empty());
  EXPECT_TRUE(report["context"].contains("compiler"));
}

TEST(Program, ADemonstrationThatLoses) {
  const Outcome run = RunProgram({"--duration=4s", "--interval=20ms", "--policy=none"});
  EXPECT_EQ(run.status, kLost) << run.out << run.error;
  EXPECT_TRUE(Has(run.out, "LOST:")) << run.out;
}

TEST(Program, AWatchOfAServerThatStandsHasNoGaps) {
  const auto server = Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  const Outcome run =
      RunProgram({"--url=" + UrlOf(*server), "--duration=300ms", "--interval=10ms"});
  EXPECT_EQ(run.status, kKept) << run.out << run.error;
  EXPECT_TRUE(Has(run.out, "no gaps")) << run.out;
  EXPECT_FALSE(Has(run.out, "A demonstration"));
}

TEST(Program, AnInterruptEndsItWithTheReport) {
  const auto server = Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  const Outcome run = RunProgram({"--url=" + UrlOf(*server)}, /*interrupt=*/true);
  EXPECT_EQ(run.status, kKept) << run.out << run.error;
  EXPECT_TRUE(Has(run.out, "availability")) << run.out;
}

TEST(Program, APersistenceTest) {
  const clients::local::TemporaryDirectory directory;
  const std::string json = directory.path() + "/out.json";
  const Outcome run = RunProgram({"--persistence", "--policy=none,always", "--rounds=1",
                                  "--write_seconds=400ms", "--keys=1k", "--json=" + json});
  EXPECT_EQ(run.status, kKept) << run.out << run.error;
  EXPECT_TRUE(Has(run.out, "\nalways ")) << run.out;
  EXPECT_TRUE(Has(run.out, "loss of power")) << run.out;
  const nlohmann::json report = ReadJson(json);
  ASSERT_FALSE(report.is_discarded());
  EXPECT_EQ(report["benchmarks"].size(), 2u);
}

TEST(Program, WhatItCannotRunHasAReasonAndAnExitStatus) {
  const Outcome usage = RunProgram({"--persistence", "--url=redis://host"});
  EXPECT_EQ(usage.status, kUsage);
  EXPECT_TRUE(Has(usage.error, "error: ")) << usage.error;
  EXPECT_EQ(RunProgram({"--help"}).status, 0);

  const std::string nobody = "127.0.0.1:" + std::to_string(clients::local::FreePort());
  const Outcome refused = RunProgram({"--url=redis://" + nobody});
  EXPECT_EQ(refused.status, kNotRun);
  EXPECT_TRUE(Has(refused.error, nobody)) << refused.error;

  const auto server = Server::Start({.password = "right"});
  ASSERT_TRUE(server.ok());
  const Outcome wrong =
      RunProgram({"--url=redis://:wrong@127.0.0.1:" + std::to_string(server->port())});
  EXPECT_EQ(wrong.status, kNotRun);
  EXPECT_TRUE(Has(wrong.error, "WRONGPASS")) << wrong.error;
  EXPECT_FALSE(Has(wrong.out + wrong.error, "wrong@"));

  const Outcome file = RunProgram({"--json=/nosuch/out.json"});
  EXPECT_EQ(file.status, kNotRun);
  EXPECT_TRUE(Has(file.error, "/nosuch/out.json")) << file.error;
}

}  // namespace
}  // namespace bench::remote_watch
