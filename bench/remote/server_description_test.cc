#include "bench/remote/server_description.h"

#include "clients/local/server.h"
#include "clients/testing/fake_server.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using clients::Connection;
using clients::local::Server;
using clients::testing::FakeServer;

absl::StatusOr<ServerDescription> DescribeServer(const clients::ConnectOptions& options) {
  auto connection = Connection::Open(options);
  if (!connection.ok()) return connection.status();
  return Describe(*connection);
}

TEST(ServerDescription, OfEachProductThatIsInstalled) {
  for (const std::string product : {"redis", "valkey"}) {
    if (!clients::local::ServerProgram(product).ok()) continue;
    auto server = Server::Start({.program = product,
                                 .append_only = true,
                                 .settings = {{"maxmemory", "100mb"},
                                              {"maxmemory-policy", "allkeys-lru"},
                                              {"appendfsync", "always"}}});
    ASSERT_TRUE(server.ok()) << server.status();
    const auto described = DescribeServer(server->connect_options());
    ASSERT_TRUE(described.ok()) << described.status();
    EXPECT_EQ(described->product, product);
    EXPECT_NE(described->version, "unknown");
    EXPECT_EQ(described->mode, "standalone");
    EXPECT_FALSE(described->is_replica);
    EXPECT_EQ(described->config_refused, "");
    EXPECT_EQ(described->Persistence(), "save ''; appendonly yes always");
    EXPECT_EQ(described->MaxMemory(), "100.0 MiB, allkeys-lru");
    EXPECT_EQ(described->Setting("io-threads"), "1");
    EXPECT_EQ(described->Setting("absent"), "unknown");
  }
}

TEST(ServerDescription, WithoutConfigSaysSoAndGoesOn) {
  auto server = Server::Start({.users = {"ann on >secret ~* +@all -config"}});
  ASSERT_TRUE(server.ok()) << server.status();
  clients::ConnectOptions options = server->connect_options();
  options.url.user = "ann";
  options.url.password = "secret";
  const auto described = DescribeServer(options);
  ASSERT_TRUE(described.ok()) << described.status();
  EXPECT_NE(described->config_refused, "");
  EXPECT_NE(described->version, "unknown");
  EXPECT_EQ(described->MaxMemory(), "no limit");  // INFO tells it
  EXPECT_EQ(described->Persistence(), "save 'unknown'; appendonly no");
  EXPECT_EQ(described->Setting("io-threads"), "unknown");
}

TEST(ServerDescription, WithoutAnyRightNothingIsKnown) {
  auto server = Server::Start({.users = {"ann on >secret ~* +@all -config -info"}});
  ASSERT_TRUE(server.ok()) << server.status();
  clients::ConnectOptions options = server->connect_options();
  options.url.user = "ann";
  options.url.password = "secret";
  const auto described = DescribeServer(options);
  ASSERT_TRUE(described.ok()) << described.status();
  EXPECT_EQ(described->product, "unknown");
  EXPECT_EQ(described->MaxMemory(), "unknown");
}

TEST(ServerDescription, AServerThatGoesIsAnError) {
  FakeServer server([](FakeServer::Peer& peer) {
    if (peer.Await("PING")) peer.Send("+PONG\r\n");
    if (peer.Await("INFO")) peer.Send("$24\r\nredis_version:7.0.15\r\n\r\n\r\n");
    if (peer.Await("CONFIG")) peer.Send("*2\r\n$9\r\nmaxmem");
  });
  EXPECT_FALSE(DescribeServer(server.connect_options()).ok());
}

TEST(ServerDescription, ContextNamesWhatHasToBeTheSame) {
  ServerDescription server{.product = "redis", .version = "7.0.15"};
  server.settings = {{"maxmemory", "0"}, {"save", ""}, {"appendonly", "no"}};
  const auto context = ContextOf(server);
  const std::map<std::string, std::string> by_name(context.begin(), context.end());
  EXPECT_EQ(by_name.at("server"), "redis");
  EXPECT_EQ(by_name.at("maxmemory"), "0");
  EXPECT_EQ(by_name.at("persistence"), "save ''; appendonly no");
  EXPECT_EQ(by_name.at("io_threads"), "unknown");
}

}  // namespace
}  // namespace bench::remote
