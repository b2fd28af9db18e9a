// The data that loads run on: written before a load, removed after it, one load's at a time.
//
//   data.Prepare(plan)    removes what another load has left, writes what this one reads
//   data.Remove()         at the end
//
// In a server of ours all is emptied at once (FLUSHALL). In anybody else's only keys under the
// load's prefix are removed, one by one.
//
// Errors: the connection fails; a part of the data could not be written (READONLY, OOM): a load on
// half of its data measures misses.
//
// Thread safety: none.
#ifndef BENCH_REMOTE_DATASET_H_
#define BENCH_REMOTE_DATASET_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/remote/drive/drive.h"
#include "bench/remote/info_sampler.h"
#include "bench/remote/load/plan.h"
#include "bench/remote/memory_per_key.h"
#include "clients/connection.h"
#include "clients/dialer.h"

namespace bench::remote {

struct DatasetOptions {
  clients::ConnectOptions server;
  int threads = 1;
  bool own_server = false;  // FLUSHALL is permitted
  bool preload = true;      // false: the data are there
  bool keep = false;        // Remove does nothing
  std::atomic<uint64_t>* progress = nullptr;
  const std::atomic<bool>* stop = nullptr;
};

class Dataset {
 public:
  // `sampler` may be null: then nothing is known of memory. `nodes` are connections of one's own.
  Dataset(const DatasetOptions& options, InfoSampler* sampler,
          std::vector<clients::Connection>* nodes)
      : options_(options), sampler_(sampler), nodes_(nodes) {}

  // Nothing where the data are this load's already.
  absl::Status Prepare(const LoadPlan& plan);
  // Of the last load.
  absl::Status Remove();

  // The load's plan, whose sources share the numbers of the records that they insert.
  const LoadPlan& plan() const { return *plan_; }
  const std::optional<MemoryPerKey>& memory() const { return memory_; }
  double preload_seconds() const { return preload_seconds_; }

 private:
  DrivePlan PlanOf() const;
  absl::Status Empty(const LoadPlan& plan);
  absl::Status Preload();
  // What the server says of itself once it has freed what was removed, and the buffers of the
  // connections that did it; or after kLongestSettling.
  std::optional<ServerFigures> AskSettled();
  void Measure(const ServerFigures& before);

  const DatasetOptions options_;
  InfoSampler* const sampler_;
  std::vector<clients::Connection>* const nodes_;
  std::optional<LoadPlan> plan_;
  std::optional<MemoryPerKey> memory_;
  std::optional<double> clients_;  // that the server had before the first drive
  double preload_seconds_ = 0;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DATASET_H_
