#include "clients/testing/fake_server.h"

#include <chrono>

#include "clients/connection.h"
#include "gtest/gtest.h"

namespace clients::testing {
namespace {

TEST(FakeServer, CountsConnectionsAndEndsThem) {
  FakeServer server([](FakeServer::Peer& peer) { peer.Stall(); });
  EXPECT_EQ(server.connections(), 0);
  ConnectOptions options = server.connect_options();
  options.connect_timeout = std::chrono::milliseconds(50);
  EXPECT_FALSE(Connection::Open(options).ok());
  EXPECT_EQ(server.connections(), 1);
}

}  // namespace
}  // namespace clients::testing
