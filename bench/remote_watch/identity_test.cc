#include "bench/remote_watch/identity.h"

#include <string>
#include <string_view>

#include "clients/connection.h"
#include "clients/local/server.h"
#include "gtest/gtest.h"

namespace bench::remote_watch {
namespace {

constexpr std::string_view kRedis =
    "# Server\r\nredis_version:7.0.15\r\nredis_git_sha1:00000000\r\nredis_mode:standalone\r\n"
    "run_id:1111111111111111111111111111111111111111\r\ntcp_port:6379\r\nexecutable:/a:b\r\n\r\n"
    "# Replication\r\nrole:master\r\nconnected_slaves:1\r\n"
    "slave0:ip=127.0.0.1,port=6380,state=online,offset=14,lag=0\r\n";

constexpr std::string_view kValkey =
    "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n"
    "run_id:2222222222222222222222222222222222222222\r\n\r\n# Replication\r\nrole:slave\r\n";

TEST(Identity, OfRedis) {
  const Identity identity = ParseIdentity(kRedis);
  EXPECT_EQ(identity.version, "Redis 7.0.15");
  EXPECT_EQ(identity.run_id, std::string(40, '1'));
  EXPECT_EQ(identity.role, "primary");
}

TEST(Identity, OfValkey) {
  const Identity identity = ParseIdentity(kValkey);
  EXPECT_EQ(identity.version, "Valkey 8.0.1");
  EXPECT_EQ(identity.role, "replica");
}

TEST(Identity, OfARealServer) {
  const auto server = clients::local::Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  auto connection = clients::Connection::Open(server->connect_options());
  ASSERT_TRUE(connection.ok());
  const auto info = connection->Run({"INFO"});
  ASSERT_TRUE(info.ok());
  const Identity identity = ParseIdentity(info->text());
  EXPECT_EQ(identity.run_id.size(), 40u);
  EXPECT_EQ(identity.role, "primary");
  EXPECT_NE(identity.version.find_first_of("0123456789"), std::string::npos);
}

TEST(Identity, OfWhatIsNoInfo) {
  for (const std::string_view text :
       {"", "\n", "\r\n", ":", "role", "run_id", "\r", "a:b:c\n:\n"}) {
    EXPECT_EQ(ParseIdentity(text), Identity()) << text;
  }
  EXPECT_EQ(ParseIdentity("role:master").role, "primary");
  EXPECT_EQ(ParseIdentity("run_id:\r\n").run_id, "");
}

TEST(Changes, AreEachTold) {
  const auto changes = ChangesOf(ParseIdentity(kValkey), ParseIdentity(kRedis));
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_EQ(changes[0], "another process answers: run id 111111111111 after 222222222222");
  EXPECT_EQ(changes[1], "version changed from Valkey 8.0.1 to Redis 7.0.15");
  EXPECT_EQ(changes[2], "role changed: the replica was promoted to primary");
  EXPECT_EQ(ChangesOf(ParseIdentity(kRedis), ParseIdentity(kValkey))[2],
            "role changed: it is a replica now");
}

TEST(Changes, OfWhatIsNotSaidAreNone) {
  EXPECT_TRUE(ChangesOf(Identity(), ParseIdentity(kRedis)).empty());
  EXPECT_TRUE(ChangesOf(ParseIdentity(kRedis), Identity()).empty());
  EXPECT_TRUE(ChangesOf(ParseIdentity(kRedis), ParseIdentity(kRedis)).empty());
}

}  // namespace
}  // namespace bench::remote_watch
