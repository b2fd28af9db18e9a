// Soak: rounds of anything that registrants and workers can do (conformance::Soak), each on a
// composition of parts that its seed chooses, until the time is up or one fails.
//
// A round is a function of its seed, but for the moments at which threads meet: the seed of a round
// that failed chooses the same composition and the same steps again.
//
// Thread safety: of one thread; a round starts its own.
#ifndef COORD_SOAK_H_
#define COORD_SOAK_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "absl/status/status.h"

namespace coord {

struct SoakSubject {
  std::string name;  // "bitmap/park/symmetric"
  // Each registrant takes so many steps.
  std::function<absl::Status(uint64_t seed, int steps)> run;
};

// Every queue with every waiter and every fence.
std::span<const SoakSubject> SoakSubjects();

struct SoakPlan {
  uint64_t seed = 1;             // of the first round; the next has the next
  uint64_t rounds = UINT64_MAX;  // at most
  double seconds = 60;           // at most, but for the round that is under way
};

struct SoakOutcome {
  uint64_t rounds = 0;
  uint64_t steps = 0;  // of all registrants
  // Of the last round.
  uint64_t seed = 0;
  std::string subject = {};
  absl::Status status = {};
};

// Calls `between(outcome so far)` after each round that went well, which ends it by returning
// false. `subjects`: at least one.
SoakOutcome RunSoak(const SoakPlan& plan, std::span<const SoakSubject> subjects,
                    const std::function<bool(const SoakOutcome&)>& between);

}  // namespace coord

#endif  // COORD_SOAK_H_
