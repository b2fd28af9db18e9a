// Watches of real servers to which something happens. A watch ends when it has told what it should;
// if it never does, after a minute.
#include "bench/remote_watch/watch.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "clients/connection.h"
#include "clients/local/server.h"
#include "clients/local/server_cluster.h"
#include "clients/socket.h"
#include "clients/testing/fake_server.h"
#include "gtest/gtest.h"

namespace bench::remote_watch {
namespace {

using clients::local::Server;
using clients::local::ServerCluster;
using std::chrono::milliseconds;

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

size_t CountOf(const std::vector<Event>& events, std::string_view text) {
  size_t count = 0;
  for (const Event& event : events) count += Has(event.text, text) ? 1 : 0;
  return count;
}

Server StartServer(const clients::local::ServerOptions& options = {}) {
  auto server = Server::Start(options);
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

WatchPlan PlanFor(const clients::ConnectOptions& server) {
  WatchPlan plan;
  plan.server = server;
  plan.interval = milliseconds(10);
  plan.duration = std::chrono::minutes(1);
  // No busy machine takes so long; a test of a time-out sets its own.
  plan.server.connect_timeout = std::chrono::seconds(20);
  plan.server.command_timeout = std::chrono::seconds(20);
  return plan;
}

// Watches until `told` holds of the events so far.
absl::StatusOr<WatchResult> WatchUntil(WatchPlan plan,
                                       const std::function<bool(const std::vector<Event>&)>& told) {
  std::atomic<bool> interrupted = false;
  plan.interrupted = &interrupted;
  std::vector<Event> events;
  return Watch(plan, {.on_event =
                          [&](const Event& event, clients::Deadline) {
                            events.push_back(event);
                            if (told(events)) interrupted = true;
                          },
                      .on_tick = {}});
}

std::function<bool(const std::vector<Event>&)> Counts(std::string_view text, size_t count) {
  return [=](const std::vector<Event>& events) { return CountOf(events, text) >= count; };
}

// The server goes away and comes back.
void PlanRestart(Server* server, WatchPlan* plan) {
  plan->actions.push_back({milliseconds(400), "kill", [server] {
                             server->Kill();
                             return absl::OkStatus();
                           }});
  plan->actions.push_back({milliseconds(1500), "restart", [server] { return server->Restart(); }});
}

TEST(Watch, ThroughARestartThatLosesNothing) {
  Server server = StartServer({.append_only = true, .settings = {{"appendfsync", "always"}}});
  WatchPlan plan = PlanFor(server.connect_options());
  PlanRestart(&server, &plan);
  const auto result = WatchUntil(plan, [](const std::vector<Event>& events) {
    return CountOf(events, "UP ") == 2 && CountOf(events, "another process answers") == 1;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(CountOf(result->events, "DOWN"), 2u);
  EXPECT_EQ(result->Lost(), 0u);
  EXPECT_EQ(result->Unverified(), 0u);
  ASSERT_EQ(result->probers.size(), 2u);
  for (const auto& prober : result->probers) {
    ASSERT_EQ(prober->outages().gaps().size(), 1u) << prober->options().name;
    const Gap& gap = prober->outages().gaps()[0];
    EXPECT_TRUE(gap.over);
    EXPECT_GT(gap.probes, 0u);
    EXPECT_GT(gap.failures[0], 0u);  // nobody listened
    EXPECT_GT(prober->ledger().acknowledged(), 0u);
    EXPECT_EQ(
        prober->ledger().issued(),
        prober->ledger().acknowledged() + prober->ledger().refused() + prober->ledger().unknown());
    EXPECT_GT(prober->latency(2).Count(), 0u);
  }
  // The fresh one connects each time, the staying one where it has to.
  EXPECT_GT(result->probers[0]->connections(), result->probers[1]->connections());
  EXPECT_EQ(result->probers[1]->connections(), 2u);
  // It has cleaned up.
  auto connection = clients::Connection::Open(server.connect_options());
  ASSERT_TRUE(connection.ok());
  EXPECT_EQ(connection->Run({"DBSIZE"})->integer(), 0);
}

TEST(Watch, FindsWhatAServerWithoutPersistenceLoses) {
  Server server = StartServer();
  WatchPlan plan = PlanFor(server.connect_options());
  PlanRestart(&server, &plan);
  const auto result = WatchUntil(plan, Counts("LOST", 2));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(CountOf(result->events, "LOST"), 2u);  // each loss is told once
  for (const auto& prober : result->probers) {
    EXPECT_GT(prober->ledger().lost(), 0u);
    EXPECT_LT(prober->ledger().lost(),
              prober->ledger().acknowledged());  // what came after is there
  }
}

// Under each key stands something older than what was acknowledged.
TEST(Watch, TellsWhatWasRolledBack) {
  Server server = StartServer();
  auto other = clients::Connection::Open(server.connect_options());
  ASSERT_TRUE(other.ok());
  WatchPlan plan = PlanFor(server.connect_options());
  plan.duration = std::chrono::seconds(5);
  plan.keys = 5000;  // nothing is overwritten: where no read notices it, the end does
  plan.actions.push_back({milliseconds(500), "roll back", [&other]() -> absl::Status {
                            constexpr std::string_view kScript =
                                "for _, key in ipairs(redis.call('KEYS', 'ashlar:watch:*')) do "
                                "local n = tonumber(redis.call('GET', key)) "
                                "redis.call('SET', key, string.format('%d', n - 1)) end";
                            return other->Run({"EVAL", kScript, "0"}).status();
                          }});
  const auto result = WatchUntil(plan, Counts("rolled back", 2));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->action_failed.ok()) << result->action_failed;
  for (const auto& prober : result->probers) {
    EXPECT_GT(prober->ledger().rolled_back(), 0u);
    EXPECT_EQ(prober->ledger().lost(), 0u);
  }
}

TEST(Watch, AServerThatHangsIsDownByItsTimeOuts) {
  Server server = StartServer();
  WatchPlan plan = PlanFor(server.connect_options());
  plan.server.connect_timeout = milliseconds(300);
  plan.server.command_timeout = milliseconds(300);
  bool resumed = false;
  plan.actions.push_back({milliseconds(300), "pause", [&] {
                            server.Pause();
                            return absl::OkStatus();
                          }});
  plan.actions.push_back({milliseconds(1500), "resume", [&] {
                            server.Resume();
                            resumed = true;
                            return absl::OkStatus();
                          }});
  const auto result = WatchUntil(plan, [&](const std::vector<Event>& events) {
    return resumed && CountOf(events, "UP ") >= CountOf(events, "DOWN");
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->Lost(), 0u);
  EXPECT_GE(CountOf(result->events, "time-out"), 2u);
  for (const auto& prober : result->probers) EXPECT_GE(prober->outages().gaps().size(), 1u);
  EXPECT_GT(result->probers[0]->left_out(), 0u);
}

TEST(Watch, AReplicaIsPromoted) {
  Server primary = StartServer();
  const std::string port = std::to_string(primary.port());
  Server replica = StartServer(
      {.settings = {{"replicaof", "127.0.0.1", port}, {"repl-diskless-sync-delay", "0"}}});
  auto connection = clients::Connection::Open(replica.connect_options());
  ASSERT_TRUE(connection.ok());
  // While it loads its primary's data it answers nothing.
  const clients::Deadline late = clients::After(std::chrono::minutes(1));
  while (!clients::IsOver(late)) {
    const auto info = connection->Run({"INFO", "replication"});
    if (info.ok() && Has(info->text(), "master_link_status:up")) break;
    std::this_thread::sleep_for(milliseconds(20));
  }
  WatchPlan plan = PlanFor(replica.connect_options());
  plan.actions.push_back({milliseconds(500), "promote", [&connection] {
                            return connection->Run({"REPLICAOF", "NO", "ONE"}).status();
                          }});
  const auto result = WatchUntil(plan, [](const std::vector<Event>& events) {
    return CountOf(events, "UP ") == 2 && CountOf(events, "promoted to primary") == 1;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(CountOf(result->events, "READONLY"), 2u);
  for (const auto& prober : result->probers) {
    ASSERT_EQ(prober->outages().gaps().size(), 1u);
    const Gap& gap = prober->outages().gaps()[0];
    EXPECT_EQ(gap.failures[0], 0u);
    EXPECT_EQ(gap.failures[1], 0u);  // reads worked
    EXPECT_GT(gap.failures[2], 0u);
    EXPECT_EQ(gap.down[1].count(), 0);
    EXPECT_GT(prober->ledger().refused(), 0u);
    EXPECT_GT(prober->ledger().acknowledged(), 0u);
  }
  EXPECT_EQ(result->Lost(), 0u);
}

// The name leads to another server. Who connects anew is there at once, and misses what the old one
// had; who stays does not notice.
TEST(Watch, TheNameIsLookedUpAgain) {
  Server before = StartServer();
  Server after = StartServer();
  std::atomic<uint16_t> port = before.port();
  WatchPlan plan = PlanFor(before.connect_options());
  plan.server.resolver = [&](const clients::HostPort& node, clients::Deadline deadline) {
    return clients::Resolve({node.host, port}, deadline);
  };
  plan.actions.push_back({milliseconds(400), "the name moves", [&] {
                            port = after.port();
                            return absl::OkStatus();
                          }});
  const auto result = WatchUntil(plan, Counts("LOST", 1));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(CountOf(result->events, "another process answers"), 1u);
  EXPECT_GT(result->probers[0]->ledger().lost(), 0u);
  EXPECT_EQ(result->probers[1]->ledger().lost(), 0u);
  EXPECT_TRUE(result->probers[1]->outages().gaps().empty());
}

TEST(Watch, AFailOverOfACluster) {
  auto cluster = ServerCluster::Start();
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  WatchPlan plan = PlanFor(cluster->connect_options());
  plan.server.connect_timeout = std::chrono::seconds(8);
  plan.server.command_timeout = std::chrono::seconds(8);
  plan.interval = milliseconds(50);
  // The URL's node is the one that dies: the others are known by then.
  plan.actions.push_back({milliseconds(800), "kill", [&] {
                            cluster->node(0).Kill();
                            return absl::OkStatus();
                          }});
  bool killed = false;
  const auto result = WatchUntil(plan, [&](const std::vector<Event>& events) {
    killed |= CountOf(events, "kill") > 0;
    return killed && CountOf(events, "another process answers") > 0 &&
           CountOf(events, "UP ") >= CountOf(events, "DOWN");
  });
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->probers.size(), 2 * ServerCluster::kPrimaries);
  EXPECT_EQ(result->Unverified(), 0u);
  for (size_t i = 0; i < result->probers.size(); ++i) {
    const Prober& prober = *result->probers[i];
    EXPECT_TRUE(Has(prober.options().name, "slots ")) << prober.options().name;
    EXPECT_GT(prober.ledger().acknowledged(), 0u);
    EXPECT_GE(prober.outages().gaps().size(), i < 2 ? 1u : 0u);
    EXPECT_FALSE(prober.outages().is_down());
  }
}

TEST(Watch, OfATlsServerWithAPassword) {
  Server server = StartServer({.tls_names = "IP:127.0.0.1", .password = "secret"});
  WatchPlan plan = PlanFor(server.connect_options());
  plan.duration = milliseconds(200);
  const auto result = Watch(plan, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->Lost() + result->Unverified(), 0u);
  EXPECT_GT(result->probers[0]->ledger().acknowledged(), 0u);
}

TEST(Watch, AServerThatIsGoneAtTheEndCannotBeReadBack) {
  Server server = StartServer();
  WatchPlan plan = PlanFor(server.connect_options());
  plan.duration = milliseconds(600);
  plan.verify_within = milliseconds(50);
  plan.actions.push_back({milliseconds(300), "kill", [&] {
                            server.Kill();
                            return absl::OkStatus();
                          }});
  const auto result = Watch(plan, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->Lost(), 0u);
  EXPECT_GT(result->Unverified(), 0u);
  EXPECT_FALSE(result->probers[0]->outages().gaps().back().over);
}

TEST(Watch, AnActionThatFailsEndsIt) {
  Server server = StartServer();
  WatchPlan plan = PlanFor(server.connect_options());
  plan.actions.push_back({milliseconds(1), "fail", [] { return absl::InternalError("no"); }});
  const auto result = Watch(plan, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->action_failed, absl::InternalError("no"));
}

TEST(Watch, WhatItCannotStartOn) {
  clients::ConnectOptions nobody{.url = {.hosts = {{"127.0.0.1", clients::local::FreePort()}}}};
  EXPECT_TRUE(absl::IsUnavailable(Watch(PlanFor(nobody), {}).status()));
  Server server = StartServer({.password = "secret"});
  clients::ConnectOptions options = server.connect_options();
  options.url.password = "wrong";
  EXPECT_TRUE(absl::IsUnauthenticated(Watch(PlanFor(options), {}).status()));
  options.url.password = "";
  EXPECT_TRUE(absl::IsUnauthenticated(Watch(PlanFor(options), {}).status()));
  options = server.connect_options();
  options.url.cluster = true;
  const absl::Status no_cluster = Watch(PlanFor(options), {}).status();
  EXPECT_TRUE(Has(no_cluster.ToString(), "cluster support disabled")) << no_cluster;
  clients::testing::FakeServer node([](clients::testing::FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    if (peer.Await("GET\r\n")) peer.Send("-MOVED 7629 127.0.0.1:1\r\n");
    peer.Stall();
  });
  const absl::Status one_node = Watch(PlanFor(node.connect_options()), {}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(one_node)) << one_node;
  EXPECT_TRUE(Has(one_node.ToString(), "redis+cluster://")) << one_node;
}

}  // namespace
}  // namespace bench::remote_watch
