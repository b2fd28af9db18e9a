// Crash tests: a seeded history runs on a simulated disk, the power is cut after n file operations,
// and the store is opened on what every kind of crash may leave. What is checked:
//
//   The store opens, passes Verify, and shows the state after some number of steps of the history,
//   whole batches included; at most those that were begun, and at least those that were promised:
//   by their own return if the composition is durable on return, by a Flush, Compact or BulkLoad
//   otherwise. A BulkLoad that was cut short leaves a prefix of its entries. Each copy that a
//   Checkpoint made opens and shows the state of that moment; one that was cut short does, or is
//   refused.
//   It then takes writes and keeps them, and the same holds if the power goes once more while it
//   is being opened.
//
// Background work runs inline (simulated_environment.h), so a failure replays from the history
// seed, n, the crash mode and its seed, all of which its text says.
#ifndef KV_TESTING_CRASH_CHECK_H_
#define KV_TESTING_CRASH_CHECK_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kv/testing/composition.h"
#include "kv/testing/simulated_environment.h"

namespace kv::testing {

using SimulatedFactory = std::function<Composition(const SimulatedEnvironment& environment)>;

// The composition on these files.
inline Composition On(const SimulatedFactory& factory, const SimulatedFileSystem& files) {
  SimulatedEnvironment environment;
  environment.file_system = files;
  return factory(environment);
}

struct CrashPlan {
  uint64_t history_seed = 1;
  int steps = 120;
  // Moments at which the power is cut: all of them, or so many drawn at random.
  uint64_t moments = UINT64_MAX;
  // Outcomes of each moment for each of the seeded crash modes.
  uint64_t seeds = 1;
};

struct CrashReport {
  std::vector<std::string> failures;  // the first few
  uint64_t crashes = 0;               // outcomes that were looked at
};

CrashReport CheckCrashes(const SimulatedFactory& factory, const CrashPlan& plan);

// The same history; instead of the power, one file operation fails (an I/O error, a full disk, a
// short write, a failed sync), at `moments` places for each kind. Writes may fail from then on;
// what the store shows after the next Open, and after a power loss, is as above.
CrashReport CheckFaults(const SimulatedFactory& factory, const CrashPlan& plan);

}  // namespace kv::testing

#endif  // KV_TESTING_CRASH_CHECK_H_
