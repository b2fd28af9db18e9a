// Full disk tests: a seeded history runs on a simulated disk that fills up at some moment, and has
// room again a little later; and this again and again until the history is done. What is checked:
//
//   A step that finds no space is refused with an error that says so and names a file. It has done
//   nothing, as every read shows; a BulkLoad has put a prefix of its entries. A power loss at that
//   moment loses nothing that was promised and brings back nothing that was refused.
//   While the disk is full reads go on, and steps go on being refused or succeed; once there is
//   room the same step succeeds, in the same open store. At the end the store closes, opens, passes
//   Verify and holds what the history says.
//
// Background work runs inline (simulated_environment.h), so a failure replays from the history
// seed and the moment, which its text says.
#ifndef KV_TESTING_FULL_DISK_CHECK_H_
#define KV_TESTING_FULL_DISK_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "kv/testing/crash_check.h"

namespace kv::testing {

struct FullDiskReport {
  std::vector<std::string> failures;  // the first few
  uint64_t fillings = 0;              // times that the disk filled up
  uint64_t refusals = 0;              // steps that were refused for it
};

// `plan.moments` are those of the first filling, among the operations of the history; `plan.seeds`
// is not used.
FullDiskReport CheckFullDisk(const SimulatedFactory& factory, const CrashPlan& plan);

}  // namespace kv::testing

#endif  // KV_TESTING_FULL_DISK_CHECK_H_
