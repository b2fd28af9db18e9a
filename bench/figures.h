// From raw results and counter differences to named figures. Names end in their unit.
#ifndef BENCH_FIGURES_H_
#define BENCH_FIGURES_H_

#include <cstdint>
#include <string_view>

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

}  // namespace bench

#endif  // BENCH_FIGURES_H_
