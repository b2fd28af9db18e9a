#include "bench/remote_watch/watch_report.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "bench/text.h"
#include "clients/url.h"
#include "fmt/format.h"
#include "kv/base/histogram.h"

namespace bench::remote_watch {
namespace {

using clients::Nanoseconds;
using Json = nlohmann::json;

constexpr std::array<std::pair<const char*, double>, 5> kPercentiles = {
    {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}, {"max", 100}}};
// How many gaps the text lists; the JSON has them all.
constexpr size_t kMostGaps = 30;

double Seconds(Nanoseconds time) { return std::chrono::duration<double>(time).count(); }
double Millis(Nanoseconds time) { return 1000 * Seconds(time); }

double Availability(Nanoseconds down, Nanoseconds length) {
  if (length <= Nanoseconds(0)) return 1;
  return std::clamp(1 - Seconds(down) / Seconds(length), 0.0, 1.0);
}

std::string Percent(double share) { return fmt::format("{:.3f} %", 100 * share); }

size_t NameWidth(const WatchResult& result) {
  size_t width = 7;
  for (const auto& prober : result.probers) width = std::max(width, prober->options().name.size());
  return width;
}

std::string AvailabilityTable(const WatchResult& result) {
  const size_t width = std::max(NameWidth(result), std::string("availability").size());
  std::string text =
      fmt::format("\n{:<{}}  {:>8} {:>7} {:>12} {:>11} {:>11} {:>5} {:>12}\n", "availability",
                  width, "probes", "failed", "all steps", "reads", "writes", "gaps", "longest gap");
  for (const auto& prober : result.probers) {
    const Outages& outages = prober->outages();
    const Gap* const longest = outages.Longest();
    text += fmt::format(
        "{:<{}}  {:>8} {:>7} {:>12} {:>11} {:>11} {:>5} {:>12}\n", prober->options().name, width,
        outages.probes(), outages.failed(),
        Percent(Availability(outages.TotalDown(), result.length)),
        Percent(Availability(outages.TotalDown(Step::kRead), result.length)),
        Percent(Availability(outages.TotalDown(Step::kWrite), result.length)),
        outages.gaps().size(),
        longest == nullptr ? "none" : fmt::format("{} ms", Short(Millis(longest->length()))));
  }
  return text;
}

std::string GapLine(const Prober& prober, const Gap& gap, const WatchResult& result, size_t width) {
  std::string failed;
  for (size_t i = 0; i < kSteps; ++i) {
    if (gap.failures[i] == 0) continue;
    failed += fmt::format("{}{} {}x", failed.empty() ? "" : ", ", kStepNames[i], gap.failures[i]);
  }
  const auto after = [&](Step step) {
    const Nanoseconds down = gap.down[static_cast<size_t>(step)];
    return down.count() == 0 ? "-" : Short(Millis(down));
  };
  std::string text = fmt::format(
      "{:<{}}  {:>9.3f} {:>9} {:>10} {:>9} {:>9}  {}{}\n", prober.options().name, width,
      Seconds(gap.begin - result.begin), Short(Millis(gap.length())), after(Step::kConnect),
      after(Step::kRead), after(Step::kWrite), failed, gap.over ? "" : "; not over at the end");
  for (const auto& [error, count] : gap.errors) {
    text += fmt::format("{:<{}}    {}x {}\n", "", width, count, error);
  }
  return text;
}

std::string GapTable(const WatchResult& result) {
  const size_t width = NameWidth(result);
  size_t count = 0;
  std::string lines;
  for (const auto& prober : result.probers) {
    for (const Gap& gap : prober->outages().gaps()) {
      if (count++ < kMostGaps) lines += GapLine(*prober, gap, result, width);
    }
  }
  if (count == 0) return "\nno gaps\n";
  if (count > kMostGaps) {
    lines += fmt::format("and {} more, which the JSON has\n", count - kMostGaps);
  }
  return fmt::format("\n{:<{}}  {:>9} {:>9} {:>10} {:>9} {:>9}  what failed\n", "gaps", width,
                     "at (s)", "length ms", "connect ms", "read ms", "write ms") +
         lines;
}

std::string WriteTable(const WatchResult& result) {
  const size_t width = std::max(NameWidth(result), std::string("writes").size());
  std::string text = fmt::format("\n{:<{}}  {:>8} {:>13} {:>8} {:>10} {:>6} {:>12} {:>11}\n",
                                 "writes", width, "tried", "acknowledged", "refused", "no answer",
                                 "lost", "rolled back", "unverified");
  for (const auto& prober : result.probers) {
    const Ledger& ledger = prober->ledger();
    text += fmt::format("{:<{}}  {:>8} {:>13} {:>8} {:>10} {:>6} {:>12} {:>11}\n",
                        prober->options().name, width, ledger.issued(), ledger.acknowledged(),
                        ledger.refused(), ledger.unknown(), ledger.lost(), ledger.rolled_back(),
                        prober->unverified());
  }
  return text;
}

std::string LatencyTable(const WatchResult& result) {
  const size_t width = std::max(NameWidth(result), std::string("latency (us)").size());
  std::string text = fmt::format("\n{:<{}}  {:<9}", "latency (us)", width, "step");
  for (const auto& [name, percent] : kPercentiles) text += fmt::format(" {:>9}", name);
  text += "\n";
  for (const auto& prober : result.probers) {
    for (size_t step = 0; step < kSteps; ++step) {
      const kv::Histogram& latency = prober->latency(step);
      if (latency.Count() == 0) continue;
      text += fmt::format("{:<{}}  {:<9}", prober->options().name, width, kStepNames[step]);
      for (const auto& [name, percent] : kPercentiles) {
        text +=
            fmt::format(" {:>9}", Short(static_cast<double>(latency.Percentile(percent)) / 1e3));
      }
      text += "\n";
    }
  }
  return text;
}

std::vector<std::string> Notes(const WatchPlan& plan, const WatchResult& result) {
  std::vector<std::string> notes = result.notes;
  notes.push_back(
      fmt::format("a probe every {} ms: gaps begin and end up to that much later than their "
                  "outages; a step that "
                  "hangs fails after {} ms where it connects and {} ms otherwise",
                  Short(Millis(plan.interval)), Short(Millis(plan.server.connect_timeout)),
                  Short(Millis(plan.server.command_timeout))));
  for (const auto& prober : result.probers) {
    const std::string& name = prober->options().name;
    if (prober->ledger().superseded() > 0) {
      notes.push_back(fmt::format(
          "{}: {} acknowledged writes were overwritten by later ones before the end (--keys)", name,
          prober->ledger().superseded()));
    }
    if (prober->stale_reads() > 0) {
      notes.push_back(fmt::format("{}: {} acknowledged writes were not what was read back at once",
                                  name, prober->stale_reads()));
    }
    if (prober->ledger().foreign() > 0) {
      notes.push_back(fmt::format("{}: under {} keys stood what nobody here had written", name,
                                  prober->ledger().foreign()));
    }
    if (prober->left_out() > 0) {
      notes.push_back(fmt::format("{}: {} probes were left out, since the one before was late",
                                  name, prober->left_out()));
    }
    if (!prober->options().fresh && prober->connections() > 1) {
      notes.push_back(
          fmt::format("{}: connections after the first one: {}", name, prober->connections() - 1));
    }
    if (prober->redirections() > 0) {
      notes.push_back(
          fmt::format("{}: redirections followed (MOVED, ASK): {}", name, prober->redirections()));
    }
  }
  return notes;
}

std::string Verdict(const WatchResult& result) {
  uint64_t acknowledged = 0;
  for (const auto& prober : result.probers) acknowledged += prober->ledger().acknowledged();
  if (result.Lost() > 0) {
    return fmt::format("LOST: {} of {} acknowledged writes", WithThousands(result.Lost()),
                       WithThousands(acknowledged));
  }
  if (result.Unverified() > 0) {
    return fmt::format("NOT VERIFIED: {} of {} acknowledged writes could not be read back",
                       WithThousands(result.Unverified()), WithThousands(acknowledged));
  }
  return fmt::format("kept: all {} acknowledged writes", WithThousands(acknowledged));
}

Json GapJson(const Prober& prober, const Gap& gap, const WatchResult& result) {
  Json json = {{"path", prober.options().name},
               {"begin_seconds", Seconds(gap.begin - result.begin)},
               {"length_ms", Millis(gap.length())},
               {"over", gap.over},
               {"probes", gap.probes},
               {"errors", gap.errors}};
  for (size_t i = 0; i < kSteps; ++i) {
    const std::string step = i == 3 ? "read_back" : std::string(kStepNames[i]);
    json["failed"][step] = gap.failures[i];
    json["down_ms"][step] = Millis(gap.down[i]);
  }
  return json;
}

Json RowJson(const Prober& prober, const WatchResult& result) {
  const Outages& outages = prober.outages();
  const Ledger& ledger = prober.ledger();
  const Gap* const longest = outages.Longest();
  Json row = {{"name", "remote_watch/" + prober.options().name},
              {"run_type", "iteration"},
              {"iterations", outages.probes()},
              {"real_time", 0},
              {"time_unit", "ns"},
              {"probes", outages.probes()},
              {"failed", outages.failed()},
              {"left_out", prober.left_out()},
              {"availability", Availability(outages.TotalDown(), result.length)},
              {"read_availability", Availability(outages.TotalDown(Step::kRead), result.length)},
              {"write_availability", Availability(outages.TotalDown(Step::kWrite), result.length)},
              {"gaps", outages.gaps().size()},
              {"longest_gap_ms", longest == nullptr ? 0 : Millis(longest->length())},
              {"writes", ledger.issued()},
              {"acknowledged", ledger.acknowledged()},
              {"refused", ledger.refused()},
              {"no_answer", ledger.unknown()},
              {"superseded", ledger.superseded()},
              {"lost", ledger.lost()},
              {"rolled_back", ledger.rolled_back()},
              {"foreign", ledger.foreign()},
              {"unverified", prober.unverified()},
              {"stale_reads", prober.stale_reads()},
              {"connections", prober.connections()},
              {"redirections", prober.redirections()}};
  for (size_t step = 0; step < kSteps; ++step) {
    const std::string name = step == 3 ? "read_back" : std::string(kStepNames[step]);
    for (const auto& [percentile, percent] : kPercentiles) {
      row[fmt::format("{}_{}_ns", name, percentile)] = prober.latency(step).Percentile(percent);
    }
  }
  return row;
}

}  // namespace

