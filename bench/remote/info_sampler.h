// INFO of a server, or of every node of a cluster, asked by a thread of its own each second, on
// connections of its own, by the clock by which latencies are measured.
//
//   auto sampler = InfoSampler::Start(options);
//   const auto before = (*sampler)->Ask();       a row runs
//   const auto after = (*sampler)->Ask();
//   (*sampler)->Samples(begin, end);             what the thread saw meanwhile
//
// A server that does not answer, or not in time, is left out of that sample and asked again in the
// next: the run goes on without it. One that refuses INFO (a user without the right) is an error of
// Start.
//
// Nodes are the ones that the cluster names at the start.
//
// Thread safety: any thread. Complexity: a command per node and sample, some 0.1 ms of a server's
// time; samples are kept, 150 bytes each.
#ifndef BENCH_REMOTE_INFO_SAMPLER_H_
#define BENCH_REMOTE_INFO_SAMPLER_H_

#include <chrono>
#include <condition_variable>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/remote/server_info.h"
#include "clients/connection.h"
#include "clients/deadline.h"
#include "clients/dialer.h"

namespace bench::remote {

// A connection to the server, or to each node of a cluster that a node of the URL names.
absl::StatusOr<std::vector<clients::Connection>> ConnectToNodes(
    const clients::ConnectOptions& options);

class InfoSampler {
 public:
  struct Snapshot {
    ServerFigures figures;
    CommandTable commands;   // since the start of the servers, or the last CONFIG RESETSTAT
    LatencyTable latencies;  // likewise; none where the server keeps none
    std::vector<double> command_thread_seconds;  // of each node
  };

  // Processor time over wall time of the busiest node's thread that runs commands. nullopt: nodes
  // have gone, come or begun anew.
  static std::optional<double> BusiestShare(const Snapshot& before, const Snapshot& after,
                                            double seconds);

  static absl::StatusOr<std::unique_ptr<InfoSampler>> Start(
      const clients::ConnectOptions& options,
      clients::Nanoseconds interval = std::chrono::seconds(1));
  ~InfoSampler();

  // Asks everybody now. kUnavailable: nobody answers.
  absl::StatusOr<Snapshot> Ask();
  // All that was seen from `begin` on until `end`; at_seconds counts from `begin`.
  std::vector<ServerFigures> Samples(clients::Deadline begin, clients::Deadline end) const;

 private:
  struct Sample {
    clients::Deadline at;
    ServerFigures figures;
  };

  explicit InfoSampler(std::vector<clients::Connection> connections)
      : connections_(std::move(connections)) {}

  // By those nodes that answer.
  std::vector<ServerInfo> AskNodes(std::initializer_list<std::string_view> command,
                                   absl::Status* failure);
  void Run(clients::Nanoseconds interval);

  std::mutex asking_;
  std::vector<clients::Connection> connections_;  // guarded by asking_

  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;        // guarded by mutex_
  std::vector<Sample> samples_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_INFO_SAMPLER_H_
