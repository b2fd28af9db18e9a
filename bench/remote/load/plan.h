// A load with its options: all that its sources have to know, checked.
//
// Thread safety: const functions may be called by any thread; next_record is shared by the sources.
// Complexity: planning is linear in the load's steps; a plan holds the bytes of the values (1 MiB,
// or some times the largest value).
#ifndef BENCH_REMOTE_LOAD_PLAN_H_
#define BENCH_REMOTE_LOAD_PLAN_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/remote/load/load.h"
#include "bench/remote/load/operations.h"
#include "bench/remote/load/options.h"
#include "bench/value_generator.h"

namespace bench::remote {

// The keys of a command with many of them: as many numbers in a row, which share a hash tag.
inline constexpr uint64_t kKeysOfGroup = 10;
// Numbers of keys that nothing writes begin here.
inline constexpr uint64_t kMissingKeys = 100'000'000'000;
// So many bytes of a value tell its key.
inline constexpr uint64_t kVerifiedBytes = 12;

struct LoadPlan {
  const Load* load = nullptr;
  std::string prefix;
  uint64_t keys = 0;
  uint64_t elements = 0;
  KeyDistribution distribution;
  std::vector<RangeShare> value_sizes;
  std::vector<RangeShare> ttls;  // empty: never
  double read_ratio = -1;        // -1: the steps' own shares
  double hit_ratio = 1;
  bool cluster = false;
  std::shared_ptr<const KeyFile> key_file;
  uint64_t seed = 42;
  int threads = 1;
  uint64_t key_bytes = 0;  // keys of strings and counters are filled up to this size
  // Values are held against their keys. Not where pieces under 12 bytes are appended to them.
  bool checks_values = true;
  std::shared_ptr<const ValuePool> values;             // bytes of values, which each source copies
  std::shared_ptr<std::atomic<uint64_t>> next_record;  // the number of the next inserted record
};

// kInvalidArgument: an option out of its range, or that this load has no use for; a load that
// cannot be generated (a suite, a replay, a Twitter cluster with unpublished figures).
absl::StatusOr<LoadPlan> PlanLoad(const Load& load, const LoadOptions& options);

// The share of hits among all hits and misses when every reply is as it should be. None where that
// does not follow from the plan: what is not preloaded, expires, or is removed on the way.
std::optional<double> ImpliedHitRatio(const LoadPlan& plan);

// The share of each step's draws, which sum to 1: as the load has them, or as read_ratio wants it.
std::vector<double> StepShares(const LoadPlan& plan);

// The operations that the load sends, each once, in the order of its steps.
std::vector<const Operation*> OperationsOf(const Load& load);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_PLAN_H_
