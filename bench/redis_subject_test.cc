#include "bench/redis_subject.h"

#include <string>
#include <vector>

#include "clients/connection.h"
#include "gtest/gtest.h"

namespace bench {
namespace {

using clients::local::Server;

TEST(RedisFlags, AreTakenOutOfTheOthers) {
  std::vector<std::string> arguments = {"--num=5", "--url=redis://host:7/3", "--flush",
                                        "--workloads=ycsb_a"};
  const auto flags = TakeRedisFlags(&arguments);
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->url->database, 3u);
  EXPECT_TRUE(flags->flush);
  EXPECT_EQ(arguments, (std::vector<std::string>{"--num=5", "--workloads=ycsb_a"}));
}

TEST(RedisFlags, WhatIsWrong) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--url=host"},
                                             {"--url=redis+cluster://host"},
                                             {"--server=memcached"},
                                             {"--url=redis://host", "--server=redis"}}) {
    std::vector<std::string> arguments = wrong;
    EXPECT_TRUE(absl::IsInvalidArgument(TakeRedisFlags(&arguments).status())) << wrong[0];
  }
}

TEST(RedisStore, ALocalOneIsFreshEachTime) {
  auto store = RedisStore::Start({});
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_NE(store->capabilities().descriptor.find("\"local\":true"), std::string::npos);
  EXPECT_FALSE(store->capabilities().ordered);
  for (int i = 0; i < 2; ++i) {
    auto engine = store->Open({});
    ASSERT_TRUE(engine.ok()) << engine.status();
    EXPECT_EQ(*(*engine)->Count(""), 0u);
    EXPECT_TRUE((*engine)->Put("k", "v").ok());
    EXPECT_TRUE((*engine)->Close().ok());
  }
}

TEST(RedisStore, NobodysKeysAreRemovedUnasked) {
  const auto server = Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  auto connection = clients::Connection::Open(server->connect_options());
  ASSERT_TRUE(connection.ok());
  ASSERT_TRUE(connection->Run({"SET", "theirs", "v"}).ok());

  auto store = RedisStore::Start({.url = server->url()});
  ASSERT_TRUE(store.ok()) << store.status();
  const absl::Status refused = store->Open({}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_NE(refused.ToString().find("--flush"), std::string::npos) << refused;
  EXPECT_TRUE(store->Clean().ok());
  EXPECT_EQ(connection->Run({"DBSIZE"})->integer(), 1);

  // On what is there, as --use_existing has it.
  auto existing = store->Open({.create_if_missing = false});
  ASSERT_TRUE(existing.ok()) << existing.status();
  EXPECT_EQ(*(*existing)->Count(""), 1u);
  EXPECT_TRUE(store->Clean().ok());
  EXPECT_EQ(connection->Run({"DBSIZE"})->integer(), 1);

  auto allowed = RedisStore::Start({.url = server->url(), .flush = true});
  ASSERT_TRUE(allowed.ok());
  ASSERT_TRUE(allowed->Open({}).ok());
  EXPECT_EQ(connection->Run({"DBSIZE"})->integer(), 0);
}

TEST(RedisStore, TheLabsOwnKeysAreRemovedAtTheEnd) {
  const auto server = Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  auto store = RedisStore::Start({.url = server->url()});
  ASSERT_TRUE(store.ok()) << store.status();
  auto engine = store->Open({});
  ASSERT_TRUE(engine.ok());
  ASSERT_TRUE((*engine)->Put("k", "v").ok());
  ASSERT_TRUE(store->Clean().ok());
  auto connection = clients::Connection::Open(server->connect_options());
  ASSERT_TRUE(connection.ok());
  EXPECT_EQ(connection->Run({"DBSIZE"})->integer(), 0);
}

TEST(RedisStore, NobodyThere) {
  const clients::Url url{.hosts = {{"127.0.0.1", clients::local::FreePort()}}};
  EXPECT_TRUE(absl::IsUnavailable(RedisStore::Start({.url = url}).status()));
}

}  // namespace
}  // namespace bench
