#include "bench/remote/memory_per_key.h"

#include <string>

#include "bench/remote/info_sampler.h"
#include "clients/local/server.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using clients::local::Server;

TEST(MemoryPerKey, IsWhatTheServerGrewBy) {
  const ServerFigures before{.used_memory = 1'000'000, .keys = 100};
  const ServerFigures after{.used_memory = 1'500'000, .keys = 2600};
  const auto grown = MemoryGrown(before, after);
  ASSERT_TRUE(grown.has_value());
  EXPECT_EQ(grown->keys, 2500);
  EXPECT_EQ(grown->grown_bytes, 200);
  EXPECT_FALSE(MemoryGrown(after, after).has_value());
  EXPECT_FALSE(MemoryGrown(after, before).has_value());
}

TEST(MemoryPerKey, OfARealServer) {
  auto server = Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  auto nodes = ConnectToNodes(server->connect_options());
  ASSERT_TRUE(nodes.ok()) << nodes.status();
  auto sampler = InfoSampler::Start(server->connect_options());
  ASSERT_TRUE(sampler.ok()) << sampler.status();
  const auto before = (*sampler)->Ask();
  const std::string value(1000, 'x');
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE((*nodes)[0].Run({"SET", "mine*:" + std::to_string(i), value}).ok());
  }
  // Of others, and not to be looked at.
  ASSERT_TRUE((*nodes)[0].Run({"SET", "mine", std::string(100'000, 'x')}).ok());
  ASSERT_TRUE((*nodes)[0].Run({"SET", "minestrone:1", std::string(100'000, 'x')}).ok());
  ASSERT_TRUE((*nodes)[0].Run({"DEL", "mine", "minestrone:1"}).ok());
  const auto after = (*sampler)->Ask();
  ASSERT_TRUE((*nodes)[0].Run({"SET", "minestrone:1", std::string(100'000, 'x')}).ok());

  const auto grown = MemoryGrown(before->figures, after->figures);
  ASSERT_TRUE(grown.has_value());
  EXPECT_EQ(grown->keys, 2000);
  EXPECT_GT(grown->grown_bytes, 1000);
  EXPECT_LT(grown->grown_bytes, 2000);

  const auto usage = SampleUsage(*nodes, "mine*:", 50);
  ASSERT_TRUE(usage.ok()) << usage.status();
  EXPECT_EQ(usage->keys, 50);
  EXPECT_GT(usage->mean_bytes, 1000);
  EXPECT_LT(usage->mean_bytes, 2000);
  EXPECT_TRUE(absl::IsNotFound(SampleUsage(*nodes, "absent:").status()));
}

TEST(MemoryPerKey, ARefusalIsAnError) {
  auto server = Server::Start({.users = {"ann on >secret ~* +@all -memory"}});
  ASSERT_TRUE(server.ok()) << server.status();
  clients::ConnectOptions options = server->connect_options();
  options.url.user = "ann";
  options.url.password = "secret";
  auto nodes = ConnectToNodes(options);
  ASSERT_TRUE(nodes.ok()) << nodes.status();
  ASSERT_TRUE((*nodes)[0].Run({"SET", "k", "v"}).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(SampleUsage(*nodes, "k").status()));
}

}  // namespace
}  // namespace bench::remote
