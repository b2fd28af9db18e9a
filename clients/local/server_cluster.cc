#include "clients/local/server_cluster.h"

#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "clients/slot.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace clients::local {
namespace {

constexpr auto kAgreedWithin = std::chrono::seconds(60);

bool Has(const absl::StatusOr<Reply>& reply, std::string_view text) {
  return reply.ok() && reply->type() == ReplyType::kString &&
         reply->text().find(text) != std::string_view::npos;
}

// Tries until it is done: nodes learn of each other by gossip.
template <typename Done>
absl::Status Await(std::string_view what, const Done& done) {
  const Deadline deadline = After(kAgreedWithin);
  while (!done()) {
    if (IsOver(deadline)) return absl::InternalError(fmt::format("no cluster: {}", what));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ServerCluster> ServerCluster::Start(const std::string& program) {
  ServerCluster cluster;
  for (size_t i = 0; i < 2 * kPrimaries; ++i) {
    KV_ASSIGN_OR_RETURN(Server server,
                        Server::Start({.program = program,
                                       .cluster = true,
                                       .settings = {{"cluster-node-timeout", "500"},
                                                    {"cluster-replica-validity-factor", "0"},
                                                    {"repl-diskless-sync-delay", "0"},
                                                    {"repl-ping-replica-period", "1"}}}));
    KV_ASSIGN_OR_RETURN(Connection connection, Connection::Open(server.connect_options()));
    cluster.servers_.push_back(std::move(server));
    cluster.connections_.push_back(std::move(connection));
  }
  KV_RETURN_IF_ERROR(cluster.Join());
  KV_RETURN_IF_ERROR(cluster.AwaitAgreement());
  return cluster;
}

absl::Status ServerCluster::Join() {
  for (size_t i = 0; i < servers_.size(); ++i) {
    const std::string epoch = std::to_string(i + 1);
    KV_RETURN_IF_ERROR(connections_[i].Run({"CLUSTER", "SET-CONFIG-EPOCH", epoch}).status());
    KV_RETURN_IF_ERROR(connections_[0]
                           .Run({"CLUSTER", "MEET", "127.0.0.1", std::to_string(servers_[i].port()),
                                 std::to_string(servers_[i].bus_port())})
                           .status());
    if (i >= kPrimaries) continue;
    const std::string first = std::to_string(i * kSlots / kPrimaries);
    const std::string last = std::to_string((i + 1) * kSlots / kPrimaries - 1);
    KV_RETURN_IF_ERROR(connections_[i].Run({"CLUSTER", "ADDSLOTSRANGE", first, last}).status());
  }
  for (size_t i = 0; i < kPrimaries; ++i) {
    KV_ASSIGN_OR_RETURN(const Reply id, connections_[i].Run({"CLUSTER", "MYID"}));
    KV_RETURN_IF_ERROR(Await("a replica knows its primary", [&] {
      return connections_[kPrimaries + i].Run({"CLUSTER", "REPLICATE", id.text()}).ok();
    }));
  }
  return absl::OkStatus();
}

absl::Status ServerCluster::AwaitAgreement() {
  for (Connection& connection : connections_) {
    KV_RETURN_IF_ERROR(Await("all nodes see all slots and each other", [&] {
      const auto info = connection.Run({"CLUSTER", "INFO"});
      return Has(info, "cluster_state:ok") && Has(info, "cluster_known_nodes:6");
    }));
    // A node names a replica once it has heard that the replica has some of its primary's data.
    KV_RETURN_IF_ERROR(Await("all nodes see a replica of each primary", [&] {
      const auto slots = connection.Run({"CLUSTER", "SLOTS"});
      if (!slots.ok() || slots->type() != ReplyType::kArray) return false;
      if (slots->size() != kPrimaries) return false;
      for (size_t i = 0; i < kPrimaries; ++i) {
        if ((*slots)[i].size() != 4) return false;  // first, last, the primary, its replica
      }
      return true;
    }));
  }
  return absl::OkStatus();
}

ConnectOptions ServerCluster::connect_options() const {
  ConnectOptions options = servers_[0].connect_options();
  options.url.cluster = true;
  return options;
}

}  // namespace clients::local
