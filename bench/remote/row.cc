#include "bench/remote/row.h"

#include <cmath>
#include <map>

#include "bench/text.h"
#include "fmt/format.h"

namespace bench::remote {
namespace {

std::string RateText(double rate) {
  return rate >= 100 ? WithThousands(static_cast<uint64_t>(std::llround(rate)))
                     : fmt::format("{:g}", rate);
}

void AddLatencies(const kv::Histogram& latency, Figures* figures) {
  const auto add = [&](const char* name, uint64_t nanos) {
    figures->emplace_back(name, static_cast<double>(nanos));
  };
  add("p50_ns", latency.Percentile(50));
  add("p90_ns", latency.Percentile(90));
  add("p99_ns", latency.Percentile(99));
  add("p999_ns", latency.Percentile(99.9));
  add("p9999_ns", latency.Percentile(99.99));
  add("max_ns", latency.Max());
  figures->emplace_back("mean_ns", latency.Mean());
}

double PerSecond(uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

void AddServer(const RowResult& result, Figures* figures) {
  if (!result.before.has_value() || !result.after.has_value()) return;
  const ServerFigures& before = result.before->figures;
  const ServerFigures& after = result.after->figures;
  // A server that was started anew meanwhile, or a node that is gone, counts from somewhere else.
  const bool comparable = before.nodes == after.nodes && after.cpu_seconds >= before.cpu_seconds &&
                          after.commands >= before.commands;
  if (comparable && result.answered > 0) {
    figures->emplace_back("server_cpu_ns_per_op", (after.cpu_seconds - before.cpu_seconds) * 1e9 /
                                                      static_cast<double>(result.answered));
  }
  figures->emplace_back("used_memory_bytes", after.used_memory);
  figures->emplace_back("rss_bytes", after.rss);
  figures->emplace_back("fragmentation", after.Fragmentation());
  figures->emplace_back("allocator_resident_bytes", after.allocator_resident);
  figures->emplace_back("keys", after.keys);
  if (!comparable) return;
  figures->emplace_back("evicted_keys", after.evicted - before.evicted);
  figures->emplace_back("expired_keys", after.expired - before.expired);
  figures->emplace_back("server_hits", after.hits - before.hits);
  figures->emplace_back("server_misses", after.misses - before.misses);
}

}  // namespace

std::string PaceText(const Schedule& schedule) {
  switch (schedule.pace) {
    case Pace::kClosed:
      return "closed";
    case Pace::kConstant:
      return RateText(schedule.rate) + "/s";
    case Pace::kRamp:
      return fmt::format("{}..{}/s", RateText(schedule.rate), RateText(schedule.end_rate));
    case Pace::kBurst:
      return fmt::format("{}/s for {:g} s, {}/s for {:g} s", RateText(schedule.rate),
                         schedule.burst_seconds, RateText(schedule.rest_rate),
                         schedule.rest_seconds);
    case Pace::kRecorded:
      return schedule.speed == 1 ? "as recorded"
                                 : fmt::format("{:g} times as recorded", schedule.speed);
  }
  return "";
}

void NameApart(std::vector<Row>* rows) {
  std::map<std::string, std::vector<Row*>> groups;
  for (Row& row : *rows) {
    row.suffix.clear();
    groups[NameOf("", row)].push_back(&row);
  }
  for (auto& [name, group] : groups) {
    bool pipelines = false;
    bool paces = false;
    for (const Row* row : group) {
      pipelines |= row->pipeline != group[0]->pipeline;
      paces |= PaceText(row->schedule) != PaceText(group[0]->schedule);
    }
    for (Row* row : group) {
      if (pipelines) row->suffix += fmt::format("/pipeline:{}", row->pipeline);
      // Closed loop is what a name without a rate means.
      if (paces && IsOpenLoop(row->schedule)) {
        row->suffix += fmt::format("/rate:{:g}", row->schedule.rate);
      }
    }
  }
}

std::string NameOf(std::string_view label, const Row& row, std::string_view operation) {
  return fmt::format("{}/{}{}{}/connections:{}{}", label, row.load, operation.empty() ? "" : "/",
                     operation, row.connections, row.suffix);
}

Figures FiguresOf(const RowResult& result) {
  const DriveResult& drive = result.drive;
  const OperationResult total = TotalOf(drive);
  const auto number = [](auto value) { return static_cast<double>(value); };
  Figures figures = {{"items_per_second", PerSecond(total.answered, drive.seconds)},
                     {"ops", number(total.answered)},
                     {"seconds", drive.seconds},
                     {"connections", number(result.row.connections)},
                     {"pipeline", number(result.row.pipeline)},
                     {"errors", number(total.failed())},
                     {"hits", number(total.hits)},
                     {"misses", number(total.misses)},
                     {"valid", result.invalid.empty() ? 1.0 : 0.0}};
  AddLatencies(*total.latency, &figures);
  if (total.answered > 0) {
    figures.emplace_back("generator_cpu_ns_per_op",
                         drive.cpu_seconds * 1e9 / number(total.answered));
  }
  figures.emplace_back("busiest_thread_share", drive.busiest_thread_share);
  figures.emplace_back("generator_spun_seconds", drive.spun_seconds);
  figures.emplace_back("reconnections", number(drive.reconnections));
  figures.emplace_back("redirections", number(drive.redirections));
  figures.emplace_back("sent_bytes", number(drive.sent_bytes));
  figures.emplace_back("received_bytes", number(drive.received_bytes));
  if (IsOpenLoop(result.row.schedule)) {
    figures.emplace_back("planned", number(drive.planned));
    figures.emplace_back("sent_late", number(drive.sent_late));
    figures.emplace_back("worst_slip_ns", number(drive.worst_slip_nanos));
  }
  AddServer(result, &figures);
  if (result.memory.has_value()) {
    figures.emplace_back("memory_per_key_bytes", result.memory->grown_bytes);
    if (result.memory->usage_bytes.has_value()) {
      figures.emplace_back("memory_usage_bytes", *result.memory->usage_bytes);
    }
  }
  return figures;
}

Figures FiguresOf(const OperationResult& operation, double seconds) {
  const auto number = [](uint64_t value) { return static_cast<double>(value); };
  Figures figures = {{"items_per_second", PerSecond(operation.answered, seconds)},
                     {"ops", number(operation.answered)},
                     {"seconds", seconds},
                     {"errors", number(operation.failed())},
                     {"error_replies", number(operation.errors)},
                     {"wrong_replies", number(operation.wrong_replies)},
                     {"lost", number(operation.lost)},
                     {"hits", number(operation.hits)},
                     {"misses", number(operation.misses)}};
  AddLatencies(*operation.latency, &figures);
  return figures;
}

}  // namespace bench::remote
