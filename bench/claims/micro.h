// Small measurements that no composition can express: parts of an engine against what a program
// would use instead. Each case is one system at one workload; micro_main.cc is the program.
//
// The program takes the flags of a bench binary and writes a report of the same form, so that
// //bench:compare and //bench:claims run it as they run any other.
#ifndef BENCH_CLAIMS_MICRO_H_
#define BENCH_CLAIMS_MICRO_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

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
  double seconds = 0;  // of wall time
};

struct MicroCase {
  std::string_view workload;
  std::string_view system;
  std::string_view description;  // one line, which says what it does not measure
  absl::StatusOr<MicroResult> (*run)(const MicroPlan& plan);
};

// Memtables and locked maps (memtables.cc).
std::span<const MicroCase> MemtableCases();

// A table's index, kept or decoded for each get (table_index.cc).
std::span<const MicroCase> TableIndexCases();

}  // namespace bench

#endif  // BENCH_CLAIMS_MICRO_H_
