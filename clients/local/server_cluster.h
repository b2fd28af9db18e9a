// A real cluster for a test: three primaries and a replica of each, on the loopback interface.
//
// Its nodes take a primary for dead after half a second, so that a fail-over takes some two.
//
// Thread safety: none. Complexity: six processes; some three seconds until all agree.
#ifndef CLIENTS_LOCAL_SERVER_CLUSTER_H_
#define CLIENTS_LOCAL_SERVER_CLUSTER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/connection.h"
#include "clients/dialer.h"
#include "clients/local/server.h"

namespace clients::local {

class ServerCluster {
 public:
  static constexpr size_t kPrimaries = 3;

  // `program` as in ServerOptions.
  static absl::StatusOr<ServerCluster> Start(const std::string& program = "");

  // All nodes: the primaries, then their replicas in the same order.
  Server& node(size_t index) { return servers_[index]; }
  // A connection to one node.
  Connection& connection(size_t index) { return connections_[index]; }
  // The cluster, by its first primary.
  ConnectOptions connect_options() const;

 private:
  absl::Status Join();
  // Until each node says that all slots are served, and that each primary has a replica.
  absl::Status AwaitAgreement();

  std::vector<Server> servers_;
  std::vector<Connection> connections_;
};

}  // namespace clients::local

#endif  // CLIENTS_LOCAL_SERVER_CLUSTER_H_
