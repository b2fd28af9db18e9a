// What is told of a watch: each event as it comes, and at the end the report, as text and as JSON.
//
// Availability is the share of the time outside gaps (outages.h), of all steps and of reads and
// writes alone; it is as exact as the interval of the probes, which the report says.
//
// The JSON has Google Benchmark's form as far as that goes (context, benchmarks with user
// counters), and beside it "gaps", "events" and "notes".
//
// Thread safety: pure functions.
#ifndef BENCH_REMOTE_WATCH_WATCH_REPORT_H_
#define BENCH_REMOTE_WATCH_WATCH_REPORT_H_

#include <map>
#include <string>

#include "bench/remote_watch/event_log.h"
#include "bench/remote_watch/watch.h"
#include "clients/deadline.h"
#include "nlohmann/json.hpp"

namespace bench::remote_watch {

// "  12.345 s  fresh           DOWN  connect: ..."
std::string EventLine(const Event& event, clients::Deadline begin);

std::string ReportText(const WatchPlan& plan, const WatchResult& result);

// `context`: what the caller knows of the program and the machine.
nlohmann::json ReportJson(const std::map<std::string, std::string>& context, const WatchPlan& plan,
                          const WatchResult& result);

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_WATCH_REPORT_H_
