#include "clients/tls.h"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "clients/connection.h"
#include "clients/local/on_each_server.h"
#include "clients/local/server.h"
#include "clients/testing/fake_server.h"
#include "gtest/gtest.h"

namespace clients {
namespace {

using local::Server;
using testing::FakeServer;

// One server for all tests of a suite: to make certificates takes some processes.
class RealTls : public local::OnEachServer<> {
 protected:
  void SetUp() override {
    OnEachServer::SetUp();
    if (!MayRun() || server_ != nullptr) return;
    server_ =
        new Server(StartServer({.tls_names = "DNS:localhost,IP:127.0.0.1", .password = "pw"}));
  }
  static void TearDownTestSuite() { delete std::exchange(server_, nullptr); }

  static inline Server* server_ = nullptr;
};

TEST_P(RealTls, CommandsAndLargeValues) {
  auto connection = Connection::Open(server_->connect_options());
  ASSERT_TRUE(connection.ok()) << connection.status();
  const std::string value(1'000'000, 'v');
  ASSERT_TRUE(connection->Run({"SET", "k", value}).ok());
  const auto reply = connection->Run({"GET", "k"});
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(reply->text() == value);
}

TEST_P(RealTls, NamesAreVerified) {
  ConnectOptions options = server_->connect_options();
  options.url.hosts[0].host = "localhost";
  EXPECT_TRUE(Connection::Open(options).ok());

  options.tls.server_name = "another.example";
  const absl::Status name = Connection::Open(options).status();
  EXPECT_TRUE(absl::IsUnauthenticated(name)) << name;
  EXPECT_NE(name.ToString().find("hostname mismatch"), std::string::npos) << name;
  EXPECT_EQ(std::string(name.message()).find("localhost:"), 0u) << name;

  options.tls.server_name = "127.0.0.2";
  const absl::Status address = Connection::Open(options).status();
  EXPECT_TRUE(absl::IsUnauthenticated(address)) << address;
  EXPECT_NE(address.ToString().find("IP address mismatch"), std::string::npos) << address;
}

TEST_P(RealTls, AuthoritiesAreVerified) {
  ConnectOptions options = server_->connect_options();
  options.tls.ca_file = "";  // the system's, which have not signed it
  const absl::Status status = Connection::Open(options).status();
  EXPECT_TRUE(absl::IsUnauthenticated(status)) << status;
  EXPECT_NE(status.ToString().find("certificate is refused"), std::string::npos) << status;

  options.tls.verify = false;
  options.tls.server_name = "another.example";
  EXPECT_TRUE(Connection::Open(options).ok());
}

TEST_P(RealTls, FilesThatCannotBeReadAreNamed) {
  ConnectOptions options = server_->connect_options();
  options.tls.ca_file = "/nowhere/ca.pem";
  const absl::Status authority = Connection::Open(options).status();
  EXPECT_TRUE(absl::IsInvalidArgument(authority)) << authority;
  EXPECT_NE(authority.ToString().find("/nowhere/ca.pem"), std::string::npos);

  options.tls = {.ca_file = server_->certificates().authority, .certificate_file = "/x"};
  EXPECT_TRUE(absl::IsInvalidArgument(Connection::Open(options).status()));
  options.tls.key_file = "/y";
  EXPECT_TRUE(absl::IsInvalidArgument(Connection::Open(options).status()));
}

TEST_P(RealTls, OnOneSideOnly) {
  ConnectOptions plain = server_->connect_options();
  plain.url.tls = false;
  const absl::Status to_tls = Connection::Open(plain).status();
  ASSERT_FALSE(to_tls.ok());
  EXPECT_FALSE(absl::IsDeadlineExceeded(to_tls)) << to_tls;

  const Server server = StartServer();
  ConnectOptions tls = server_->connect_options();
  tls.url.hosts[0].port = server.port();
  tls.connect_timeout = std::chrono::seconds(1);
  const absl::Status to_plain = Connection::Open(tls).status();
  ASSERT_FALSE(to_plain.ok());
  EXPECT_EQ(std::string(to_plain.message()).find("127.0.0.1:"), 0u) << to_plain;
}

TEST(Tls, HandshakesTimeOut) {
  FakeServer silent([](FakeServer::Peer& peer) { peer.Stall(); });
  ConnectOptions options = silent.connect_options();
  options.connect_timeout = std::chrono::milliseconds(100);
  options.url.tls = true;
  const absl::Status status = Connection::Open(options).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_NE(status.ToString().find("TLS handshake"), std::string::npos) << status;
}

TEST(Tls, ServersWithoutTlsAreNoted) {
  FakeServer http([](FakeServer::Peer& peer) {
    peer.Send("HTTP/1.1 400 Bad Request\r\n\r\n");
    peer.Stall();
  });
  ConnectOptions options = http.connect_options();
  options.url.tls = true;
  const absl::Status status = Connection::Open(options).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_NE(status.ToString().find("without TLS"), std::string::npos) << status;
}

TEST_P(RealTls, ALostConnectionIsMadeAnew) {
  auto connection = Connection::Open(server_->connect_options());
  ASSERT_TRUE(connection.ok()) << connection.status();
  auto other = Connection::Open(server_->connect_options());
  ASSERT_TRUE(other.ok());
  const auto id = connection->Run({"CLIENT", "ID"});
  ASSERT_TRUE(id.ok());
  ASSERT_TRUE(other->Run({"CLIENT", "KILL", "ID", std::to_string(id->integer())}).ok());
  // The server may not have closed it yet; then there is one error first.
  while (!connection->Run({"PING"}).ok()) {
  }
  EXPECT_EQ(connection->reconnections(), 1u);
}

CLIENTS_TEST_ON_EACH_SERVER(RealTls);

}  // namespace
}  // namespace clients
