// The bugs that other engines shipped, as rules that every durable composition keeps, each checked
// on the simulated machine. The list, with what happened to whom, is in docs/durability.md; tests
// that are named after the bugs are in known_bug_cases.cc, and where a rule is about one part alone
// beside that part.
#ifndef KV_TESTING_KNOWN_BUGS_H_
#define KV_TESTING_KNOWN_BUGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "kv/testing/crash_check.h"
#include "kv/testing/file_order.h"

namespace kv::testing {

// The file operations of a history in which every kind of call occurs, with an Open after a Close
// and one after a kill in it, and the milestones of its calls. An empty list if a call fails.
std::vector<FileEvent> EventsOfAHistory(const SimulatedFactory& factory, uint64_t seed, int steps);

// A log file is used again, or its blocks are: behind its last record there are records of another
// log, in the places where they were. Opened like that, the store shows what it shows without them.
// Tries `rounds` moments of a history.
std::vector<std::string> CheckStaleTails(const SimulatedFactory& factory, uint64_t seed,
                                         int rounds);

// A snapshot and a cursor that are kept open while everything is written over many times hold what
// they see, and no more: what the store takes on disk stops growing. For ordered compositions.
std::vector<std::string> CheckLongReaders(const SimulatedFactory& factory);

}  // namespace kv::testing

#endif  // KV_TESTING_KNOWN_BUGS_H_
