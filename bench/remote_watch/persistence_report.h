// The tables of the persistence test: a line for each round as it ends, the worst of each policy at
// the end, what the test does not show; and the same as JSON.
//
// Thread safety: pure functions.
#ifndef BENCH_REMOTE_WATCH_PERSISTENCE_REPORT_H_
#define BENCH_REMOTE_WATCH_PERSISTENCE_REPORT_H_

#include <map>
#include <string>
#include <vector>

#include "bench/remote_watch/persistence.h"
#include "nlohmann/json.hpp"

namespace bench::remote_watch {

std::string RoundHead();
std::string RoundLine(const RoundResult& result);

// The worst of each policy, and the notes.
std::string PersistenceSummary(const PersistencePlan& plan,
                               const std::vector<RoundResult>& results);

nlohmann::json PersistenceJson(const std::map<std::string, std::string>& context,
                               const PersistencePlan& plan,
                               const std::vector<RoundResult>& results);

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_PERSISTENCE_REPORT_H_
