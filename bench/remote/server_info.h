// What a server says of itself in answer to INFO: text in sections, one field a line.
//
//   # Memory
//   used_memory:1022904
//   # Commandstats
//   cmdstat_get:calls=6,usec=12,usec_per_call=2.00,rejected_calls=0,failed_calls=1
//   # Latencystats
//   latency_percentiles_usec_get:p50=1.003,p99=9.023,p99.9=9.023
//   # Keyspace
//   db0:keys=3,expires=1,avg_ttl=9000
//
// Which fields there are depends on the server, its version and who asks, so none is required: what
// is absent or broken is nullopt, never a zero. Names of sections are not kept.
//
// Thread safety: a const ServerInfo may be read by any thread. Complexity: parsing n log n in the
// lines; look-ups log n.
// Source: INFO as Redis 7 and Valkey 8 document it.
#ifndef BENCH_REMOTE_SERVER_INFO_H_
#define BENCH_REMOTE_SERVER_INFO_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bench::remote {

// Of one command since the server's start, or between two answers.
struct CommandStatistics {
  uint64_t calls = 0;
  uint64_t micros = 0;    // inside the command
  uint64_t rejected = 0;  // before it ran: wrong arguments, no right, no memory
  uint64_t failed = 0;    // while it ran
};
using CommandTable = std::map<std::string, CommandStatistics>;

// By the server's own clock, inside the command, in microseconds.
struct CommandLatency {
  double p50_micros = 0;
  double p99_micros = 0;
  double p999_micros = 0;
};
using LatencyTable = std::map<std::string, CommandLatency>;

class ServerInfo {
 public:
  // Never fails: a text that is no answer to INFO gives one without fields.
  static ServerInfo Parse(std::string_view text);

  bool empty() const { return fields_.empty(); }
  std::optional<std::string_view> Text(std::string_view field) const;
  std::optional<double> Number(std::string_view field) const;

  // "redis", "valkey" or another that names itself, and its own version, or "unknown".
  std::string Product() const;
  std::string Version() const;
  bool IsReplica() const;
  // Keys of all databases.
  uint64_t Keys() const;

  // By names in lower case; "config|get" of a subcommand.
  const CommandTable& commands() const { return commands_; }
  const LatencyTable& latencies() const { return latencies_; }

 private:
  std::map<std::string, std::string, std::less<>> fields_;
  CommandTable commands_;
  LatencyTable latencies_;
};

// One moment of a server, or of a cluster's nodes together. Memory, keys, hits and misses are those
// of primaries, since replicas hold the same data again; processor time is everybody's.
struct ServerFigures {
  double at_seconds = 0;       // of the clock of the run that it belongs to
  int nodes = 0;               // that answered
  int primaries = 0;           // of those
  double used_memory = 0;      // bytes, as all memory here
  double pending_objects = 0;  // removed, but not freed yet: still in used_memory
  double rss = 0;
  double allocator_allocated = 0;
  double allocator_active = 0;
  double allocator_resident = 0;
  double cpu_seconds = 0;  // user and system
  double clients = 0;
  double commands = 0;
  double hits = 0;
  double misses = 0;
  double evicted = 0;
  double expired = 0;
  double keys = 0;

  // Resident over used; 0 when unknown.
  double Fragmentation() const { return used_memory > 0 ? rss / used_memory : 0; }
};
ServerFigures Sum(std::span<const ServerInfo> nodes);

// Processor seconds of the thread that runs commands, of each node in their order; of the whole
// process where the server does not tell them apart.
std::vector<double> CommandThreadSeconds(std::span<const ServerInfo> nodes);

// What came to `before` until `after`. A command whose counts fell (the server was started anew, or
// its statistics were reset) has what it has after that.
CommandTable Between(const CommandTable& before, const CommandTable& after);
// Of all nodes together.
CommandTable SumCommands(std::span<const ServerInfo> nodes);
// The worst of each over the nodes: percentiles cannot be added.
LatencyTable WorstLatencies(std::span<const ServerInfo> nodes);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_SERVER_INFO_H_
