// Recorded requests of --replay, whichever of the formats they have: a Twitter or block trace
// (bench/trace.h) or the output of MONITOR (bench/remote/load/monitor.h).
//
// Thread safety: const functions may be called by any thread. Memory: the whole record.
#ifndef BENCH_REMOTE_RECORD_H_
#define BENCH_REMOTE_RECORD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/remote/drive/drive.h"
#include "bench/remote/load/monitor_source.h"
#include "bench/remote/load/trace_source.h"

namespace bench::remote {

struct RecordOptions {
  std::string path;
  bool skip_bad_lines = false;
  uint64_t limit = 0;  // requests; 0: all
  std::string prefix;  // of a trace's keys; MONITOR's are sent as they were
  double compressibility = 0.5;
  int threads = 1;
};

class Record {
 public:
  // kInvalidArgument: a bad line, with its number.
  static absl::StatusOr<Record> Read(const RecordOptions& options);

  // Sends all of it, or as much as `plan` has time for. plan.threads is RecordOptions::threads.
  absl::StatusOr<DriveResult> Drive(const DrivePlan& plan) const;

  uint64_t requests() const;
  // What was left out, in sentences.
  std::vector<std::string> Notes() const;

 private:
  Record() = default;

  // One of the two.
  std::unique_ptr<TracePlan> trace_;
  std::unique_ptr<MonitorPlan> monitor_;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_RECORD_H_
