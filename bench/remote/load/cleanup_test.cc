#include "bench/remote/load/cleanup.h"

#include <string>

#include "clients/local/server.h"
#include "clients/testing/fake_server.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using clients::Connection;

TEST(RemovePrefix, RemovesWhatBeginsSoAndNothingElse) {
  const auto server = clients::local::Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  auto connection = Connection::Open(server->connect_options());
  ASSERT_TRUE(connection.ok()) << connection.status();
  // Prefixes that would match more, were they patterns.
  const std::string prefixes[] = {"ashlar:", "a*", "a?[b]", "back\\slash",
                                  std::string("\0\xff\r\n", 4)};
  for (const std::string& prefix : prefixes) {
    ASSERT_TRUE(connection->Run({"FLUSHALL"}).ok());
    for (int i = 0; i < 2500; ++i) {
      ASSERT_TRUE(connection->Run({"SET", prefix + std::to_string(i), "v"}).ok());
    }
    ASSERT_TRUE(connection->Run({"RPUSH", prefix + "list", "a", "b"}).ok());
    ASSERT_TRUE(
        connection->Run({"MSET", "ax[b]", "1", "ab", "2", "backslash", "3", "mine", "4"}).ok());
    const auto removed = RemovePrefix(&*connection, prefix);
    ASSERT_TRUE(removed.ok()) << removed.status();
    EXPECT_EQ(*removed, 2501u) << prefix;
    EXPECT_EQ(connection->Run({"DBSIZE"})->integer(), 4) << prefix;
  }
  EXPECT_EQ(*RemovePrefix(&*connection, "nothing"), 0u);
  EXPECT_TRUE(absl::IsInvalidArgument(RemovePrefix(&*connection, "").status()));
}

TEST(RemovePrefix, WhatIsNoPageOfKeysIsAnError) {
  for (const char* reply : {"+OK\r\n", "*1\r\n$1\r\n0\r\n", "*2\r\n$1\r\n0\r\n:1\r\n",
                            "*2\r\n$1\r\n0\r\n*1\r\n:1\r\n", "-ERR no\r\n"}) {
    clients::testing::FakeServer server([&](clients::testing::FakeServer::Peer& peer) {
      if (peer.Await("PING")) peer.Send("+PONG\r\n");
      if (peer.Await("SCAN")) peer.Send(reply);
      peer.Stall();
    });
    auto connection = Connection::Open(server.connect_options());
    ASSERT_TRUE(connection.ok()) << connection.status();
    EXPECT_FALSE(RemovePrefix(&*connection, "p").ok()) << reply;
  }
}

}  // namespace
}  // namespace bench::remote
