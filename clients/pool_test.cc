#include "clients/pool.h"

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "clients/local/on_each_server.h"
#include "clients/local/server.h"
#include "clients/testing/fake_server.h"
#include "gtest/gtest.h"

namespace clients {
namespace {

using local::Server;
using testing::FakeServer;

class RealPool : public local::OnEachServer<> {};

TEST_P(RealPool, ThreadsShareFewConnections) {
  const Server server = StartServer();
  constexpr int kThreads = 6;
  constexpr int kTimes = 200;
  ConnectOptions options = server.connect_options();
  options.command_timeout = std::chrono::minutes(1);
  const auto pool = Pool::Create(options, 2);
  ASSERT_TRUE(pool.ok()) << pool.status();
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int time = 0; time < kTimes; ++time) {
        auto lease = (*pool)->Take();
        ASSERT_TRUE(lease.ok()) << lease.status();
        ASSERT_TRUE((*lease)->Run({"INCR", "count"}).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  auto lease = (*pool)->Take();
  ASSERT_TRUE(lease.ok());
  EXPECT_EQ((*lease)->Run({"GET", "count"})->text(), std::to_string(kThreads * kTimes));
  const auto clients = (*lease)->Run({"INFO", "clients"});
  ASSERT_TRUE(clients.ok());
  EXPECT_LE((*pool)->idle(), 1u);
  EXPECT_TRUE(clients->text().find("connected_clients:1\r") != std::string_view::npos ||
              clients->text().find("connected_clients:2\r") != std::string_view::npos)
      << clients->text();
}

CLIENTS_TEST_ON_EACH_SERVER(RealPool);

TEST(Pool, IsBounded) {
  FakeServer server([](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    peer.Stall();
  });
  ConnectOptions options = server.connect_options();
  options.command_timeout = std::chrono::milliseconds(20);
  const auto pool = Pool::Create(options, 2);
  ASSERT_TRUE(pool.ok());
  auto first = (*pool)->Take();
  {
    const auto second = (*pool)->Take();
    ASSERT_TRUE(first.ok() && second.ok());
    const absl::Status status = (*pool)->Take().status();
    EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
    EXPECT_NE(status.ToString().find("all 2 connections"), std::string::npos) << status;
  }
  EXPECT_EQ((*pool)->idle(), 1u);
  EXPECT_TRUE((*pool)->Take().ok());
  EXPECT_EQ(server.connections(), 2);
}

TEST(Pool, LostConnectionsGiveTheirPlacesBack) {
  FakeServer server([](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    peer.Await("GET");
  });
  const auto pool = Pool::Create(server.connect_options(), 1);
  ASSERT_TRUE(pool.ok());
  for (int i = 1; i <= 3; ++i) {
    auto lease = (*pool)->Take();
    ASSERT_TRUE(lease.ok()) << lease.status();
    EXPECT_FALSE((*lease)->Run({"GET", "k"}).ok());
    EXPECT_EQ(server.connections(), i);
  }
  EXPECT_EQ((*pool)->idle(), 0u);
}

TEST(Pool, PlacesSurviveConnectionsThatCannotBeMade) {
  ConnectOptions options{.url = {.hosts = {{"127.0.0.1", local::FreePort()}}}};
  const auto pool = Pool::Create(options, 1);
  ASSERT_TRUE(pool.ok());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(absl::IsUnavailable((*pool)->Take().status()));
}

TEST(Pool, HasAtLeastOne) {
  EXPECT_FALSE(Pool::Create({.url = {.hosts = {{"h", 1}}}}, 0).ok());
  EXPECT_FALSE(Pool::Create({}, 1).ok());
}

}  // namespace
}  // namespace clients
