#include "bench/remote/info_sampler.h"

#include <thread>
#include <utility>

#include "clients/local/server.h"
#include "clients/local/server_cluster.h"
#include "clients/testing/fake_server.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using clients::Connection;
using clients::Deadline;
using clients::local::Server;
using std::chrono::milliseconds;

// Waits for as long as it takes, on a machine that may be busy with others.
std::vector<ServerFigures> AwaitSamples(const InfoSampler& sampler, Deadline begin, size_t count) {
  while (true) {
    auto samples = sampler.Samples(begin, clients::Now());
    if (samples.size() >= count) return samples;
    std::this_thread::sleep_for(milliseconds(5));
  }
}

TEST(InfoSampler, SeesWhatCommandsDo) {
  auto server = Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  auto sampler = InfoSampler::Start(server->connect_options(), milliseconds(10));
  ASSERT_TRUE(sampler.ok()) << sampler.status();
  const auto before = (*sampler)->Ask();
  ASSERT_TRUE(before.ok()) << before.status();
  auto connection = Connection::Open(server->connect_options());
  ASSERT_TRUE(connection.ok());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(connection->Run({"SET", std::to_string(i), std::string(1000, 'x')}).ok());
  }
  ASSERT_TRUE(connection->Run({"GET", "1"}).ok());
  ASSERT_TRUE(connection->Run({"GET", "absent"}).ok());
  const auto after = (*sampler)->Ask();
  ASSERT_TRUE(after.ok()) << after.status();

  EXPECT_EQ(after->figures.keys - before->figures.keys, 100);
  EXPECT_EQ(after->figures.hits - before->figures.hits, 1);
  EXPECT_EQ(after->figures.misses - before->figures.misses, 1);
  EXPECT_GT(after->figures.used_memory, before->figures.used_memory + 100'000);
  EXPECT_GT(after->figures.rss, 0);
  EXPECT_GE(after->figures.cpu_seconds, before->figures.cpu_seconds);
  const CommandTable commands = Between(before->commands, after->commands);
  EXPECT_EQ(commands.at("set").calls, 100u);
  EXPECT_EQ(commands.at("get").calls, 2u);
  EXPECT_TRUE(after->latencies.contains("get"));
}

TEST(InfoSampler, SamplesAreByTheCallersClock) {
  auto server = Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  auto sampler = InfoSampler::Start(server->connect_options(), milliseconds(5));
  ASSERT_TRUE(sampler.ok()) << sampler.status();
  const Deadline begin = clients::Now();
  const auto samples = AwaitSamples(**sampler, begin, 3);
  for (size_t i = 0; i < samples.size(); ++i) {
    EXPECT_GE(samples[i].at_seconds, i == 0 ? 0 : samples[i - 1].at_seconds);
    EXPECT_EQ(samples[i].nodes, 1);
    EXPECT_GT(samples[i].used_memory, 0);
  }
  EXPECT_TRUE(
      (*sampler)->Samples(begin - std::chrono::hours(2), begin - std::chrono::hours(1)).empty());
}

TEST(InfoSampler, TheBusiestNodesShare) {
  using Snapshot = InfoSampler::Snapshot;
  const auto at = [](std::vector<double> seconds) {
    return Snapshot{.figures = {},
                    .commands = {},
                    .latencies = {},
                    .command_thread_seconds = std::move(seconds)};
  };
  EXPECT_EQ(InfoSampler::BusiestShare(at({1, 5}), at({1.5, 5.25}), 1), 0.5);
  EXPECT_EQ(InfoSampler::BusiestShare(at({1}), at({9}), 2), 1);
  EXPECT_EQ(InfoSampler::BusiestShare(at({1}), at({0.5}), 2), std::nullopt);
  EXPECT_EQ(InfoSampler::BusiestShare(at({1}), at({1, 2}), 2), std::nullopt);
  EXPECT_EQ(InfoSampler::BusiestShare(at({1}), at({2}), 0), std::nullopt);
}

TEST(InfoSampler, GoesOnWhenTheServerComesBack) {
  auto server = Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  auto sampler = InfoSampler::Start(server->connect_options(), milliseconds(5));
  ASSERT_TRUE(sampler.ok()) << sampler.status();
  server->Kill();
  EXPECT_FALSE((*sampler)->Ask().ok());
  ASSERT_TRUE(server->Restart().ok());
  EXPECT_FALSE(AwaitSamples(**sampler, clients::Now(), 2).empty());
}

TEST(InfoSampler, AskForAllNodesOfACluster) {
  auto cluster = clients::local::ServerCluster::Start();
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  auto sampler = InfoSampler::Start(cluster->connect_options());
  ASSERT_TRUE(sampler.ok()) << sampler.status();
  const auto snapshot = (*sampler)->Ask();
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->figures.nodes, 6);
  EXPECT_EQ(snapshot->figures.primaries, 3);
}

TEST(InfoSampler, AUserWithoutTheRightIsToldSo) {
  auto server = Server::Start({.users = {"ann on >secret ~* +@all -info"}});
  ASSERT_TRUE(server.ok()) << server.status();
  clients::ConnectOptions options = server->connect_options();
  options.url.user = "ann";
  options.url.password = "secret";
  const auto sampler = InfoSampler::Start(options);
  EXPECT_TRUE(absl::IsPermissionDenied(sampler.status())) << sampler.status();
}

TEST(InfoSampler, AnAnswerThatIsNoneIsAnError) {
  clients::testing::FakeServer server([](clients::testing::FakeServer::Peer& peer) {
    if (peer.Await("PING")) peer.Send("+PONG\r\n");
    if (peer.Await("INFO")) peer.Send(":1\r\n");
    peer.Stall();
  });
  const auto sampler = InfoSampler::Start(server.connect_options());
  EXPECT_TRUE(absl::IsInternal(sampler.status())) << sampler.status();
}

}  // namespace
}  // namespace bench::remote
