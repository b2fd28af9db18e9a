// Faults of the environment, one at a time and at exact places of a history, over any durable
// composition on the simulated machine. Unlike CheckFaults (crash_check.h), which stops at the
// first error, the history goes on after it: most of what real engines got wrong came later.
//
// What holds in all of them:
//
//   A call that fails says so, with the directory in its message; it never answers "not found", a
//   wrong value or "damaged" instead.
//   A write that was acknowledged is there, before and after the next Open, whatever a crash
//   leaves; one that failed is there whole or not at all. When the fault is over, reads find
//   everything. Writes are taken again, or are refused with an error that says what to do
//   (kReopenAdvice, kv/base/sticky_error.h).
//
// Everything is a function of the seed but CheckFollowers, which has threads.
#ifndef KV_TESTING_FAULT_CHECK_H_
#define KV_TESTING_FAULT_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "kv/testing/crash_check.h"

namespace kv::testing {

struct FaultPlan {
  uint64_t seed = 1;
  int steps = 60;
  // Places of the fault: all of them, or so many drawn at random.
  uint64_t moments = 20;
};

// An I/O error of an open, a read, a mapping or a listing, in a history with an Open in its middle.
std::vector<std::string> CheckReadFaults(const SimulatedFactory& factory, const FaultPlan& plan);

// A sync of a file fails and loses what it should have saved. If the file was the log, no write is
// acknowledged any more until the store is opened again, and none that was refused appears later.
// Whatever the file was, it is left alone from then on.
std::vector<std::string> CheckSyncFaults(const SimulatedFactory& factory, const FaultPlan& plan);

// A step of a manifest's change fails: its file is not written or not synced, does not get its
// name, or the directory is not synced.
std::vector<std::string> CheckManifestFaults(const SimulatedFactory& factory,
                                             const FaultPlan& plan);

// Writers in several threads, of whom one meets an error in the work that it does for all. Nobody
// else may be told that all is well. For compositions that are durable on return.
std::vector<std::string> CheckFollowers(const SimulatedFactory& factory, const FaultPlan& plan);

// The wall clock jumps ahead, back, to its beginning and to its end between the calls of a history
// with expiring and other keys. What does not expire is not touched; what does is absent once its
// time is past, and may be back if the clock is, but never with an older value.
std::vector<std::string> CheckClockJumps(const SimulatedFactory& factory, const FaultPlan& plan);

}  // namespace kv::testing

#endif  // KV_TESTING_FAULT_CHECK_H_
