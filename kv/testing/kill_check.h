// Kill tests: a writer process is killed with SIGKILL over and over on one store, every other time
// at a random moment and else at a named one (kill_point.h), and after each kill the store is
// opened and compared with what the writer had been told.
//
//   durable on return   every acknowledged operation is there, and of each thread at most the one
//                       that was under way
//   otherwise           everything before the last Flush is there, and some prefix of the rest
//   always              values are right, batches whole, and what survived is a prefix across the
//                       threads too: where an operation survived, all that were acknowledged
//                       before it began did
//
// A kill leaves the page cache alone, so this says nothing about syncs; crash_check.h does.
// No timing is asserted: the moments are drawn from a seed, what happens at them is not.
#ifndef KV_TESTING_KILL_CHECK_H_
#define KV_TESTING_KILL_CHECK_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "kv/testing/composition.h"

namespace kv::testing {

struct KillPlan {
  uint64_t seed = 1;
  int kills = 20;
  // What RunKillWriter of the executed program needs to be told besides its own arguments.
  std::vector<std::string> extra_arguments = {};
};

struct KillReport {
  std::vector<std::string> failures;
  int kills = 0;
  std::set<std::string> points;  // "before rename" and so on, where the writer died by itself
};

// Executes this program again as the writer (kKillWriterFlag). Stops at the first failure; the
// texts say seed and life.
KillReport CheckKills(const Composition& composition, const KillPlan& plan);

}  // namespace kv::testing

#endif  // KV_TESTING_KILL_CHECK_H_
