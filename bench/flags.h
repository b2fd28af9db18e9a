// The command line of every bench binary: its flags, their defaults, and how they are read.
#ifndef BENCH_FLAGS_H_
#define BENCH_FLAGS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/value_generator.h"
#include "kv/contract/options.h"

namespace bench {

struct Flags {
  std::vector<std::string> workloads;  // empty: the default set, or none beside --replay
  std::optional<uint64_t> num;         // keys; defaults to kDefaultNum
  std::optional<uint64_t> reads;       // operations a thread of non-fill rows; defaults to num
  std::vector<int> threads = {1};
  size_t key_size = 16;
  size_t value_size = 100;
  ValueText value_text = ValueText::kHalf;
  std::string directory;  // empty: a temporary one
  double seconds = 0;     // 0: by count
  uint64_t seed = 42;
  std::string replay;
  bool skip_bad_lines = false;
  uint64_t replay_limit = 0;
  std::string json;
  int repetitions = 1;
  uint64_t memtable_bytes = kv::Options().memtable_bytes;
  uint64_t cache_bytes = uint64_t{256} << 20;
  uint64_t batch_size = 100;
  bool list = false;
  bool keep = false;
  bool use_existing = false;
  std::optional<double> zipf_theta;
  // Google Benchmark's own (--benchmark_*), untouched.
  std::vector<std::string> benchmark_flags;
};

inline constexpr uint64_t kDefaultNum = 1'000'000;

struct ParsedFlags {
  Flags flags;
  // Set when the program should stop here, after printing `output` (0) or `error` (2).
  std::optional<int> exit_status;
  std::string output;
  std::string error;
};

// `arguments` without the program's name. Relative paths are taken from BUILD_WORKING_DIRECTORY
// where that is set: `bazel run` starts programs in another directory than the user's.
ParsedFlags ParseFlags(std::string_view program, const std::vector<std::string>& arguments);

// The text of --list.
std::string WorkloadList();

}  // namespace bench

#endif  // BENCH_FLAGS_H_
