// Torture: rounds of every kind of check on one composition, each from a seed of its own, until the
// time is up or one of them fails.
//
//   history      a random history beside the model, call by call           history.h
//   concurrent   threads side by side, held against linearizability        concurrent_history.h
//   crash        the power goes at moments of a history                    crash_check.h
//   fault        a file operation of a history fails                       crash_check.h
//   full         the disk of a history fills up and has room again         full_disk_check.h
//   corruption   a bit flips in a file of a store that was closed          corruption_check.h
//   kill         a writing process is killed                               kill_check.h
//
// The last five are for durable compositions. A round is a function of its layer and its seed (but
// for the moments at which threads and processes meet), so a failure says what replays it.
#ifndef KV_TESTING_TORTURE_H_
#define KV_TESTING_TORTURE_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kv/testing/composition.h"
#include "kv/testing/crash_check.h"

namespace kv::testing {

// The composition on this machine and on the simulated one; `simulated` is not called for volatile
// compositions.
struct TortureSubject {
  Composition composition;
  SimulatedFactory simulated;
  // CheckKills executes this program again, with these behind the writer's arguments.
  std::vector<std::string> kill_arguments = {};
};

struct TortureTally {
  uint64_t rounds = 0;
  uint64_t histories = 0;
  uint64_t concurrent_calls = 0;
  uint64_t crashes = 0;   // outcomes of a power cut, each opened and compared
  uint64_t faults = 0;    // the same, where a file operation had failed
  uint64_t refusals = 0;  // of steps for which there was no space, each compared, with its crashes
  uint64_t flips = 0;     // of bits
  uint64_t kills = 0;
};

// Such as "12 rounds: 3 histories, 1200 concurrent calls, 840 crashes, 120 faults, 30 refusals, 400
// flips, 20 kills".
std::string ToString(const TortureTally& tally);

struct TortureLayer {
  std::string_view name;
  bool needs_files = false;
  // Runs a round and counts it; what went wrong.
  std::vector<std::string> (*round)(const TortureSubject& subject, uint64_t seed,
                                    TortureTally& tally) = nullptr;
};

std::span<const TortureLayer> TortureLayers();

struct TorturePlan {
  uint64_t seed = 1;                        // of the first round; the next has the next
  uint64_t rounds = UINT64_MAX;             // at most
  double seconds = 60;                      // at most, but for the round that is under way
  std::vector<std::string_view> only = {};  // names of layers; all that apply when empty
};

struct TortureOutcome {
  TortureTally tally;
  // Of the round that failed; empty when all went well.
  std::vector<std::string> failures = {};
  std::string_view layer = {};
  uint64_t seed = 0;
};

// The layers take turns. Calls `between(tally)` after each round, which ends it by returning false.
TortureOutcome Torture(const TortureSubject& subject, const TorturePlan& plan,
                       const std::function<bool(const TortureTally&)>& between);

}  // namespace kv::testing

#endif  // KV_TESTING_TORTURE_H_
