#include "bench/remote/table.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "bench/figures.h"
#include "bench/text.h"
#include "fmt/format.h"

namespace bench::remote {
namespace {

constexpr char kColumns[] =
    "{:<26} {:>4} {:>4} {:>10} {:>7} {:>7} {:>8} {:>8} {:>6} {:>5} {:>6} {:>6} {:>7} {:>7}{}\n";
constexpr size_t kWorthTelling = 10;  // intervals

double Sum(const std::vector<Figures>& repetitions, std::string_view name) {
  double sum = 0;
  for (const Figures& figures : repetitions) sum += Find(figures, name);
  return sum;
}

std::string Whole(double number) {
  return WithThousands(static_cast<uint64_t>(std::llround(std::max(0.0, number))));
}
std::string Rate(double rate) { return rate >= 100 ? Whole(rate) : Short(rate); }
std::string Micros(double nanos) { return nanos < 0 ? "-" : Short(nanos / 1000); }
std::string Mebibytes(double bytes) { return bytes < 0 ? "-" : Short(bytes / 1048576); }

std::string HitPercent(double hits, double misses) {
  return hits + misses > 0 ? fmt::format("{:.1f}", 100 * hits / (hits + misses)) : "-";
}

std::string OperationLine(const OperationResult& operation, double seconds) {
  const Figures figures = FiguresOf(operation, seconds);
  const auto get = [&](std::string_view name) { return Find(figures, name, -1); };
  return fmt::format(kColumns, "  " + operation.name, "", "", Rate(get("items_per_second")),
                     Micros(get("p50_ns")), Micros(get("p99_ns")), Micros(get("p999_ns")),
                     Micros(get("max_ns")), Whole(get("errors")),
                     HitPercent(get("hits"), get("misses")), "", "", "", "", "");
}

}  // namespace

std::string TableHead() {
  return fmt::format(kColumns, "load", "conn", "pipe", "ops/s", "p50 us", "p99 us", "p99.9 us",
                     "max us", "errors", "hit %", "srv us", "gen us", "mem MiB", "RSS MiB", "") +
         fmt::format(kColumns, "", "", "", "", "", "", "", "", "", "", "per op", "per op", "server",
                     "server", "");
}

std::string TableRow(const Row& row, const std::vector<Figures>& repetitions) {
  const auto median = [&](std::string_view name) { return Median(repetitions, name); };
  const bool valid = Sum(repetitions, "valid") == static_cast<double>(repetitions.size());
  const std::string load =
      IsOpenLoop(row.schedule) ? fmt::format("{} @{}", row.load, PaceText(row.schedule)) : row.load;
  return fmt::format(
      kColumns, load, row.connections, row.pipeline, Rate(median("items_per_second")),
      Micros(median("p50_ns")), Micros(median("p99_ns")), Micros(median("p999_ns")),
      Micros(median("max_ns")), Whole(Sum(repetitions, "errors")),
      HitPercent(Sum(repetitions, "hits"), Sum(repetitions, "misses")),
      Micros(median("server_cpu_ns_per_op")), Micros(median("generator_cpu_ns_per_op")),
      Mebibytes(median("used_memory_bytes")), Mebibytes(median("rss_bytes")),
      Spread(repetitions) + (valid ? "" : "  INVALID"));
}

std::string OperationLines(const RowResult& result) {
  std::string lines;
  for (const OperationResult& operation : result.drive.operations) {
    lines += OperationLine(operation, result.drive.seconds);
  }
  if (!result.before.has_value() || !result.after.has_value()) return lines;
  for (const auto& [name, command] : Between(result.before->commands, result.after->commands)) {
    if (command.calls == 0) continue;
    lines += fmt::format(
        "  server: {:<14} {:>12} calls, {} us each\n", name, WithThousands(command.calls),
        Short(static_cast<double>(command.micros) / static_cast<double>(command.calls)));
  }
  return lines;
}

std::string TroubleLines(const RowResult& result) {
  std::string lines;
  const std::string times =
      result.repetition > 0 ? fmt::format(" (repetition {})", result.repetition + 1) : "";
  for (const std::string& reason : result.invalid) {
    lines += fmt::format("  ! invalid{}: {}\n", times, reason);
  }
  for (const auto& [word, count] : result.drive.error_words) {
    lines += fmt::format("  ! {} error replies{}: {}\n", WithThousands(count), times, word);
  }
  for (const auto& [reason, count] : result.drive.lost_reasons) {
    lines +=
        fmt::format("  ! connections lost{}, {} times: {}\n", times, WithThousands(count), reason);
  }
  return lines;
}

std::vector<std::string> Notes(const std::vector<Row>& rows) {
  const auto is_open = [](const Row& row) { return IsOpenLoop(row.schedule); };
  std::vector<std::string> notes;
  if (!std::all_of(rows.begin(), rows.end(), is_open)) {
    notes.push_back(
        "closed loop: latencies are service times; a slow reply delays the requests behind it, "
        "which are then not counted as late");
  }
  if (std::any_of(rows.begin(), rows.end(), is_open)) {
    notes.push_back(
        "open loop (@): latencies count from the planned time of each request, sent or not");
  }
  notes.push_back(
      "srv us, gen us: processor time of the server (all its threads) and of this program's "
      "driving threads, for one operation");
  return notes;
}

std::string WorstIntervals(const DriveResult& drive) {
  if (drive.intervals.size() < kWorthTelling) return "";
  const Interval* slowest = nullptr;
  const Interval* worst = nullptr;
  for (const Interval& interval : drive.intervals) {
    // The last one is cut short, and has few requests to be slow with.
    if (interval.seconds < drive.intervals.front().seconds / 2) continue;
    const auto rate = [](const Interval& one) {
      return static_cast<double>(one.answered) / one.seconds;
    };
    if (slowest == nullptr || rate(interval) < rate(*slowest)) slowest = &interval;
    if (worst == nullptr || interval.p99_nanos > worst->p99_nanos) worst = &interval;
  }
  if (slowest == nullptr || slowest->seconds <= 0) return "";
  return fmt::format(
      "  of {} intervals: the slowest {} ops/s at {:.0f} s; the worst p99 {} us at {:.0f} s\n",
      drive.intervals.size(), Rate(static_cast<double>(slowest->answered) / slowest->seconds),
      slowest->begin_seconds, Micros(static_cast<double>(worst->p99_nanos)), worst->begin_seconds);
}

}  // namespace bench::remote
