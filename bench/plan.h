// What stands between the lab and an engine: a plan of one row, its raw results, and Subject, the
// one interface that every composition's adapter fills in (engine_subject.h).
//
// Subject is virtual, but a call of it is a whole row: between the loop and the engine there is
// nothing virtual. All that does not depend on the engine is compiled once, on this side of it.
#ifndef BENCH_PLAN_H_
#define BENCH_PLAN_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "bench/replay_model.h"
#include "bench/trace.h"
#include "bench/value_generator.h"
#include "bench/workload.h"
#include "kv/base/histogram.h"
#include "kv/contract/options.h"
#include "kv/contract/statistics.h"

namespace bench {

struct Capabilities {
  std::string name;        // of the composition, as in engines.bzl
  std::string descriptor;  // JSON
  bool durable = false;
  bool ordered = false;
  bool expiry = false;
  bool compaction = false;
};

// One row: a workload with all its numbers. Plain values, plus what the threads share.
struct RowPlan {
  const Workload* workload = nullptr;
  int threads = 1;
  uint64_t operations_per_thread = 0;
  double seconds = 0;    // stop after this long, if the count is not reached before; 0: no limit
  uint64_t records = 0;  // key numbers are below this when the row starts
  size_t key_bytes = 16;
  size_t value_bytes = 100;
  size_t batch = 1;
  double zipf_theta = 0.99;
  uint64_t seed = 0;
  const ValuePool* values = nullptr;
  std::atomic<uint64_t>* next_insert = nullptr;  // the next new key number
  std::atomic<uint64_t>* progress = nullptr;     // operations done so far
};

struct RowResult {
  double seconds = 0;       // first operation's start to last operation's end, wall
  uint64_t operations = 0;  // keys, for batches
  uint64_t found = 0;       // reads that found their key
  uint64_t missed = 0;      // reads that did not
  uint64_t retries = 0;     // CompareAndSet attempts beyond the first
  uint64_t user_bytes = 0;  // key and value bytes of writes
  uint64_t read_bytes = 0;  // value bytes of reads
  uint64_t samples = 0;     // latencies recorded; fewer than operations when sampled
  bool sampled = false;
  double generate_nanos = 0;       // an operation; inside `seconds`
  double record_nanos = 0;         // an operation; inside `seconds`
  uint64_t writer_operations = 0;  // of the background writer, not in `operations`
  kv::Histogram reads;
  kv::Histogram writes;
};

struct ReplayPlan {
  const Trace* trace = nullptr;
  const ReplayValues* values = nullptr;
  int threads = 1;
  std::atomic<uint64_t>* progress = nullptr;
};

class Subject {
 public:
  virtual ~Subject() = default;

  virtual const Capabilities& capabilities() const = 0;
  // One store is open at a time. Close() is fine when none is.
  virtual absl::Status Open(const kv::Options& options) = 0;
  virtual absl::Status Close() = 0;
  virtual bool IsOpen() const = 0;
  virtual kv::Statistics Stats() = 0;
  // Untimed helpers.
  virtual absl::Status Put(std::string_view key, std::string_view value) = 0;
  virtual absl::Status Get(std::string_view key, std::string* value) = 0;
  // Runs a row on the open store. `result` is empty on entry, and partial on an error.
  virtual absl::Status Run(const RowPlan& plan, RowResult* result) = 0;
  virtual absl::Status Replay(const ReplayPlan& plan, ReplayResult* result) = 0;
};

}  // namespace bench

#endif  // BENCH_PLAN_H_
