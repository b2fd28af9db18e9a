// Servers that do what no server should: each is a clear error that names host and port, within the
// time-out, and never a reply.

#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "clients/connection.h"
#include "clients/local/server.h"
#include "clients/testing/fake_server.h"
#include "gtest/gtest.h"

namespace clients {
namespace {

using local::FreePort;
using local::Server;
using std::chrono::milliseconds;
using testing::FakeServer;

// The error, which has to name the server and the reason.
void ExpectError(const absl::Status& status, absl::StatusCode code, const std::string& peer,
                 std::string_view reason) {
  EXPECT_EQ(status.code(), code) << status;
  const std::string message(status.message());
  EXPECT_EQ(message.find(peer), 0u) << message;
  EXPECT_NE(message.find(reason), std::string::npos) << message;
}

void ExpectRefused(const FakeServer& server, absl::StatusCode code, std::string_view reason) {
  ConnectOptions options = server.connect_options();
  if (code == absl::StatusCode::kDeadlineExceeded) options.connect_timeout = milliseconds(100);
  ExpectError(Connection::Open(options).status(), code, ToString(server.node()), reason);
}

// A connection to a server that answers PING, and then does as it is told.
absl::Status RunAgainst(const FakeServer::Script& then, std::string* peer,
                        Nanoseconds command_timeout = std::chrono::minutes(1)) {
  FakeServer server([&](FakeServer::Peer& client) {
    if (!client.Await("PING\r\n")) return;
    client.Send("+PONG\r\n");
    then(client);
  });
  ConnectOptions options = server.connect_options();
  options.command_timeout = command_timeout;
  auto connection = Connection::Open(options);
  if (!connection.ok()) return connection.status();
  *peer = connection->peer();
  const absl::Status status = connection->Run({"GET", "key"}).status();
  EXPECT_FALSE(connection->is_connected());
  return status;
}

TEST(BadServer, NobodyListens) {
  const HostPort node{"127.0.0.1", FreePort()};
  ExpectError(Connection::Open({.url = {.hosts = {node}}}).status(), absl::StatusCode::kUnavailable,
              ToString(node), "refused");
}

TEST(BadServer, NoSuchSocket) {
  ExpectError(Connection::Open({.url = {.path = "/nowhere/at-all.sock"}}).status(),
              absl::StatusCode::kUnavailable, "/nowhere/at-all.sock", "No such file");
}

TEST(BadServer, NoSuchHost) {
  // The top-level domain "invalid" has no hosts (RFC 2606), be there a name server or not.
  const HostPort node{"redis.invalid", 1};
  const absl::Status status = Connection::Open({.url = {.hosts = {node}}}).status();
  EXPECT_TRUE(MayHeal(status)) << status;
  EXPECT_EQ(std::string(status.message()).find("redis.invalid:1: "), 0u) << status;
}

TEST(BadServer, ALookUpHasTheDeadlineOfTheWhole) {
  ConnectOptions options{.url = {.hosts = {{"h", 1}}}};
  options.connect_timeout = milliseconds(20);
  Deadline seen;
  options.resolver = [&](const HostPort& node, Deadline deadline) {
    seen = deadline;
    return absl::StatusOr<std::vector<Address>>(
        absl::DeadlineExceededError(ToString(node) + ": time-out"));
  };
  const Deadline before = Now();
  EXPECT_TRUE(absl::IsDeadlineExceeded(Connection::Open(options).status()));
  EXPECT_GE(seen, before + milliseconds(20));
}

TEST(BadServer, AnswersAreNoReplies) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"HTTP/1.1 400 Bad Request\r\n\r\n", "it sent: HTTP/1.1 400"},
      {"ERROR\r\n", "it sent: ERROR"},
      {"SSH-2.0-OpenSSH_9.2\r\n", "it sent: SSH-2.0"},
      {"+OK POP3 ready\r\n", "it answers PING with: OK POP3 ready"},
      {"-ERR unknown command\r\n", "it refuses PING"},
      {":1\r\n", "it answers PING with an integer"},
      {"$-1\r\n", "it answers PING with nil"},
      {"\x15\x03\x01\x02\x02\x16", "rediss://"},
      {"+PONG\r\n+PONG\r\n+P", "a reply to no command"},
  };
  for (const auto& [answer, reason] : kCases) {
    FakeServer server([&, sent = answer](FakeServer::Peer& peer) {
      peer.Send(sent);
      peer.Stall();
    });
    ExpectRefused(server, absl::StatusCode::kFailedPrecondition, reason);
  }
}

