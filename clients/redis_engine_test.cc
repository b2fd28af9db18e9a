// The conformance suite over real servers: what every embedded engine promises, through a socket.
#include "clients/redis_engine.h"

#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "clients/connection.h"
#include "clients/local/on_each_server.h"
#include "clients/local/server.h"
#include "gtest/gtest.h"
#include "kv/testing/conformance.h"
#include "kv/testing/engine_adapter.h"

namespace clients {
namespace {

using local::Server;

constexpr int kDatabases = 64;

// One server of a kind for all checks; ended with the program.
Server& TheServer(const std::string& program) {
  static std::map<std::string, Server> servers;
  const auto known = servers.find(program);
  if (known != servers.end()) return known->second;
  auto started = Server::Start({.program = program,
                                .unix_socket = true,
                                .settings = {{"databases", std::to_string(kDatabases)}}});
  if (!started.ok()) {
    ADD_FAILURE() << started.status();
    std::abort();
  }
  return servers.emplace(program, *std::move(started)).first->second;
}

// Each store is a database of its own, emptied first. A check has few of them open at once.
kv::testing::Composition OnAServer(const std::string& program) {
  auto composition = kv::testing::CompositionOf<RedisEngine>(program);
  composition.open =
      [program, next = 0](
          const kv::Options&) mutable -> absl::StatusOr<std::unique_ptr<kv::testing::AnyEngine>> {
    ConnectOptions options = TheServer(program).connect_options();
    options.url.database = static_cast<uint32_t>(next++ % kDatabases);
    KV_ASSIGN_OR_RETURN(Connection connection, Connection::Open(options));
    KV_RETURN_IF_ERROR(connection.Run({"FLUSHDB"}).status());
    return kv::testing::Erase<RedisEngine>(RedisEngine::Open(options));
  };
  return composition;
}

// Those of a server that is not installed have no place to run; the tests below name it.
bool RegisterInstalled() {
  bool registered = false;
  for (const std::string program : {"redis", "valkey"}) {
    if (!local::ServerProgram(program).ok()) continue;
    registered |= kv::testing::RegisterConformance(OnAServer(program));
  }
  return registered;
}
const bool kRegistered = RegisterInstalled();

class Engine : public local::OnEachServer<> {
 protected:
  void SetUp() override {
    OnEachServer::SetUp();
    if (!MayRun()) return;
    ASSERT_TRUE(kRegistered);
    ConnectOptions options = TheServer(GetParam()).connect_options();
    auto connection = Connection::Open(options);
    ASSERT_TRUE(connection.ok()) << connection.status();
    connection_ = std::make_unique<Connection>(*std::move(connection));
    ASSERT_TRUE(connection_->Run({"FLUSHDB"}).ok());
    auto engine = RedisEngine::Open(options);
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
  }

  std::unique_ptr<Connection> connection_;
  std::unique_ptr<RedisEngine> engine_;
};

TEST_P(Engine, IsOpenedByAUrl) {
  kv::Options options;
  options.directory = Redacted(TheServer(GetParam()).url());
  auto engine = RedisEngine::Open(options);
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->Put("k", "v").ok());
  EXPECT_EQ(connection_->Run({"GET", "k"})->text(), "v");

  options.directory = "/a/path";
  EXPECT_TRUE(absl::IsInvalidArgument(RedisEngine::Open(options).status()));
  options.directory = "redis+cluster://h";
  EXPECT_TRUE(absl::IsInvalidArgument(RedisEngine::Open(options).status()));
}

TEST_P(Engine, ForgottenScriptsAreSentAgain) {
  ASSERT_TRUE(connection_->Run({"SCRIPT", "FLUSH"}).ok());
  const auto swapped = engine_->CompareAndSet("k", std::nullopt, "v");
  ASSERT_TRUE(swapped.ok()) << swapped.status();
  EXPECT_TRUE(swapped->swapped);
  ASSERT_TRUE(connection_->Run({"SCRIPT", "FLUSH"}).ok());
  EXPECT_EQ(*engine_->Count(""), 1u);
}

TEST_P(Engine, OtherTypesAreErrors) {
  ASSERT_TRUE(connection_->Run({"LPUSH", "list", "x"}).ok());
  std::string value = "untouched";
  EXPECT_TRUE(absl::IsInvalidArgument(engine_->Get("list", &value)));
  EXPECT_EQ(value, "untouched");
  EXPECT_FALSE(engine_->CompareAndSet("list", "x", "y").ok());
}

TEST_P(Engine, ABatchIsAllOrNothing) {
  ASSERT_TRUE(connection_->Run({"CONFIG", "SET", "maxmemory", "1"}).ok());
  kv::WriteBatch batch;
  batch.Delete("a");
  batch.Put("b", "v");
  const absl::Status full = engine_->Write(batch);
  ASSERT_TRUE(connection_->Run({"CONFIG", "SET", "maxmemory", "0"}).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;
  EXPECT_EQ(*engine_->Count(""), 0u);
  // The connection is not left inside of MULTI.
  EXPECT_TRUE(engine_->Write(batch).ok());
  EXPECT_EQ(*engine_->Count(""), 1u);
}

TEST_P(Engine, MomentsBeyondTheServersAreRefused) {
  const uint64_t beyond = uint64_t{1} << 63;
  EXPECT_TRUE(absl::IsInvalidArgument(engine_->Put("k", "v", {.expires_at = beyond})));
  EXPECT_TRUE(engine_->Put("k", "v", {.expires_at = beyond - 1}).ok());
  EXPECT_EQ(*engine_->ExpiresAt("k"), beyond - 1);
}

// Where a locale's order would differ from that of bytes, and bytes that are no text.
TEST_P(Engine, RangesAreBytewise) {
  const std::string low("\0", 1);
  for (const std::string key : {"a", "B", "b", "\xff", "\xc3\xa4", "a-b", "ab"}) {
    ASSERT_TRUE(engine_->Put(key, "v").ok());
  }
  ASSERT_TRUE(engine_->Put(low, "v").ok());
  ASSERT_TRUE(engine_->DeleteRange("a", "b").ok());
  EXPECT_EQ(*engine_->Count("a"), 0u);
  EXPECT_EQ(*engine_->Count(""), 5u);
  ASSERT_TRUE(engine_->DeleteRange("c", "").ok());
  EXPECT_EQ(*engine_->Count(""), 3u);
}

CLIENTS_TEST_ON_EACH_SERVER(Engine);

}  // namespace
}  // namespace clients
