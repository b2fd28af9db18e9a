// Corruption tests: one bit flips in the files of a store that nobody has open, at every byte of
// every file, one at a time. What is checked:
//
//   Open refuses the store with an error that names a file of it; or it opens, and each read gives
//   what was written last or an error that names a file. There is one exception: damage to the end
//   of a log may look like a write that was torn (docs/decisions/004-log-tail.md). Then the store
//   holds the state before its last write; before any of its writes, if it does not sync each.
//
// Background work runs inline (simulated_environment.h), so a failure replays from the seed, the
// file, the byte and the bit, which its text says.
#ifndef KV_TESTING_CORRUPTION_CHECK_H_
#define KV_TESTING_CORRUPTION_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "kv/testing/crash_check.h"

namespace kv::testing {

// How the history ends: with Close; or with a Flush and a kill, after which the logs are read.
enum class StoreEnd { kClosed, kKilled };

struct CorruptionPlan {
  uint64_t history_seed = 1;  // of the history, the bits, and the first byte of each file
  int steps = 30;
  StoreEnd end = StoreEnd::kClosed;
  // Bytes from one flip to the next; 1 flips a bit of each byte, but of one in many where there are
  // long runs of zeros.
  uint64_t stride = 1;
  uint64_t ends = 64;  // bytes at either end of a file, all of which are flipped
};

struct CorruptionReport {
  std::vector<std::string> failures;  // the first few
  uint64_t flips = 0;
  uint64_t refused = 0;  // by Open, or by a read
};

CorruptionReport CheckCorruption(const SimulatedFactory& factory, const CorruptionPlan& plan);

}  // namespace kv::testing

#endif  // KV_TESTING_CORRUPTION_CHECK_H_
