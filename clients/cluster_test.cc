#include "clients/cluster.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clients/local/on_each_server.h"
#include "clients/local/server_cluster.h"
#include "clients/slot.h"
#include "clients/testing/fake_server.h"
#include "gtest/gtest.h"

namespace clients {
namespace {

using local::FreePort;
using local::ServerCluster;
using std::chrono::milliseconds;
using testing::FakeServer;

// What a server before Redis 7 answers to CLUSTER SHARDS.
constexpr std::string_view kNoShards = "-ERR Unknown subcommand 'SHARDS'. Try CLUSTER HELP.\r\n";

std::string AllSlotsAt(uint16_t port) {
  return "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$0\r\n\r\n:" + std::to_string(port) + "\r\n";
}

// A node that serves all slots by its own account. `on_get` answers the GETs; false: it closes.
FakeServer::Script OneNode(const uint16_t* port, std::function<bool(FakeServer::Peer&)> on_get) {
  return [port, on_get = std::move(on_get)](FakeServer::Peer& peer) {
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    while (const auto which = peer.AwaitAny({"SHARDS\r\n", "SLOTS\r\n", "GET\r\n$1\r\nk\r\n"})) {
      if (*which == 0) peer.Send(kNoShards);
      if (*which == 1) peer.Send(AllSlotsAt(*port));
      if (*which == 2 && !on_get(peer)) return;
    }
  };
}

ConnectOptions Options(const HostPort& node) {
  ConnectOptions options{.url = {.cluster = true, .hosts = {node}}};
  options.connect_timeout = std::chrono::minutes(1);
  options.command_timeout = std::chrono::minutes(1);
  options.reconnect_for = milliseconds(300);
  options.backoff = {.shortest = milliseconds(2), .longest = milliseconds(20)};
  return options;
}

TEST(Cluster, NoNodeAnswers) {
  const HostPort node{"127.0.0.1", FreePort()};
  const absl::Status status = Cluster::Create(Options(node), 1).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(std::string(status.message()).find(ToString(node)), 0u) << status;
  EXPECT_FALSE(Cluster::Create(Options(node), 0).ok());
}

class RealServer : public local::OnEachServer<> {};

TEST_P(RealServer, ThatIsNoCluster) {
  const local::Server server = StartServer();
  const absl::Status status = Cluster::Create(Options({"127.0.0.1", server.port()}), 1).status();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.ToString().find("cluster support disabled"), std::string::npos) << status;
}

CLIENTS_TEST_ON_EACH_SERVER(RealServer);

TEST(Cluster, MovedToADeadNodeIsAnErrorInTime) {
  uint16_t port = 0;
  const HostPort dead{"127.0.0.1", FreePort()};
  FakeServer server(OneNode(&port, [&](FakeServer::Peer& peer) {
    return peer.Send("-MOVED 7629 " + ToString(dead) + "\r\n");
  }));
  port = server.port();
  const auto cluster = Cluster::Create(Options(server.node()), 1);
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  const absl::Status status = (*cluster)->Run("k", {"GET", "k"}).status();
  EXPECT_TRUE(MayHeal(status)) << status;
  EXPECT_GE((*cluster)->redirections(), 1u);
  EXPECT_EQ(std::string(status.message()).find(ToString(dead)), 0u) << status;
}

TEST(Cluster, ACircleOfRedirectionsEnds) {
  uint16_t port = 0;
  FakeServer server(OneNode(&port, [&](FakeServer::Peer& peer) {
    return peer.Send("-MOVED 7629 127.0.0.1:" + std::to_string(port) + "\r\n");
  }));
  port = server.port();
  const auto cluster = Cluster::Create(Options(server.node()), 1);
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  const absl::Status status = (*cluster)->Run("k", {"GET", "k"}).status();
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
  EXPECT_NE(status.ToString().find("17 redirections"), std::string::npos) << status;
}

TEST(Cluster, ALostCommandIsRepeatedOnlyWhereItMayRunTwice) {
  for (const Repeat repeat : {Repeat::kNotAfterSending, Repeat::kSafely}) {
    uint16_t port = 0;
    std::atomic<int> commands = 0;
    // The first command's connection is cut behind it.
    FakeServer server(OneNode(&port, [&](FakeServer::Peer& peer) {
      return commands++ != 0 && peer.Send("$1\r\nv\r\n");
    }));
    port = server.port();
    ConnectOptions options = Options(server.node());
    options.reconnect_for = std::chrono::minutes(1);
    const auto cluster = Cluster::Create(options, 1);
    ASSERT_TRUE(cluster.ok()) << cluster.status();
    const auto reply = (*cluster)->Run("k", {"GET", "k"}, repeat);
    if (repeat == Repeat::kSafely) {
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(reply->text(), "v");
      EXPECT_EQ(commands, 2);
    } else {
      EXPECT_TRUE(absl::IsUnavailable(reply.status())) << reply.status();
      EXPECT_EQ(commands, 1);
    }
  }
}

// A node that takes connections and says nothing costs an eighth of the time, not all of it.
TEST(Cluster, AnotherNodeIsAskedBeforeTheTimeOfOneIsOver) {
  uint16_t port = 0;
  FakeServer hanging([](FakeServer::Peer& peer) { peer.Stall(); });
  FakeServer server(OneNode(&port, [](FakeServer::Peer& peer) { return peer.Send("$-1\r\n"); }));
  port = server.port();
  ConnectOptions options = Options(hanging.node());
  options.url.hosts.push_back(server.node());
  options.connect_timeout = std::chrono::seconds(8);
  const auto cluster = Cluster::Create(options, 1);
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  EXPECT_EQ(hanging.connections(), 1);  // once, and in haste: nobody came back to it
  EXPECT_EQ(server.connections(), 1);
}

TEST(Cluster, ASlowNodeIsAskedAgainWhereItIsTheOnlyOne) {
  uint16_t port = 0;
  std::atomic<int> pings = 0;
  const auto on_get = [](FakeServer::Peer& peer) { return peer.Send("$-1\r\n"); };
  FakeServer server([&](FakeServer::Peer& peer) {
    // The first time it is too slow for those in haste.
    if (pings++ == 0) return peer.Stall();
    OneNode(&port, on_get)(peer);
  });
  port = server.port();
  ConnectOptions options = Options(server.node());
  options.connect_timeout = std::chrono::seconds(4);
  const auto cluster = Cluster::Create(options, 1);
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  EXPECT_EQ(pings, 2);
}

// By the account of the node that is asked; the other one, in the same map, is not bothered.
TEST(Cluster, AFailedNodeIsNotAsked) {
  uint16_t port = 0;
  FakeServer failed([](FakeServer::Peer& peer) { peer.Stall(); });
  std::atomic<int> asked = 0;
  FakeServer server([&](FakeServer::Peer& peer) {
    const auto node = [](uint16_t at, std::string_view role, std::string_view health) {
      return "*8\r\n$4\r\nport\r\n:" + std::to_string(at) +
             "\r\n$8\r\nendpoint\r\n$9\r\n127.0.0.1\r\n$4\r\nrole\r\n$" +
             std::to_string(role.size()) + "\r\n" + std::string(role) + "\r\n$6\r\nhealth\r\n$" +
             std::to_string(health.size()) + "\r\n" + std::string(health) + "\r\n";
    };
    if (peer.Await("PING\r\n")) peer.Send("+PONG\r\n");
    while (peer.Await("SHARDS\r\n")) {
      ++asked;
      peer.Send("*1\r\n*4\r\n$5\r\nslots\r\n*2\r\n:0\r\n:16383\r\n$5\r\nnodes\r\n*2\r\n" +
                node(failed.port(), "master", "fail") + node(port, "master", "online"));
    }
  });
  port = server.port();
  const auto cluster = Cluster::Create(Options(server.node()), 1);
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  EXPECT_EQ((*cluster)->NodeOf("k")->port, server.port());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE((*cluster)->Refresh().ok());
  EXPECT_EQ(asked, 5);
  EXPECT_EQ(failed.connections(), 0);
}

// One cluster for all tests of a suite. One that could not be started is not tried again.
class RealCluster : public local::OnEachServer<> {
 protected:
  static void TearDownTestSuite() { delete std::exchange(started_, nullptr); }
  void SetUp() override {
    OnEachServer::SetUp();
    if (!MayRun()) return;
    if (started_ == nullptr) {
      started_ = new absl::StatusOr<ServerCluster>(ServerCluster::Start(GetParam()));
    }
    ASSERT_TRUE(started_->ok()) << started_->status();
    servers_ = &**started_;
    ConnectOptions options = servers_->connect_options();
    options.reconnect_for = std::chrono::seconds(30);
    options.backoff.longest = milliseconds(100);
    auto cluster = Cluster::Create(options, 2);
    ASSERT_TRUE(cluster.ok()) << cluster.status();
    cluster_ = *std::move(cluster);
  }
  // A key of a slot that primary `index` was given.
  static std::string KeyOf(size_t index) {
    for (int i = 0;; ++i) {
      const std::string key = "key" + std::to_string(i);
      if (SlotOf(key) * ServerCluster::kPrimaries / kSlots == index) return key;
    }
  }

