// What fails while a server is driven: each request is answered or lost, and nothing hangs.
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "bench/remote/drive/driver.h"
#include "bench/remote/drive/driver_testing.h"
#include "bench/remote/drive/validity.h"
#include "clients/local/server.h"
#include "clients/testing/fake_server.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using clients::local::Server;
using clients::testing::FakeServer;
using std::chrono::milliseconds;

const FixedCommands kIncrement = {.commands = {{"INCR", "n"}}};

Server StartServer(const clients::local::ServerOptions& options = {}) {
  auto server = Server::Start(options);
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

TEST(DriveFailures, EachRequestIsAnsweredOrLostOnce) {
  // Each connection answers ten and is cut in the eleventh.
  FakeServer server([](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    for (int i = 0; i < 10; ++i) {
      if (!peer.Await("GET")) return;
      peer.Send("$1\r\nv\r\n");
    }
    if (peer.Await("GET")) peer.Send("$10\r\nhalf");
  });
  for (const Pace pace : {Pace::kClosed, Pace::kConstant}) {
    DrivePlan plan = PatientPlan(server.connect_options());
    plan.schedule = {.pace = pace, .rate = 20'000};
    plan.connections = 3;
    plan.pipeline = 5;
    plan.requests = 300;
    Issued issued = 0;
    const auto result = DriveFixed(plan, {.commands = {{"GET", "k"}}}, &issued);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(issued.load(), 300u);
    EXPECT_EQ(Answered(*result) + LostIn(*result), 300u);
    EXPECT_GE(LostIn(*result), 10u);
    EXPECT_EQ(result->operations[0].hits, Answered(*result));
    EXPECT_GT(result->reconnections, 0u);
    ASSERT_FALSE(result->lost_reasons.empty());
    const std::string& reason = result->lost_reasons.begin()->first;
    EXPECT_EQ(reason.find(ToString(server.node())), 0u) << reason;
    if (pace == Pace::kClosed) {
      EXPECT_EQ(WhyInvalid(plan, *result, {.server_cpu_share = 1}).size(), 1u);
    }
  }
}

TEST(DriveFailures, AServerThatNeverLetsAConnectionStay) {
  FakeServer server([](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    peer.Await("GET");
  });
  DrivePlan plan = PatientPlan(server.connect_options());
  plan.server.reconnect_for = milliseconds(50);
  plan.requests = std::numeric_limits<int64_t>::max();
  const auto result = DriveFixed(plan, {.commands = {{"GET", "k"}}});
  ASSERT_FALSE(result.ok());
  EXPECT_TRUE(absl::IsUnavailable(result.status()));
  EXPECT_NE(std::string(result.status().message()).find(ToString(server.node())),
            std::string::npos);
}

TEST(DriveFailures, AServerThatAnswersNothingIsLost) {
  FakeServer server([](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    peer.Stall();
  });
  DrivePlan plan = PatientPlan(server.connect_options());
  plan.server.command_timeout = milliseconds(40);
  plan.connections = 2;
  plan.pipeline = 3;
  plan.requests = 6;
  const auto result = DriveFixed(plan, {.commands = {{"GET", "k"}}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Answered(*result), 0u);
  EXPECT_EQ(LostIn(*result), 6u);
  EXPECT_EQ(WhyInvalid(plan, *result, {.server_cpu_share = 1}).size(), 2u);
}

TEST(DriveFailures, GoesOnWhenTheServerComesBack) {
  for (const Pace pace : {Pace::kClosed, Pace::kConstant}) {
    Server server = StartServer();
    DrivePlan plan = PatientPlan(server.connect_options());
    plan.schedule = {.pace = pace, .rate = 5000};
    plan.threads = 2;
    plan.connections = 5;
    plan.pipeline = 2;
    plan.seconds = 3600;
    BackgroundRun run(plan, {.commands = {{"SET", "k", "v"}}});
    ASSERT_TRUE(run.AwaitMore(100));
    server.Kill();
    ASSERT_TRUE(server.Restart().ok());
    ASSERT_TRUE(run.AwaitMore(1000));
    const auto result = run.Stop();
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(Answered(*result) + LostIn(*result), run.issued());
    EXPECT_EQ(Answered(*result), run.answered());
    EXPECT_GE(result->reconnections, 1u);
    EXPECT_FALSE(result->lost_reasons.empty());
    if (pace == Pace::kConstant) {
      EXPECT_EQ(result->planned, run.issued());
    }
  }
}

TEST(DriveFailures, AServerThatStaysAwayEndsTheRun) {
  for (const Pace pace : {Pace::kClosed, Pace::kConstant}) {
    Server server = StartServer();
    DrivePlan plan = PatientPlan(server.connect_options());
    plan.schedule = {.pace = pace, .rate = 5000};
    plan.server.reconnect_for = milliseconds(100);
    plan.threads = 2;
    plan.connections = 4;
    plan.seconds = 3600;
    BackgroundRun run(plan, kIncrement);
    ASSERT_TRUE(run.AwaitMore(100));
    server.Kill();
    const auto result = run.Await();
    ASSERT_FALSE(result.ok());
    EXPECT_TRUE(absl::IsUnavailable(result.status())) << result.status();
    EXPECT_NE(std::string(result.status().message()).find(std::to_string(server.port())),
              std::string::npos);
  }
}

TEST(DriveFailures, NobodyIsThere) {
  DrivePlan plan = PatientPlan({.url = {.hosts = {{"127.0.0.1", clients::local::FreePort()}}}});
  plan.threads = 2;
  plan.connections = 4;
  plan.requests = 10;
  const auto result = DriveFixed(plan, kIncrement);
  ASSERT_TRUE(absl::IsUnavailable(result.status())) << result.status();
  EXPECT_NE(std::string(result.status().message()).find(ToString(plan.server.url.hosts[0])),
            std::string::npos);
}

TEST(DriveFailures, AWrongPassword) {
  const Server server = StartServer({.password = "right"});
  DrivePlan plan = PatientPlan(server.connect_options());
  plan.server.url.password = "wrong";
  plan.requests = 10;
  const auto result = DriveFixed(plan, kIncrement);
  EXPECT_TRUE(absl::IsUnauthenticated(result.status())) << result.status();
}

TEST(DriveFailures, AFullServer) {
  const Server server = StartServer({.settings = {{"maxmemory", "1"}}});
  DrivePlan plan = PatientPlan(server.connect_options());
  plan.requests = 10;
  const auto result = DriveFixed(plan, kIncrement);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(ErrorsIn(*result), 10u);
  EXPECT_EQ(result->error_words.count("OOM"), 1u);
}

}  // namespace
}  // namespace bench::remote