TEST(BadServer, TurnsClientsAway) {
  FakeServer full(
      [](FakeServer::Peer& peer) { peer.Send("-ERR max number of clients reached\r\n"); });
  ExpectRefused(full, absl::StatusCode::kUnavailable, "max number of clients");
  FakeServer guarded(
      [](FakeServer::Peer& peer) { peer.Send("-DENIED Redis is running in protected mode\r\n"); });
  ExpectRefused(guarded, absl::StatusCode::kPermissionDenied, "protected mode");
  FakeServer loading([](FakeServer::Peer& peer) {
    if (peer.Await("PING")) peer.Send("-LOADING Redis is loading the dataset in memory\r\n");
  });
  ExpectRefused(loading, absl::StatusCode::kUnavailable, "LOADING");
}

TEST(BadServer, SaysNothing) {
  FakeServer silent([](FakeServer::Peer& peer) { peer.Stall(); });
  ExpectRefused(silent, absl::StatusCode::kDeadlineExceeded, "waiting for replies (0 of 1");
  FakeServer closing([](FakeServer::Peer& peer) { peer.Await("PING\r\n"); });
  ExpectRefused(closing, absl::StatusCode::kUnavailable, "closed the connection (0 of 1");
}

// A byte now and then is no progress: the time is for the whole.
TEST(BadServer, SendsAByteNowAndThen) {
  FakeServer dripping([](FakeServer::Peer& peer) {
    peer.Send("$1000000\r\n");
    while (peer.Send("x")) std::this_thread::sleep_for(milliseconds(1));
  });
  ExpectRefused(dripping, absl::StatusCode::kDeadlineExceeded, "a part of one");
}

TEST(BadServer, NeverStopsSending) {
  FakeServer flooding([](FakeServer::Peer& peer) {
    const std::string some(10000, 'x');
    peer.Send("$500000000000\r\n");
    while (peer.Send(some)) std::this_thread::sleep_for(std::chrono::microseconds(100));
  });
  ExpectRefused(flooding, absl::StatusCode::kDeadlineExceeded, "a part of one");
}

TEST(BadServer, ClosesInTheMiddleOfAReply) {
  std::string peer;
  const absl::Status status = RunAgainst(
      [](FakeServer::Peer& client) {
        client.Await("GET");
        client.Send("$100\r\nonly half of");
      },
      &peer);
  ExpectError(status, absl::StatusCode::kUnavailable, peer,
              "closed the connection (0 of 1 replies had come, and a part of one)");
}

TEST(BadServer, ResetsTheConnection) {
  std::string peer;
  const absl::Status status = RunAgainst(
      [](FakeServer::Peer& client) {
        client.Await("GET");
        client.Reset();
      },
      &peer);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
}

TEST(BadServer, SendsGarbageLater) {
  std::string peer;
  const absl::Status status = RunAgainst(
      [](FakeServer::Peer& client) {
        client.Await("GET");
        client.Send("garbage\r\n");
        client.Stall();
      },
      &peer);
  ExpectError(status, absl::StatusCode::kDataLoss, peer, "it sent: garbage");
}

TEST(BadServer, StallsInTheMiddleOfAReply) {
  std::string peer;
  const absl::Status status = RunAgainst(
      [](FakeServer::Peer& client) {
        client.Await("GET");
        client.Send("$100\r\nonly half of");
        client.Stall();
      },
      &peer, milliseconds(50));
  ExpectError(status, absl::StatusCode::kDeadlineExceeded, peer, "a part of one");
}

// The late reply would have answered the next command.
TEST(BadServer, ALateReplyAnswersNothing) {
  FakeServer server([](FakeServer::Peer& peer) {
    peer.Await("PING\r\n");
    peer.Send("+PONG\r\n");
    while (peer.Await("GET")) {
      // The first one answers when the client has given up.
      if (peer.number() == 0) peer.Stall();
      peer.Send(peer.number() == 0 ? "$4\r\nlate\r\n" : "$5\r\nfresh\r\n");
    }
  });
  ConnectOptions options = server.connect_options();
  options.command_timeout = milliseconds(50);
  auto connection = Connection::Open(options);
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(connection->Run({"GET", "key"}).status()));
  auto reply = connection->Run({"GET", "key"});
  while (!reply.ok()) reply = connection->Run({"GET", "key"});
  EXPECT_EQ(reply->text(), "fresh");
  EXPECT_GE(server.connections(), 2);
}

