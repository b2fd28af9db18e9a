// What kind of server is measured, and how it is set up: what has to be the same on two sides
// before their figures may be compared.
//
// By INFO, and by CONFIG GET where that is permitted. Managed services refuse CONFIG; the settings
// then say so and the rest stands.
//
// Thread safety: pure functions. Complexity: two commands.
#ifndef BENCH_REMOTE_SERVER_DESCRIPTION_H_
#define BENCH_REMOTE_SERVER_DESCRIPTION_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/connection.h"

namespace bench::remote {

struct ServerDescription {
  std::string product = "unknown";  // "redis", "valkey"
  std::string version = "unknown";
  std::string mode;  // "standalone", "cluster", "sentinel"
  bool is_replica = false;
  // Of CONFIG GET, or what INFO says instead.
  std::map<std::string, std::string> settings;
  // Why there is none of CONFIG GET; empty where there is.
  std::string config_refused;

  // "unknown" for what nobody would tell.
  std::string Setting(const std::string& name) const;
  // "save ''; appendonly no": what is written to disk, and when.
  std::string Persistence() const;
  // "no limit" or "100 MiB, allkeys-lru".
  std::string MaxMemory() const;
};

// An error: the connection fails. A refusal is none.
absl::StatusOr<ServerDescription> Describe(clients::Connection& connection);

// What two descriptions say of a server, by name: the context of a report.
std::vector<std::pair<std::string, std::string>> ContextOf(const ServerDescription& server);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_SERVER_DESCRIPTION_H_