  static inline absl::StatusOr<ServerCluster>* started_ = nullptr;
  ServerCluster* servers_ = nullptr;
  std::unique_ptr<Cluster> cluster_;
};

TEST_P(RealCluster, KeysAreWhereTheServerSays) {
  for (const std::string key : {"", "foo", "{user1000}.following", "foo{}{bar}", "foo{{bar}}zap",
                                "foo{bar}{zap}", "{a", "\xff\xfe", "a}b{c}d"}) {
    const auto slot = servers_->connection(0).Run({"CLUSTER", "KEYSLOT", key});
    ASSERT_TRUE(slot.ok()) << slot.status();
    EXPECT_EQ(slot->integer(), SlotOf(key)) << key;
  }
}

// What SHARDS says and what SLOTS says is the same map.
TEST_P(RealCluster, ShardsAndSlotsAgree) {
  for (size_t i = 0; i < 2 * ServerCluster::kPrimaries; ++i) {
    const HostPort asked{"127.0.0.1", servers_->node(i).port()};
    const auto shards = servers_->connection(i).Run({"CLUSTER", "SHARDS"});
    const auto slots = servers_->connection(i).Run({"CLUSTER", "SLOTS"});
    ASSERT_TRUE(shards.ok() && slots.ok()) << shards.status() << slots.status();
    const auto by_shards = SlotMap::ParseShards(shards->root(), asked, false);
    const auto by_slots = SlotMap::Parse(slots->root(), asked);
    ASSERT_TRUE(by_shards.ok()) << by_shards.status();
    ASSERT_TRUE(by_slots.ok()) << by_slots.status();
    EXPECT_EQ(by_shards->nodes().size(), 2 * ServerCluster::kPrimaries);
    EXPECT_EQ(by_slots->nodes().size(), 2 * ServerCluster::kPrimaries);
    for (uint16_t slot = 0; slot < kSlots; ++slot) {
      ASSERT_NE(by_shards->OwnerOf(slot), nullptr) << slot;
      ASSERT_EQ(*by_shards->OwnerOf(slot), *by_slots->OwnerOf(slot)) << slot;
    }
  }
}

TEST_P(RealCluster, CommandsGoToEachNode) {
  for (int i = 0; i < 300; ++i) {
    const std::string key = "k" + std::to_string(i);
    const auto set = cluster_->Run(key, {"SET", key, key});
    ASSERT_TRUE(set.ok()) << set.status();
  }
  for (int i = 0; i < 300; ++i) {
    const std::string key = "k" + std::to_string(i);
    const auto get = cluster_->Run(key, {"GET", key});
    ASSERT_TRUE(get.ok()) << get.status();
    EXPECT_EQ(get->text(), key);
  }
  EXPECT_EQ(cluster_->redirections(), 0u);
  for (size_t i = 0; i < ServerCluster::kPrimaries; ++i) {
    EXPECT_GT(servers_->connection(i).Run({"DBSIZE"})->integer(), 50);
  }
  const std::string list = KeyOf(0) + "{" + KeyOf(0) + "}list";
  ASSERT_TRUE(cluster_->Run(list, {"LPUSH", list, "x"}).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(cluster_->Run(list, {"GET", list}).status()));
}

// A slot on its way: keys that are not at its old place any more are asked for at the new one.
TEST_P(RealCluster, ASlotMoves) {
  const std::string key = KeyOf(0);
  const std::string slot = std::to_string(SlotOf(key));
  Connection& from = servers_->connection(0);
  // A node does not give a slot away whose keys it holds.
  ASSERT_TRUE(from.Run({"FLUSHALL"}).ok());
  Connection& to = servers_->connection(1);
  const std::string from_id(from.Run({"CLUSTER", "MYID"})->text());
  const std::string to_id(to.Run({"CLUSTER", "MYID"})->text());
  ASSERT_TRUE(to.Run({"CLUSTER", "SETSLOT", slot, "IMPORTING", from_id}).ok());
  ASSERT_TRUE(from.Run({"CLUSTER", "SETSLOT", slot, "MIGRATING", to_id}).ok());

  const auto asked = cluster_->Run(key, {"SET", key, "moving"});
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_EQ(cluster_->redirections(), 1u);
  EXPECT_EQ(cluster_->NodeOf(key)->port, servers_->node(0).port());  // it is still the owner

  for (Connection* const connection : {&to, &from}) {
    const auto given = connection->Run({"CLUSTER", "SETSLOT", slot, "NODE", to_id});
    ASSERT_TRUE(given.ok()) << given.status();
  }
  const auto moved = cluster_->Run(key, {"GET", key});
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(moved->text(), "moving");
  EXPECT_EQ(cluster_->redirections(), 2u);
  EXPECT_EQ(cluster_->NodeOf(key)->port, servers_->node(1).port());
  ASSERT_TRUE(cluster_->Run(key, {"GET", key}).ok());
  EXPECT_EQ(cluster_->redirections(), 2u);  // it goes there directly now
}

// The last of them, since a node is dead afterwards.
TEST_P(RealCluster, ZAPrimaryIsKilledAndItsReplicaTakesOver) {
  const std::string key = KeyOf(2);
  ASSERT_TRUE(cluster_->Run(key, {"SET", key, "before"}).ok());
  // What is not yet at the replica is lost with its primary.
  ASSERT_EQ(servers_->connection(2).Run({"WAIT", "1", "5000"})->integer(), 1);
  const std::string other = KeyOf(1);
  ASSERT_TRUE(cluster_->Run(other, {"SET", other, "x"}).ok());

  servers_->node(2).Kill();
  const auto read = cluster_->Run(key, {"GET", key}, Repeat::kSafely);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->text(), "before");
  EXPECT_EQ(cluster_->NodeOf(key)->port, servers_->node(5).port());
  const auto write = cluster_->Run(key, {"SET", key, "after"});
  ASSERT_TRUE(write.ok()) << write.status();
  EXPECT_TRUE(cluster_->Run(other, {"GET", other}, Repeat::kSafely).ok());
  EXPECT_GT(cluster_->refreshes(), 1u);
}

CLIENTS_TEST_ON_EACH_SERVER(RealCluster);

}  // namespace
}  // namespace clients
