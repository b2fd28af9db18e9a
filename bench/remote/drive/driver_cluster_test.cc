// Clusters: a real one with a killed primary, and fake nodes that send commands elsewhere.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>

#include "bench/remote/drive/driver.h"
#include "bench/remote/drive/driver_testing.h"
#include "clients/local/server.h"
#include "clients/local/server_cluster.h"
#include "clients/testing/fake_server.h"
#include "fmt/format.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using clients::local::ServerCluster;
using clients::testing::FakeServer;

DrivePlan PlanFor(clients::ConnectOptions options) {
  options.url.cluster = true;
  return PatientPlan(std::move(options));
}

class RealCluster : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto cluster = ServerCluster::Start();
    ASSERT_TRUE(cluster.ok()) << cluster.status();
    cluster_ = new ServerCluster(*std::move(cluster));
  }
  static void TearDownTestSuite() { delete std::exchange(cluster_, nullptr); }
  void SetUp() override { ASSERT_NE(cluster_, nullptr); }

  static int64_t KeysOf(size_t node) {
    const auto size = cluster_->connection(node).Run({"DBSIZE"});
    return size.ok() ? size->integer() : -1;
  }

  static ServerCluster* cluster_;
};
ServerCluster* RealCluster::cluster_ = nullptr;

TEST_F(RealCluster, EachCommandGoesToTheNodeOfItsKey) {
  for (const Pace pace : {Pace::kClosed, Pace::kConstant}) {
    DrivePlan plan = PlanFor(cluster_->connect_options());
    plan.schedule = {.pace = pace, .rate = 10'000};
    plan.threads = 2;
    plan.connections = 7;
    plan.pipeline = 4;
    plan.requests = 3000;
    const auto result = DriveFixed(plan, {.commands = {{"SET", "key:#", "v"}, {"GET", "key:#"}}});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(Answered(*result), 3000u);
    EXPECT_EQ(ErrorsIn(*result) + LostIn(*result), 0u);
    EXPECT_EQ(result->redirections, 0u);
  }
}

TEST_F(RealCluster, WhatHasNoKeyGoesToAnyNode) {
  DrivePlan plan = PlanFor(cluster_->connect_options());
  plan.connections = 3;
  plan.requests = 300;
  const auto result = DriveFixed(plan, {.commands = {{"PING"}}, .key_argument = 0});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Answered(*result), 300u);
  EXPECT_EQ(ErrorsIn(*result), 0u);
}

TEST_F(RealCluster, NeedsAConnectionToEachPrimary) {
  DrivePlan plan = PlanFor(cluster_->connect_options());
  plan.threads = 2;
  plan.connections = 5;
  plan.requests = 1;
  const auto result = DriveFixed(plan, {.commands = {{"GET", "k"}}});
  ASSERT_TRUE(absl::IsInvalidArgument(result.status())) << result.status();
  EXPECT_NE(std::string(result.status().message()).find("6 in all"), std::string::npos);
}

// The last test of the cluster: a primary of it is gone then.
TEST_F(RealCluster, APrimaryIsKilled) {
  DrivePlan plan = PlanFor(cluster_->connect_options());
  plan.threads = 2;
  plan.connections = 8;
  plan.pipeline = 2;
  plan.seconds = 3600;
  BackgroundRun run(plan, {.commands = {{"SET", "key:#", "v"}, {"GET", "key:#"}}});
  ASSERT_TRUE(run.AwaitMore(1000));
  cluster_->node(0).Kill();
  // Until its replica has taken over.
  const auto is_primary = [] {
    const auto role = cluster_->connection(ServerCluster::kPrimaries).Run({"ROLE"});
    return role.ok() && role->size() > 0 && (*role)[0].text() == "master";
  };
  while (!is_primary()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  // New keys there are written by the run, which has found it.
  const int64_t before = KeysOf(ServerCluster::kPrimaries);
  while (KeysOf(ServerCluster::kPrimaries) < before + 100) {
    ASSERT_TRUE(run.AwaitMore(100));
  }
  const auto result = run.Stop();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Answered(*result) + LostIn(*result), run.issued());
  EXPECT_EQ(Answered(*result), run.answered());
  EXPECT_GE(result->reconnections, 1u);
  EXPECT_FALSE(result->lost_reasons.empty());
  for (const auto& [word, count] : result->error_words) EXPECT_EQ(word, "CLUSTERDOWN") << count;
}

// One node serves all slots, as `port`.
std::string SlotsReply(uint16_t port) {
  return fmt::format("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:{}\r\n", port);
}

