#include "clients/connection.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "clients/local/on_each_server.h"
#include "clients/local/server.h"
#include "gtest/gtest.h"

namespace clients {
namespace {

using local::Server;

class RealConnection : public local::OnEachServer<> {};

Connection OpenConnection(const ConnectOptions& options) {
  auto connection = Connection::Open(options);
  if (!connection.ok()) {
    ADD_FAILURE() << connection.status();
    std::abort();
  }
  return *std::move(connection);
}

// What every kind of connection has to do.
void Use(Connection* connection) {
  const std::string key("k\0\r\n", 4);
  const std::string value(300'000, 'v');  // more than the sockets' buffers take at once
  for (const std::string_view text : {std::string_view(value), std::string_view()}) {
    const auto set = connection->Run({"SET", key, text});
    ASSERT_TRUE(set.ok()) << set.status();
    EXPECT_TRUE(ExpectOk(set->root()).ok());
    const auto get = connection->Run({"GET", key});
    ASSERT_TRUE(get.ok()) << get.status();
    EXPECT_TRUE(*ExpectString(get->root()) == text);
  }
  EXPECT_TRUE(connection->Run({"GET", "absent"})->is_nil());
  EXPECT_EQ(*ExpectInteger(connection->Run({"DEL", key})->root()), 1);
}

TEST_P(RealConnection, OverTcp) {
  const Server server = StartServer();
  Connection connection = OpenConnection(server.connect_options());
  Use(&connection);
  EXPECT_EQ(connection.peer(), "127.0.0.1:" + std::to_string(server.port()));
}

TEST_P(RealConnection, OverAName) {
  const Server server = StartServer();
  ConnectOptions options = server.connect_options();
  options.url.hosts[0].host = "localhost";
  Connection connection = OpenConnection(options);
  Use(&connection);
}

TEST_P(RealConnection, OverAUnixSocket) {
  const Server server = StartServer({.unix_socket = true});
  Connection connection = OpenConnection(server.connect_options());
  Use(&connection);
}

TEST_P(RealConnection, WithAPassword) {
  const Server server = StartServer({.password = "p w", .users = {"ann on >secret ~* +@all"}});
  ConnectOptions options = server.connect_options();
  Connection as_default = OpenConnection(options);
  Use(&as_default);
  options.url.user = "ann";
  options.url.password = "secret";
  Connection as_ann = OpenConnection(options);
  EXPECT_EQ(as_ann.Run({"ACL", "WHOAMI"})->text(), "ann");

  options.url.password = "wrongsecret";
  const absl::Status wrong = Connection::Open(options).status();
  EXPECT_TRUE(absl::IsUnauthenticated(wrong)) << wrong;
  EXPECT_EQ(wrong.ToString().find("wrongsecret"), std::string::npos);
  options.url.user = options.url.password = "";
  const absl::Status none = Connection::Open(options).status();
  EXPECT_TRUE(absl::IsUnauthenticated(none)) << none;
}

TEST_P(RealConnection, WithAPasswordThatNobodyAskedFor) {
  const Server server = StartServer();
  ConnectOptions options = server.connect_options();
  options.url.password = "secret";
  const absl::Status status = Connection::Open(options).status();
  EXPECT_TRUE(absl::IsUnauthenticated(status)) << status;
}

TEST_P(RealConnection, OfAUserWithoutRights) {
  const Server server = StartServer({.users = {"bob on >pw ~* -@all +ping +get"}});
  ConnectOptions options = server.connect_options();
  options.url.user = "bob";
  options.url.password = "pw";
  Connection connection = OpenConnection(options);
  EXPECT_TRUE(connection.Run({"GET", "k"}).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(connection.Run({"SET", "k", "v"}).status()));
  EXPECT_TRUE(connection.is_connected());
}

TEST_P(RealConnection, ToADatabase) {
  const Server server = StartServer();
  ConnectOptions options = server.connect_options();
  options.url.database = 3;
  Connection third = OpenConnection(options);
  ASSERT_TRUE(third.Run({"SET", "k", "v"}).ok());
  options.url.database = 0;
  Connection first = OpenConnection(options);
  EXPECT_TRUE(first.Run({"GET", "k"})->is_nil());
  options.url.database = 99;
  const absl::Status none = Connection::Open(options).status();
  EXPECT_NE(none.ToString().find("DB index is out of range"), std::string::npos) << none;
}

TEST_P(RealConnection, ErrorsOfTheServerHaveTheirCodes) {
  const Server server = StartServer({.settings = {{"maxmemory", "2mb"}}});
  Connection connection = OpenConnection(server.connect_options());
  ASSERT_TRUE(connection.Run({"LPUSH", "list", "x"}).ok());
  const absl::Status wrong_type = connection.Run({"GET", "list"}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(wrong_type)) << wrong_type;
  EXPECT_EQ(std::string(wrong_type.message()).find(connection.peer() + ": WRONGTYPE"), 0u);
  EXPECT_TRUE(absl::IsUnimplemented(connection.Run({"NOSUCH"}).status()));

  absl::Status full;
  const std::string megabyte(size_t{1} << 20, 'x');
  for (int i = 0; i < 10 && full.ok(); ++i) {
    full = connection.Run({"SET", "k" + std::to_string(i), megabyte}).status();
  }
  EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;

  ASSERT_TRUE(connection.Run({"REPLICAOF", "127.0.0.1", "1"}).ok());
  const absl::Status replica = connection.Run({"SET", "k", "v"}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(replica)) << replica;
  EXPECT_NE(replica.ToString().find("READONLY"), std::string::npos);
  EXPECT_EQ(connection.reconnections(), 0u);
}

TEST_P(RealConnection, IsMadeAnewAfterARestart) {
  Server server = StartServer({.append_only = true, .settings = {{"appendfsync", "always"}}});
  ConnectOptions options = server.connect_options();
  options.reconnect_for = std::chrono::milliseconds(30);
  Connection connection = OpenConnection(options);
  ASSERT_TRUE(connection.Run({"SET", "k", "v"}).ok());
  server.Kill();
  for (int i = 0; i < 2; ++i) {
    const absl::Status lost = connection.Run({"GET", "k"}).status();
    EXPECT_TRUE(absl::IsUnavailable(lost)) << lost;
    EXPECT_FALSE(connection.is_connected());
  }
  ASSERT_TRUE(server.Restart().ok());
  const auto found = connection.Run({"GET", "k"});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->text(), "v");
  EXPECT_EQ(connection.reconnections(), 1u);
}

// Nothing was sent, so nothing can have been lost with it.
TEST_P(RealConnection, ThatWasClosedBetweenCallsIsMadeAnewWithoutAnError) {
  const Server server = StartServer();
  Connection connection = OpenConnection(server.connect_options());
  ASSERT_EQ(connection.Run({"QUIT"})->text(), "OK");
  Connection other = OpenConnection(server.connect_options());
  while (other.Run({"INFO", "clients"})->text().find("connected_clients:1\r") ==
         std::string_view::npos) {
  }
  const auto reply = connection.Run({"PING"});
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(connection.reconnections(), 1u);
}

TEST_P(RealConnection, OfAServerThatIsPausedTimesOut) {
  const Server server = StartServer();
  ConnectOptions options = server.connect_options();
  options.command_timeout = std::chrono::milliseconds(100);
  options.connect_timeout = std::chrono::seconds(1);
  options.reconnect_for = std::chrono::milliseconds(0);
  Connection connection = OpenConnection(options);
  server.Pause();
  const absl::Status late = connection.Run({"SET", "k", "late"}).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(late)) << late;
  // The kernel accepts for a server that stands still, so it is the handshake that is late.
  EXPECT_TRUE(absl::IsDeadlineExceeded(connection.Run({"PING"}).status()));
  server.Resume();
  // The late reply went to the lost connection.
  auto reply = connection.Run({"PING"});
  while (!reply.ok()) reply = connection.Run({"PING"});
  EXPECT_EQ(reply->text(), "PONG");
}

CLIENTS_TEST_ON_EACH_SERVER(RealConnection);

}  // namespace
}  // namespace clients