TEST(BadServer, HostsAreLookedUpAgain) {
  const FakeServer::Script answer = [](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    peer.Await("GET");  // and closes
  };
  FakeServer before(answer);
  FakeServer after([](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    if (peer.Await("GET")) peer.Send("$5\r\nmoved\r\n");
    peer.Stall();
  });
  ConnectOptions options = before.connect_options();
  options.url.hosts = {{"moving.example", 1}};
  std::vector<uint16_t> ports = {after.port(), before.port()};
  options.resolver = [&ports](const HostPort& node, Deadline deadline) {
    EXPECT_EQ(node.host, "moving.example");
    const uint16_t port = ports.back();
    ports.pop_back();
    return Resolve({"127.0.0.1", port}, deadline);
  };
  auto connection = Connection::Open(options);
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_TRUE(absl::IsUnavailable(connection->Run({"GET", "key"}).status()));
  const auto reply = connection->Run({"GET", "key"});
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->text(), "moved");
}

// The first of two addresses is dead, as with a host that has IPv6 where the server has not.
TEST(BadServer, AnotherAddressIsTried) {
  FakeServer server([](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    peer.Stall();
  });
  ConnectOptions options = server.connect_options();
  options.resolver = [&](const HostPort& node, Deadline deadline) {
    auto addresses = Resolve({node.host, FreePort()}, deadline);
    auto live = Resolve(node, deadline);
    if (addresses.ok() && live.ok()) addresses->push_back(live->front());
    return addresses;
  };
  EXPECT_TRUE(Connection::Open(options).ok());
}

// Answers its connection `good`, up to a GET, and no other.
FakeServer::Script OnlyConnections(int first, int good) {
  return [=](FakeServer::Peer& peer) {
    if (peer.number() != first && peer.number() != good) return;
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    if (peer.Await("GET") && peer.number() == good) peer.Send("$5\r\nthere\r\n");
  };
}

TEST(BadServer, TriesFollowEachOther) {
  FakeServer server(OnlyConnections(0, 5));
  ConnectOptions options = server.connect_options();
  options.reconnect_for = std::chrono::minutes(1);
  options.backoff = {.shortest = milliseconds(1), .longest = milliseconds(5)};
  auto connection = Connection::Open(options);
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_TRUE(absl::IsUnavailable(connection->Run({"GET", "key"}).status()));
  EXPECT_EQ(server.connections(), 1);
  const auto reply = connection->Run({"GET", "key"});
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->text(), "there");
  EXPECT_EQ(server.connections(), 6);
  EXPECT_EQ(connection->reconnections(), 1u);
}

TEST(BadServer, TriesEndWithTheirTime) {
  FakeServer server(OnlyConnections(0, -1));
  ConnectOptions options = server.connect_options();
  options.reconnect_for = milliseconds(50);
  options.backoff = {.shortest = milliseconds(1), .longest = milliseconds(5)};
  auto connection = Connection::Open(options);
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_TRUE(absl::IsUnavailable(connection->Run({"GET", "key"}).status()));
  const absl::Status status = connection->Run({"GET", "key"}).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_GE(server.connections(), 2);
}

TEST(BadServer, WhatCannotHealEndsTheTries) {
  FakeServer server([](FakeServer::Peer& peer) {
    if (!peer.Await("PING\r\n")) return;
    if (peer.number() == 0) {
      peer.Send("+PONG\r\n");
      peer.Await("GET");
    } else {
      peer.Send("-NOAUTH Authentication required.\r\n");
    }
  });
  ConnectOptions options = server.connect_options();
  options.reconnect_for = std::chrono::hours(1);
  auto connection = Connection::Open(options);
  ASSERT_TRUE(connection.ok());
  EXPECT_TRUE(absl::IsUnavailable(connection->Run({"GET", "key"}).status()));
  EXPECT_TRUE(absl::IsUnauthenticated(connection->Run({"GET", "key"}).status()));
  EXPECT_EQ(server.connections(), 2);
}

}  // namespace
}  // namespace clients
