// Sizes and seeds of the tests that draw at random: what each composition goes through in a run of
// `bazel test //...`, and in a round of //tools/torture. ASHLAR_SCALE=<n> in the environment makes
// n times the runs of the first, each from a seed of its own:
//
//   bazel test --test_env=ASHLAR_SCALE=20 //engines/compositions:lsm_leveled_crash_test
//
// Those of fuzz targets are in bazel/fuzz.bzl. What is exhaustive (kv/testing/interleaving, the
// sweeps over every byte of a small file) has none.
#ifndef KV_TESTING_SIZES_H_
#define KV_TESTING_SIZES_H_

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ranges>

namespace kv::testing {

inline uint64_t TestScale() {
  const char* const scale = std::getenv("ASHLAR_SCALE");
  return scale == nullptr ? 1 : std::max<uint64_t>(1, std::strtoull(scale, nullptr, 10));
}

// Runs of one kind, each of which is a function of its seed.
struct Runs {
  static constexpr uint64_t kAll = UINT64_MAX;

  uint64_t first_seed = 1;
  uint64_t runs = 1;
  int steps = 0;            // of a run's history
  uint64_t moments = kAll;  // of a history at which something happens to it
  uint64_t outcomes = 1;    // of a moment, for each mode that has a seed

  auto Seeds() const { return std::views::iota(first_seed, first_seed + runs * TestScale()); }
};

// --- bazel test //... ----------------------------------------------------------------------------

// Histories beside the model, and calls of several threads held against linearizability.
inline constexpr Runs kShortHistories = {.first_seed = 1, .runs = 20, .steps = 120};
inline constexpr Runs kLongHistories = {.first_seed = 1001, .runs = 4, .steps = 1000};
inline constexpr Runs kConcurrentHistories = {.first_seed = 1, .runs = 3, .steps = 1200};

// The power is cut.
inline constexpr Runs kEveryCrash = {.first_seed = 1, .steps = 40};
inline constexpr Runs kSomeCrashes = {
    .first_seed = 2, .runs = 3, .steps = 120, .moments = 20, .outcomes = 2};

// A file operation fails, there is no space, a bit flips (of every `kFlipStride`th byte).
inline constexpr Runs kFailedOperations = {
    .first_seed = 101, .runs = 3, .steps = 120, .moments = 5};
inline constexpr Runs kFullDisks = {.first_seed = 201, .runs = 3, .steps = 60, .moments = 40};
inline constexpr Runs kFlips = {.first_seed = 301, .steps = 30};
inline constexpr uint64_t kFlipStride = 11;

// Faults of the environment, and the bugs that other engines shipped.
inline constexpr Runs kReadFaults = {.first_seed = 11, .steps = 60, .moments = 20};
inline constexpr Runs kSyncFaults = {.first_seed = 12, .steps = 60, .moments = 20};
inline constexpr Runs kManifestFaults = {.first_seed = 13, .steps = 60, .moments = 20};
inline constexpr Runs kClockJumps = {.first_seed = 14, .steps = 150, .moments = 6};
inline constexpr Runs kFollowers = {.first_seed = 15, .moments = 12};
inline constexpr Runs kKnownFaults = {.steps = 40, .moments = 8};  // seeds: in the cases
inline constexpr Runs kFileOrder = {.first_seed = 21, .steps = 120};
inline constexpr Runs kStaleTails = {.first_seed = 21, .steps = 60};

// A writing process is killed: so many times.
inline constexpr Runs kKills = {.first_seed = 1, .moments = 100};

// --- //tools/torture: a round, from a seed of its own --------------------------------------------

struct Rounds {
  int shortest_history = 50;  // steps
  int longest_history = 600;
  int concurrent_calls = 1600;
  int steps = 80;  // of a history on the simulated disk
  uint64_t crash_moments = 12;
  uint64_t crash_outcomes = 2;
  uint64_t fault_moments = 3;
  uint64_t full_disk_moments = 12;
  uint64_t flip_stride = 13;
  int kills = 20;
};
inline constexpr Rounds kTortureRound;

}  // namespace kv::testing

#endif  // KV_TESTING_SIZES_H_
