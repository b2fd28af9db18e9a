#include "bench/reporter.h"

#include <algorithm>
#include <cmath>

#include "bench/figures.h"
#include "bench/text.h"
#include "fmt/format.h"

namespace bench {
namespace {

constexpr char kColumns[] = "{:<24} {:>4} {:>13} {:>9} {:>9} {:>9} {:>7} {:>9} {:>9}{}\n";

Figures FiguresOfRun(const benchmark::BenchmarkReporter::Run& run) {
  Figures figures;
  for (const auto& [name, counter] : run.counters) figures.emplace_back(name, counter.value);
  return figures;
}

std::string Micros(double nanos) { return nanos < 0 ? "-" : Short(nanos / 1000); }
std::string Plain(double number) { return number < 0 ? "-" : Short(number); }

// "<composition>/<workload>/threads:<n>" -> "<workload>"
std::string WorkloadOf(const std::string& name) {
  const size_t begin = name.find('/') + 1;
  return name.substr(begin, name.find('/', begin) - begin);
}

}  // namespace

std::string TableHead() {
  return fmt::format(kColumns, "workload", "thr", "ops/s", "p50 us", "p99 us", "p99.9 us", "wr-amp",
                     "disk/live", "RSS MiB", "") +
         fmt::format(kColumns, "", "", "", "", "", "", "", "", "(peak)", "");
}

std::string TableRow(std::string_view workload, const std::vector<Figures>& repetitions) {
  const double rate = Median(repetitions, "items_per_second");
  return fmt::format(
      kColumns, workload, static_cast<int>(Median(repetitions, "threads")),
      rate >= 100 ? WithThousands(static_cast<uint64_t>(std::llround(rate))) : Plain(rate),
      Micros(Median(repetitions, "p50_ns")), Micros(Median(repetitions, "p99_ns")),
      Micros(Median(repetitions, "p99.9_ns")), Plain(Median(repetitions, "write_amplification")),
      Plain(Median(repetitions, "disk_over_live")), Plain(Median(repetitions, "peak_rss_mib")),
      Spread(repetitions));
}

TableReporter::TableReporter(std::string preamble, std::FILE* out, void (*before_row)())
    : preamble_(std::move(preamble)), out_(out), before_row_(before_row) {}

bool TableReporter::ReportContext(const Context&) {
  fmt::print(out_, "{}\n{}", preamble_, TableHead());
  std::fflush(out_);
  return true;
}

void TableReporter::ReportRuns(const std::vector<Run>& runs) {
  // Repetitions come together; the library's own aggregates are left to the JSON.
  std::string name;
  std::vector<Figures> repetitions;
  for (const Run& run : runs) {
    if (run.run_type != Run::RT_Iteration || run.counters.empty()) continue;
    name = run.run_name.function_name;
    repetitions.push_back(FiguresOfRun(run));
  }
  if (repetitions.empty()) return;
  before_row_();
  fmt::print(out_, "{}", TableRow(WorkloadOf(name), repetitions));
  std::fflush(out_);
  ++rows_;
}

void TableReporter::Finalize() { std::fflush(out_); }

void JsonReporter::ReportRuns(const std::vector<Run>& runs) {
  std::vector<Run> patched = runs;
  for (Run& run : patched) {
    run.run_name.iterations.clear();
    run.run_name.repetitions.clear();
    run.run_name.time_type.clear();
    run.run_name.threads.clear();
    if (run.counters.empty()) continue;
    if (run.run_type == Run::RT_Iteration) {
      const double operations = std::max(1.0, run.counters["ops"].value);
      run.iterations = static_cast<benchmark::IterationCount>(operations);
      run.real_accumulated_time *= operations;
      run.threads = static_cast<int64_t>(run.counters["threads"].value);
    }
    run.counters.erase("threads");  // the JSON has a field of that name
    // A percentage (the coefficient of variation) is not divided by the iterations on its way out.
    const double divisor = run.run_type == Run::RT_Aggregate &&
                                   run.aggregate_unit == benchmark::StatisticUnit::kPercentage
                               ? 1e9
                               : static_cast<double>(run.iterations);
    run.cpu_accumulated_time = run.counters["cpu_ns_per_op"].value * 1e-9 * divisor;
  }
  JSONReporter::ReportRuns(patched);
}

}  // namespace bench
