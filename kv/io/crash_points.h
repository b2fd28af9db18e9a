// Enumeration of crashes: every moment of a bounded history, every way in which it can end.
//
//   ForEachCrashPoint(start, /*seeds=*/8,
//                     [](SimulatedFileSystem fs) { ...; return what_was_acknowledged; },
//                     [](SimulatedFileSystem crashed, const Acknowledged& acknowledged,
//                        const std::string& label) { reopen, compare; });
//
// `label` names the moment, the mode and the seed, and so replays the case. A check may call this
// again on the crashed disk, to crash the recovery too.
//
// Cost: (operations + 1) runs, and for each of them 2 + 3 * seeds checks.
// Not for: histories of more than a few thousand operations; draw moments at random there.
#ifndef KV_IO_CRASH_POINTS_H_
#define KV_IO_CRASH_POINTS_H_

#include <cstdint>
#include <string>

#include "fmt/format.h"
#include "kv/io/simulated.h"
#include "kv/io/simulated_crash.h"

namespace kv {

// Calls visit(crashed, label) for each mode, and for seeds 0 to seeds - 1 of each seeded mode.
// Returns the number of calls.
template <typename Visit>
uint64_t ForEachCrash(const SimulatedFileSystem& fs, uint64_t seeds, Visit visit) {
  uint64_t visits = 0;
  for (const CrashMode mode : kAllCrashModes) {
    for (uint64_t seed = 0; seed < (IsSeeded(mode) ? seeds : 1); ++seed, ++visits) {
      visit(fs.Crash(seed, mode), fmt::format("crash mode {}, seed {}", ToString(mode), seed));
    }
  }
  return visits;
}

// Runs run(fs) on a copy of `start` to its end, and then on further copies with the power cut after
// 0, 1, 2, ... operations; calls check(crashed, result of run, label) for every outcome of each.
// Returns the number of checks.
template <typename RunHistory, typename Check>
uint64_t ForEachCrashPoint(const SimulatedFileSystem& start, uint64_t seeds, RunHistory run,
                           Check check) {
  uint64_t checks = 0;
  const auto crash_after = [&](SimulatedFileSystem fs, const std::string& moment) {
    const auto result = run(fs);
    checks += ForEachCrash(fs, seeds, [&](SimulatedFileSystem crashed, const std::string& how) {
      check(crashed, result, moment + ", " + how);
    });
    return fs.operations();
  };
  // A kill that loses nothing is a copy.
  const uint64_t operations = crash_after(start.Crash(0, CrashMode::kKeepAll), "at the end");
  for (uint64_t count = 0; count < operations; ++count) {
    SimulatedFileSystem fs = start.Crash(0, CrashMode::kKeepAll);
    fs.CutPowerAfter(count);
    crash_after(fs, fmt::format("power cut after {} operations", count));
  }
  return checks;
}

}  // namespace kv

#endif  // KV_IO_CRASH_POINTS_H_
