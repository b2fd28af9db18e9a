// Small measurements that no composition can express: parts against what a program would use
// instead. Each case is one system at one workload; micro_main.cc makes a program of a list of
// them.
//
// The program takes the flags of a bench binary and writes a report of the same form, so that
// //bench:compare and //bench:claims run it as they run any other.
#ifndef BENCH_MICRO_MICRO_H_
#define BENCH_MICRO_MICRO_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "kv/base/histogram.h"

namespace bench {

struct MicroPlan {
  int threads = 1;
  uint64_t num = 0;    // what it counts is the workload's
  double seconds = 0;  // repeat for at least so long
  uint64_t seed = 0;
  std::string directory;  // exists, and is the case's own
};

struct MicroResult {
  uint64_t operations = 0;
  double seconds = 0;        // of wall time
  kv::Histogram nanos = {};  // of operations whose latency counts; else empty
};

struct MicroCase {
  std::string_view workload;
  std::string_view system;
  std::string_view description;  // one line, which says what it does not measure
  absl::StatusOr<MicroResult> (*run)(const MicroPlan& plan);
};

// Runs one system, as the command line asks:
//
//   micro --system=skip_list --workloads=put_and_get --threads=1,2 --dir=scratch --json=report.json
//   micro --list
//
// Flags: --system, --workloads, --threads, --num, --duration, --seed, --dir, --json, as `bench_main
// --help` explains them. The exit status: 0; 1 a case failed; 2 the command line is wrong.
int RunMicro(int argc, const char* const* argv, const std::vector<MicroCase>& cases);

// What the program of micro_main.cc has; each program defines its own.
std::vector<MicroCase> MicroCases();

}  // namespace bench

#endif  // BENCH_MICRO_MICRO_H_
