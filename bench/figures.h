// From raw results and counter differences to named figures. Names end in their unit.
#ifndef BENCH_FIGURES_H_
#define BENCH_FIGURES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/plan.h"
#include "bench/session.h"
#include "kv/contract/statistics.h"

namespace bench {

// Readings of the engine and the process before and after a row.
struct Readings {
  kv::Statistics statistics;
  double cpu_seconds = 0;
  uint64_t process_bytes_written = 0;
};
Readings TakeReadings(Subject& subject);

struct RowSurroundings {
  Readings before;
  Readings after;
  bool durable = false;
  uint64_t disk_bytes = 0;
  double live_bytes = 0;  // 0: unknown
  double peak_rss_mib = 0;
};

Figures FiguresOf(const RowResult& result, int threads, const RowSurroundings& around);
Figures FiguresOf(const ReplayResult& result, int threads, const RowSurroundings& around);

// The figure of that name, or `otherwise`.
double Find(const Figures& figures, std::string_view name, double otherwise = 0);

// The middle value of `name` over the repetitions of a row; -1 where one of them lacks it.
double Median(const std::vector<Figures>& repetitions, std::string_view name);

// Half the range of the repetitions' throughput, in percent of its median: "  +-1.2 % of 3", or
// empty where there is one.
std::string Spread(const std::vector<Figures>& repetitions);

}  // namespace bench

#endif  // BENCH_FIGURES_H_
