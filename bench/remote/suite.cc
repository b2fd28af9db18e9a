#include "bench/remote/suite.h"

#include <string>
#include <string_view>
#include <utility>

#include "bench/remote/load/load.h"

namespace bench::remote {
namespace {

// The representative set: seconds for each of its rows, so that all of it takes less than a minute.
constexpr double kSetSeconds = 1.5;
constexpr double kSeconds = 3;
constexpr double kWarmup = 0.5;
constexpr double kOpenLoopRate = 10'000;
// Longer than the others: a row is invalid with one request in a thousand sent late (validity.h).
// Of 1.5 s that is one moment of 2.5 ms in which the scheduler ran somebody else; and 15 requests
// would be the whole of p99.9.
constexpr double kOpenLoopSeconds = 5;
constexpr std::string_view kSet[] = {
    "getset",        "structures",       "redis_ping_mbulk", "redis_set",
    "redis_get",     "redis_incr",       "redis_lpush",      "redis_lpop",
    "redis_sadd",    "redis_hset",       "redis_spop",       "redis_zadd",
    "redis_zpopmin", "redis_lrange_100", "redis_mset",       "redis_mget",
};

}  // namespace

std::vector<Row> RowsFor(const Flags& flags) {
  const bool whole_set = flags.loads.empty();
  std::vector<std::string> names = flags.loads;
  if (whole_set) names.assign(std::begin(kSet), std::end(kSet));
  const auto loads = ExpandLoads(names);
  if (!loads.ok()) return {};
  std::vector<Row> rows;
  for (const Load* const load : *loads) {
    for (const int connections : flags.connections) {
      for (const int pipeline : flags.pipelines) {
        Row row = {.load = std::string(load->name),
                   .threads = flags.threads,
                   .connections = connections,
                   .pipeline = pipeline,
                   .schedule = flags.schedule,
                   .requests = flags.requests};
        const bool by_requests = flags.requests > 0 || load->replays;
        const double seconds = whole_set ? kSetSeconds : kSeconds;
        row.seconds = flags.seconds.value_or(by_requests ? 0 : seconds);
        row.warmup_seconds = flags.warmup.value_or(by_requests ? 0 : kWarmup);
        rows.push_back(std::move(row));
      }
    }
  }
  if (whole_set && !IsOpenLoop(flags.schedule)) {
    Row row = rows.front();
    row.schedule = {.pace = Pace::kConstant, .rate = kOpenLoopRate};
    if (!flags.seconds.has_value() && row.seconds > 0) row.seconds = kOpenLoopSeconds;
    rows.push_back(std::move(row));
  }
  NameApart(&rows);
  return rows;
}

}  // namespace bench::remote
