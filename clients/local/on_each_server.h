// Tests that run against redis-server and against valkey-server.
//
//   class RealPool : public clients::local::OnEachServer<> {};
//   TEST_P(RealPool, ThreadsShareFewConnections) { const Server server = StartServer(); ... }
//   CLIENTS_TEST_ON_EACH_SERVER(RealPool);
//
// Where one of the two is not installed its tests are skipped and name it; where neither is, all of
// them fail: a machine without any server has tested nothing.
//
// Thread safety: none; for the main thread, with which the servers end.
// Not for: tests of what a client does with any server's bytes (clients/testing/fake_server.h).
#ifndef CLIENTS_LOCAL_ON_EACH_SERVER_H_
#define CLIENTS_LOCAL_ON_EACH_SERVER_H_

#include <cstdlib>
#include <string>
#include <utility>

#include "clients/local/server.h"
#include "gtest/gtest.h"

namespace clients::local {

// The parameter is a ServerOptions::program. A SetUp of a class that is derived from this one calls
// this one's first, and ends where MayRun() is false behind it.
template <typename Base = ::testing::Test>
class OnEachServer : public Base, public ::testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    Base::SetUp();
    const auto any = ServerProgram();
    ASSERT_TRUE(any.ok()) << any.status();
    const auto program = ServerProgram(GetParam());
    if (!program.ok()) GTEST_SKIP() << program.status();
  }
  static bool MayRun() {
    return !::testing::Test::HasFatalFailure() && !::testing::Test::IsSkipped();
  }

  static Server StartServer(ServerOptions options = {}) {
    options.program = GetParam();
    auto server = Server::Start(options);
    if (!server.ok()) {
      ADD_FAILURE() << server.status();
      std::abort();
    }
    return *std::move(server);
  }
};

}  // namespace clients::local

// A suite for each server, so that what the tests of a suite share is of one of them.
#define CLIENTS_TEST_ON_EACH_SERVER(suite)                            \
  INSTANTIATE_TEST_SUITE_P(Redis, suite, ::testing::Values("redis")); \
  INSTANTIATE_TEST_SUITE_P(Valkey, suite, ::testing::Values("valkey"))

#endif  // CLIENTS_LOCAL_ON_EACH_SERVER_H_
