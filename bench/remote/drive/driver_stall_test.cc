// What a server that stands still for a second looks like in open and in closed loop: the reason
// for open loops ("coordinated omission").
//
// Nothing here depends on how fast the machine is. In open loop at 1000 a second, 500 requests are
// planned in the first half of the pause, and each of them takes over half a second; it would take
// 500,000 requests, more than eight minutes of them, to hide those from p99.9. In closed loop one
// request waits for the end of the pause, and all others come after it: of over 20,000, 20 would
// have to take half a second for p99.9 to show any of it.
#include <chrono>
#include <cstdint>
#include <thread>

#include "bench/remote/drive/driver.h"
#include "bench/remote/drive/driver_testing.h"
#include "clients/local/server.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using clients::local::Server;

constexpr uint64_t kHalfASecond = 500'000'000;

// Drives with one request in flight, pauses the server for a second, and goes on for `after`
// requests.
DriveResult DriveThroughAPause(const Schedule& schedule, uint64_t after) {
  auto server = Server::Start();
  EXPECT_TRUE(server.ok()) << server.status();
  DrivePlan plan{.server = server->connect_options(), .connections = 1, .schedule = schedule};
  plan.server.command_timeout = std::chrono::minutes(1);
  plan.seconds = 3600;
  BackgroundRun run(plan, {.commands = {{"INCR", "n"}}});
  EXPECT_TRUE(run.AwaitMore(200));
  server->Pause();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  server->Resume();
  EXPECT_TRUE(run.AwaitMore(after));
  auto result = run.Stop();
  EXPECT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(LostIn(*result), 0u);
  return *std::move(result);
}

TEST(DriveThroughAPause, OpenLoopShowsIt) {
  const DriveResult result = DriveThroughAPause({.pace = Pace::kConstant, .rate = 1000}, 1500);
  const kv::Histogram& latency = *result.operations[0].latency;
  EXPECT_GE(latency.Percentile(99.9), kHalfASecond);
  EXPECT_GE(latency.Max(), 2 * kHalfASecond - 10'000'000);
  EXPECT_EQ(result.planned, latency.Count());
  // What had no room was late by the server's fault, and not by the generator's.
  EXPECT_LE(result.sent_late, result.planned - 500);
}

TEST(DriveThroughAPause, ClosedLoopHidesIt) {
  const DriveResult result = DriveThroughAPause({.pace = Pace::kClosed}, 20'000);
  const kv::Histogram& latency = *result.operations[0].latency;
  EXPECT_LT(latency.Percentile(99.9), kHalfASecond);
  EXPECT_GE(latency.Max(), kHalfASecond);
}

}  // namespace
}  // namespace bench::remote