std::string EventLine(const Event& event, clients::Deadline begin) {
  return fmt::format("{:>9.3f} s  {:<8}  {}\n", Seconds(event.at - begin),
                     event.source.empty() ? "watch" : event.source, event.text);
}

std::string ReportText(const WatchPlan& plan, const WatchResult& result) {
  std::string text = fmt::format("\nwatched {} for {} s\n", clients::Redacted(plan.server.url),
                                 Short(Seconds(result.length)));
  text += AvailabilityTable(result) + GapTable(result) + WriteTable(result) + LatencyTable(result);
  text += "\n";
  for (const std::string& note : Notes(plan, result)) text += fmt::format("  * {}\n", note);
  return text + Verdict(result) + "\n";
}

Json ReportJson(const std::map<std::string, std::string>& context, const WatchPlan& plan,
                const WatchResult& result) {
  Json report = {{"context", context},
                 {"benchmarks", Json::array()},
                 {"gaps", Json::array()},
                 {"events", Json::array()},
                 {"notes", Notes(plan, result)},
                 {"verdict", Verdict(result)},
                 {"seconds", Seconds(result.length)}};
  for (const auto& prober : result.probers) {
    report["benchmarks"].push_back(RowJson(*prober, result));
    for (const Gap& gap : prober->outages().gaps()) {
      report["gaps"].push_back(GapJson(*prober, gap, result));
    }
  }
  for (const Event& event : result.events) {
    report["events"].push_back({{"seconds", Seconds(event.at - result.begin)},
                                {"path", event.source},
                                {"text", event.text}});
  }
  return report;
}

}  // namespace bench::remote_watch
