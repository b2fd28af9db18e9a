#include "bench/figures.h"

#include <algorithm>
#include <memory>
#include <string>

#include "bench/system_info.h"
#include "fmt/format.h"

namespace bench {
namespace {

double Ratio(double a, double b) { return b > 0 ? a / b : 0; }

void AddLatencies(const kv::Histogram& histogram, const std::string& prefix, Figures* figures) {
  static constexpr std::pair<const char*, double> kPercents[] = {
      {"p50_ns", 50}, {"p90_ns", 90}, {"p99_ns", 99}, {"p99.9_ns", 99.9}, {"p99.99_ns", 99.99}};
  for (const auto& [name, percent] : kPercents) {
    figures->emplace_back(prefix + name, static_cast<double>(histogram.Percentile(percent)));
  }
  figures->emplace_back(prefix + "max_ns", static_cast<double>(histogram.Max()));
  if (histogram.Overflow() != 0) {
    figures->emplace_back(prefix + "over_1h", static_cast<double>(histogram.Overflow()));
  }
}

// One latency for the row, and one for each side when it both reads and writes.
void AddAllLatencies(const kv::Histogram& reads, const kv::Histogram& writes, Figures* figures) {
  const auto both = std::make_unique<kv::Histogram>(reads);
  both->Merge(writes);
  AddLatencies(*both, "", figures);
  figures->emplace_back("mean_ns", both->Mean());
  if (reads.Count() != 0 && writes.Count() != 0) {
    AddLatencies(reads, "read_", figures);
    AddLatencies(writes, "write_", figures);
  }
}

void AddSurroundings(const RowSurroundings& around, double operations, double user_bytes,
                     Figures* figures) {
  const kv::Statistics& before = around.before.statistics;
  const kv::Statistics& after = around.after.statistics;
  const double cpu = around.after.cpu_seconds - around.before.cpu_seconds;
  figures->emplace_back("cpu_ns_per_op", Ratio(cpu * 1e9, operations));
  figures->emplace_back("user_bytes_written", user_bytes);
  const auto process =
      static_cast<double>(around.after.process_bytes_written - around.before.process_bytes_written);
  figures->emplace_back("process_bytes_written", process);
  if (around.durable) {
    const auto engine = static_cast<double>(
        (after.wal_bytes - before.wal_bytes) + (after.flush_bytes - before.flush_bytes) +
        (after.compaction_bytes_written - before.compaction_bytes_written));
    figures->emplace_back("engine_bytes_written", engine);
    figures->emplace_back(
        "wal_bytes_per_op",
        Ratio(static_cast<double>(after.wal_bytes - before.wal_bytes), operations));
    if (user_bytes > 0) {
      figures->emplace_back("write_amplification",
                            Ratio(engine > 0 ? engine : process, user_bytes));
    }
    figures->emplace_back("disk_bytes", static_cast<double>(around.disk_bytes));
    if (around.live_bytes > 0) {
      figures->emplace_back("disk_over_live",
                            static_cast<double>(around.disk_bytes) / around.live_bytes);
    }
  }
  if (around.live_bytes > 0) figures->emplace_back("live_bytes", around.live_bytes);
  figures->emplace_back("peak_rss_mib", around.peak_rss_mib);
  // What the engine counted meanwhile, where it counted anything.
  for (const kv::StatisticsField& field : kv::kStatisticsFields) {
    const bool gauge = field.name == "live_bytes_estimate" || field.name == "value_files";
    if (field.name.ends_with("_bytes") || gauge) continue;
    const uint64_t difference = after.*field.member - before.*field.member;
    if (difference == 0 || after.*field.member < before.*field.member) continue;
    figures->emplace_back("engine_" + std::string(field.name), static_cast<double>(difference));
  }
  if (after.value_files > 0) {
    figures->emplace_back("engine_value_files", static_cast<double>(after.value_files));
    figures->emplace_back("engine_value_garbage", static_cast<double>(after.value_garbage_bytes));
  }
}

}  // namespace

Readings TakeReadings(Subject& subject) {
  return {.statistics = subject.Stats(),
          .cpu_seconds = ProcessCpuSeconds(),
          .process_bytes_written = ProcessBytesWritten()};
}

Figures FiguresOf(const RowResult& result, int threads, const RowSurroundings& around) {
  Figures figures;
  const auto operations = static_cast<double>(result.operations);
  figures.emplace_back("threads", threads);
  figures.emplace_back("ops", operations);
  figures.emplace_back("seconds", result.seconds);
  figures.emplace_back("items_per_second", Ratio(operations, result.seconds));
  AddAllLatencies(result.reads, result.writes, &figures);
  figures.emplace_back("gen_ns", result.generate_nanos);
  figures.emplace_back("record_ns", result.record_nanos);
  figures.emplace_back("latency_sampled", result.sampled ? 1 : 0);
  if (result.found + result.missed != 0) {
    figures.emplace_back("found_share", Ratio(static_cast<double>(result.found),
                                              static_cast<double>(result.found + result.missed)));
  }
  if (result.retries != 0) {
    figures.emplace_back("cas_retries", static_cast<double>(result.retries));
  }
  if (result.read_bytes != 0) {
    figures.emplace_back("read_bytes_per_op",
                         Ratio(static_cast<double>(result.read_bytes), operations));
  }
  if (result.writer_operations != 0) {
    figures.emplace_back("background_writes_per_second",
                         Ratio(static_cast<double>(result.writer_operations), result.seconds));
  }
  AddSurroundings(around, operations, static_cast<double>(result.user_bytes), &figures);
  return figures;
}

Figures FiguresOf(const ReplayResult& result, int threads, const RowSurroundings& around) {
  Figures figures;
  const auto operations = static_cast<double>(result.requests);
  figures.emplace_back("threads", threads);
  figures.emplace_back("ops", operations);
  figures.emplace_back("seconds", result.seconds);
  figures.emplace_back("items_per_second", Ratio(operations, result.seconds));
  figures.emplace_back("wall_seconds", result.wall_seconds);
  AddAllLatencies(result.reads, result.writes, &figures);
  figures.emplace_back("latency_sampled", 0);
  figures.emplace_back("verify_ns",
                       Ratio((result.wall_seconds - result.seconds) * 1e9 * threads, operations));
  figures.emplace_back("reads_verified", static_cast<double>(result.reads_verified));
  figures.emplace_back("absences_verified", static_cast<double>(result.absences_verified));
  figures.emplace_back("reads_never_written", static_cast<double>(result.never_written));
  figures.emplace_back("mismatches", static_cast<double>(result.mismatches));
  AddSurroundings(around, operations, static_cast<double>(result.user_bytes), &figures);
  return figures;
}

double Find(const Figures& figures, std::string_view name, double otherwise) {
  const auto found = std::find_if(figures.begin(), figures.end(),
                                  [&](const auto& figure) { return figure.first == name; });
  return found == figures.end() ? otherwise : found->second;
}

double Median(const std::vector<Figures>& repetitions, std::string_view name) {
  std::vector<double> values;
  for (const Figures& figures : repetitions) {
    const double value = Find(figures, name, -1);
    if (value < 0) return -1;
    values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string Spread(const std::vector<Figures>& repetitions) {
  if (repetitions.size() < 2) return "";
  double least = Find(repetitions[0], "items_per_second");
  double most = least;
  for (const Figures& figures : repetitions) {
    least = std::min(least, Find(figures, "items_per_second"));
    most = std::max(most, Find(figures, "items_per_second"));
  }
  const double median = Median(repetitions, "items_per_second");
  return fmt::format("  +-{:.1f} % of {}", median > 0 ? 50 * (most - least) / median : 0,
                     repetitions.size());
}

}  // namespace bench