// Answers one question for the map on each of its connections.
void ServeMap(FakeServer::Peer& peer, uint16_t owner) {
  if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
  if (peer.Await("SLOTS\r\n")) peer.Send(SlotsReply(owner));
  peer.Stall();
}

void ServeValues(FakeServer::Peer& peer) {
  while (peer.Await("GET")) peer.Send("$1\r\nv\r\n");
}

// Of the node where a run begins, the first connection asks for the map and the second drives.
TEST(FakeCluster, MovedIsFollowed) {
  FakeServer there([](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    ServeValues(peer);
  });
  std::atomic<uint16_t> port = 0;
  FakeServer here([&](FakeServer::Peer& peer) {
    if (peer.number() != 1) return ServeMap(peer, peer.number() == 0 ? port.load() : there.port());
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    if (!peer.Await("GET")) return;
    peer.Send(fmt::format("-MOVED 12182 127.0.0.1:{}\r\n", there.port()));
    ServeValues(peer);
  });
  port = here.port();
  DrivePlan plan = PlanFor(here.connect_options());
  plan.requests = 20;
  const auto result = DriveFixed(plan, {.commands = {{"GET", "foo"}}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->operations[0].hits, 20u);
  EXPECT_EQ(ErrorsIn(*result) + LostIn(*result), 0u);
  EXPECT_EQ(result->redirections, 1u);
}

TEST(FakeCluster, AskIsFollowedOnce) {
  FakeServer there([](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    // Nothing comes here that does not ask first.
    while (peer.Await("ASKING\r\n")) {
      peer.Send("+OK\r\n");
      if (peer.Await("GET")) peer.Send("$1\r\nv\r\n");
    }
  });
  std::atomic<uint16_t> port = 0;
  FakeServer here([&](FakeServer::Peer& peer) {
    if (peer.number() != 1) return ServeMap(peer, port);
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    for (int i = 0; i < 3; ++i) {
      if (!peer.Await("GET")) return;
      peer.Send(fmt::format("-ASK 12182 127.0.0.1:{}\r\n", there.port()));
    }
    ServeValues(peer);
  });
  port = here.port();
  DrivePlan plan = PlanFor(here.connect_options());
  plan.pipeline = 4;
  plan.requests = 20;
  const auto result = DriveFixed(plan, {.commands = {{"GET", "foo"}}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->operations[0].hits, 20u);
  EXPECT_EQ(ErrorsIn(*result) + LostIn(*result), 0u);
  EXPECT_EQ(result->redirections, 3u);
}

TEST(FakeCluster, ACircleIsCounted) {
  std::atomic<uint16_t> port = 0;
  FakeServer here([&](FakeServer::Peer& peer) {
    if (peer.number() != 1) return ServeMap(peer, port);
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    while (peer.Await("GET")) peer.Send(fmt::format("-MOVED 12182 127.0.0.1:{}\r\n", port.load()));
  });
  port = here.port();
  DrivePlan plan = PlanFor(here.connect_options());
  plan.requests = 3;
  const auto result = DriveFixed(plan, {.commands = {{"GET", "foo"}}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(ErrorsIn(*result), 3u);
  EXPECT_EQ(result->error_words.at("MOVED"), 3u);
}

TEST(FakeCluster, MovedToADeadNodeEndsTheRun) {
  const uint16_t dead = clients::local::FreePort();
  std::atomic<uint16_t> port = 0;
  FakeServer here([&](FakeServer::Peer& peer) {
    if (peer.number() != 1) return ServeMap(peer, peer.number() == 0 ? port.load() : dead);
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    while (peer.Await("GET")) peer.Send(fmt::format("-MOVED 12182 127.0.0.1:{}\r\n", dead));
  });
  port = here.port();
  DrivePlan plan = PlanFor(here.connect_options());
  plan.server.reconnect_for = std::chrono::milliseconds(200);
  plan.requests = 1;
  const auto result = DriveFixed(plan, {.commands = {{"GET", "foo"}}});
  ASSERT_TRUE(absl::IsUnavailable(result.status())) << result.status();
  EXPECT_NE(std::string(result.status().message()).find(std::to_string(dead)), std::string::npos)
      << result.status();
}

TEST(FakeCluster, AServerThatIsNone) {
  const auto server = clients::local::Server::Start();
  ASSERT_TRUE(server.ok());
  DrivePlan plan = PlanFor(server->connect_options());
  plan.requests = 1;
  const auto result = DriveFixed(plan, {.commands = {{"GET", "foo"}}});
  ASSERT_FALSE(result.ok());
  EXPECT_NE(std::string(result.status().message()).find("cluster support disabled"),
            std::string::npos)
      << result.status();
}

}  // namespace
}  // namespace bench::remote
