#include "bench/remote_watch/route.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "clients/local/server.h"
#include "clients/testing/fake_server.h"
#include "gtest/gtest.h"

namespace bench::remote_watch {
namespace {

using clients::HostPort;
using clients::Reply;
using clients::testing::FakeServer;

constexpr uint16_t kSlot = 7629;  // of "k"

std::string AllSlotsAt(uint16_t port) {
  return "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$0\r\n\r\n:" + std::to_string(port) + "\r\n";
}

// A node of a cluster: says that all slots are at `owner`, and answers GETs; false: it closes.
FakeServer::Script Node(const std::atomic<uint16_t>* owner,
                        std::function<bool(FakeServer::Peer&)> on_get) {
  return [owner, on_get = std::move(on_get)](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    while (const auto which =
               peer.AwaitAny({"SHARDS\r\n", "SLOTS\r\n", "ASKING\r\n", "GET\r\n$1\r\nk\r\n"})) {
      if (*which == 0) peer.Send("-ERR Unknown subcommand\r\n");
      if (*which == 1) peer.Send(AllSlotsAt(*owner));
      if (*which == 2) peer.Send("+OK\r\n");
      if (*which == 3 && !on_get(peer)) return;
    }
  };
}

bool Answer(FakeServer::Peer& peer, const std::string& text) {
  return peer.Send("$" + std::to_string(text.size()) + "\r\n" + text + "\r\n");
}

clients::ConnectOptions Options(const HostPort& node) {
  clients::ConnectOptions options{.url = {.cluster = true, .hosts = {node}}};
  options.connect_timeout = std::chrono::minutes(1);
  options.command_timeout = std::chrono::minutes(1);
  return options;
}

TEST(Route, ToOneServer) {
  auto server = clients::local::Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  const auto dialers = Dialers::Create(server->connect_options());
  ASSERT_TRUE(dialers.ok());
  Route route(*dialers, std::nullopt);
  EXPECT_FALSE(route.is_connected());
  ASSERT_TRUE(route.Connect().ok());
  Reply reply;
  ASSERT_TRUE(route.Run({"SET", "k", "v"}, &reply).ok());
  ASSERT_TRUE(route.Run({"LPUSH", "k", "v"}, &reply).ok());
  EXPECT_TRUE(reply.is_error());  // and the connection stands
  EXPECT_TRUE(route.is_connected());

  server->Kill();
  EXPECT_FALSE(route.Run({"GET", "k"}, &reply).ok());
  EXPECT_FALSE(route.is_connected());
  EXPECT_FALSE(route.Connect().ok());
  EXPECT_FALSE(route.is_connected());
}

TEST(Route, FollowsMovedAndStaysThere) {
  std::atomic<uint16_t> port = 0;
  FakeServer there(Node(&port, [](FakeServer::Peer& peer) { return Answer(peer, "there"); }));
  FakeServer here(Node(&port, [&](FakeServer::Peer& peer) {
    return peer.Send("-MOVED 7629 " + ToString(there.node()) + "\r\n");
  }));
  port = here.port();
  const auto dialers = Dialers::Create(Options(here.node()));
  ASSERT_TRUE(dialers.ok());
  Route route(*dialers, kSlot);
  ASSERT_TRUE(route.Connect().ok());
  for (int i = 0; i < 3; ++i) {
    Reply reply;
    ASSERT_TRUE(route.Run({"GET", "k"}, &reply).ok());
    EXPECT_EQ(reply.text(), "there");
  }
  EXPECT_EQ(route.redirections(), 1u);
  EXPECT_EQ(route.peer(), ToString(there.node()));
}

TEST(Route, FollowsAskOnce) {
  std::atomic<uint16_t> port = 0;
  FakeServer there(Node(&port, [](FakeServer::Peer& peer) { return Answer(peer, "there"); }));
  std::atomic<int> gets = 0;
  FakeServer here(Node(&port, [&](FakeServer::Peer& peer) {
    if (gets++ > 0) return Answer(peer, "here");
    return peer.Send("-ASK 7629 " + ToString(there.node()) + "\r\n");
  }));
  port = here.port();
  const auto dialers = Dialers::Create(Options(here.node()));
  ASSERT_TRUE(dialers.ok());
  Route route(*dialers, kSlot);
  ASSERT_TRUE(route.Connect().ok());
  Reply reply;
  ASSERT_TRUE(route.Run({"GET", "k"}, &reply).ok());
  EXPECT_EQ(reply.text(), "there");
  ASSERT_TRUE(route.Run({"GET", "k"}, &reply).ok());
  EXPECT_EQ(reply.text(), "here");
}

TEST(Route, ACircleOfRedirectionsIsAnErrorReply) {
  std::atomic<uint16_t> port = 0;
  FakeServer server(Node(&port, [&](FakeServer::Peer& peer) {
    return peer.Send("-MOVED 7629 127.0.0.1:" + std::to_string(port) + "\r\n");
  }));
  port = server.port();
  const auto dialers = Dialers::Create(Options(server.node()));
  ASSERT_TRUE(dialers.ok());
  Route route(*dialers, kSlot);
  ASSERT_TRUE(route.Connect().ok());
  Reply reply;
  ASSERT_TRUE(route.Run({"GET", "k"}, &reply).ok());
  EXPECT_TRUE(reply.is_error());
}

// The node of the URL is dead; what it said before names another one.
TEST(Route, NodesThatWereKnownAreAsked) {
  std::atomic<uint16_t> port = 0;
  const auto answer = [](FakeServer::Peer& peer) { return Answer(peer, "v"); };
  FakeServer other(Node(&port, answer));
  auto seed = std::make_unique<FakeServer>(Node(&port, answer));
  port = other.port();
  const auto dialers = Dialers::Create(Options(seed->node()));
  ASSERT_TRUE(dialers.ok());
  Route route(*dialers, kSlot);
  ASSERT_TRUE(route.Connect().ok());
  seed.reset();
  ASSERT_TRUE(route.Connect().ok());
  EXPECT_EQ(route.peer(), ToString(other.node()));
}

TEST(FindSlots, OfTheFirstThatAnswers) {
  std::atomic<uint16_t> port = 0;
  FakeServer silent([](FakeServer::Peer& peer) { peer.Stall(); });
  FakeServer server(Node(&port, [](FakeServer::Peer&) { return false; }));
  port = server.port();
  clients::ConnectOptions options = Options(silent.node());
  options.url.hosts.push_back(server.node());
  options.connect_timeout = std::chrono::seconds(4);
  const auto dialers = Dialers::Create(options);
  ASSERT_TRUE(dialers.ok());
  const auto map = FindSlots(*dialers, options.url.hosts);
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_EQ(map->OwnerOf(kSlot)->port, server.port());
  EXPECT_TRUE(clients::MayHeal(FindSlots(*dialers, {silent.node()}).status()));
}

}  // namespace
}  // namespace bench::remote_watch
