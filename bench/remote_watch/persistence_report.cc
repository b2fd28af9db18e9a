#include "bench/remote_watch/persistence_report.h"

#include <algorithm>

#include "bench/text.h"
#include "fmt/format.h"

namespace bench::remote_watch {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kNotShown =
    "kill -9 ends the process, not the machine: what the server had written to its files is kept "
    "by "
    "the kernel, synced or not. So this shows what the server itself had not written yet, and not "
    "what a loss of power takes: there everysec may lose a second or two of writes, and always "
    "keeps "
    "no more than the disk does.";

// 0 where nothing was lost, which three digits would make look measured.
std::string Decimal(double number) { return number == 0 ? "0" : Short(number); }

}  // namespace

std::string RoundHead() {
  return fmt::format("{:<9} {:>5} {:>9} {:>11} {:>12} {:>9} {:>14} {:>10} {:>10}\n", "policy",
                     "round", "killed s", "writes", "acknowledged", "lost", "lost window ms",
                     "restart ms", "ops/s");
}

std::string RoundLine(const RoundResult& result) {
  return fmt::format("{:<9} {:>5} {:>9.2f} {:>11} {:>12} {:>9} {:>14} {:>10} {:>10}{}\n",
                     result.policy->name, result.round, result.killed_after,
                     WithThousands(result.writes), WithThousands(result.acknowledged),
                     WithThousands(result.lost), Decimal(result.lost_window_ms),
                     Decimal(result.restart_ms), Decimal(result.ops_per_second),
                     result.holes == 0 ? "" : fmt::format("  {} of them holes", result.holes));
}

std::string PersistenceSummary(const PersistencePlan& plan,
                               const std::vector<RoundResult>& results) {
  std::string text = "\nworst of each policy\n";
  for (const Policy* const policy : plan.policies) {
    RoundResult worst{.policy = policy};
    for (const RoundResult& result : results) {
      if (result.policy != policy) continue;
      ++worst.round;
      worst.lost = std::max(worst.lost, result.lost);
      worst.lost_window_ms = std::max(worst.lost_window_ms, result.lost_window_ms);
      worst.restart_ms = std::max(worst.restart_ms, result.restart_ms);
    }
    if (worst.round == 0) continue;
    const std::string lost =
        worst.lost == 0 ? "nothing"
                        : fmt::format("at most {} acknowledged writes, those of {} ms,",
                                      WithThousands(worst.lost), Decimal(worst.lost_window_ms));
    text += fmt::format("  {:<9} {}: lost {} in {} rounds\n", policy->name, policy->description,
                        lost, worst.round);
  }
  text += fmt::format("\n  * {}\n", kNotShown);
  text += fmt::format(
      "  * one connection, {} writes in flight, values of {} B under {} keys; moments of the kill "
      "by seed {}\n",
      plan.pipeline, plan.value_bytes, WithThousands(plan.keys), plan.seed);
  text += BrokePromise(results) ? "LOST: always promises each acknowledged write, and lost some\n"
                                : "kept: what was promised\n";
  return text;
}

Json PersistenceJson(const std::map<std::string, std::string>& context, const PersistencePlan& plan,
                     const std::vector<RoundResult>& results) {
  Json report = {{"context", context},
                 {"benchmarks", Json::array()},
                 {"notes", Json::array({kNotShown})},
                 {"promises_kept", !BrokePromise(results)}};
  report["context"]["pipeline"] = std::to_string(plan.pipeline);
  report["context"]["keys"] = std::to_string(plan.keys);
  report["context"]["value_size"] = std::to_string(plan.value_bytes);
  report["context"]["seed"] = std::to_string(plan.seed);
  for (const RoundResult& result : results) {
    report["benchmarks"].push_back(
        {{"name", fmt::format("persistence/{}/round:{}", result.policy->name, result.round)},
         {"run_type", "iteration"},
         {"iterations", result.acknowledged},
         {"real_time", result.acknowledged == 0 ? 0 : 1e9 / result.ops_per_second},
         {"time_unit", "ns"},
         {"items_per_second", result.ops_per_second},
         {"writes", result.writes},
         {"acknowledged", result.acknowledged},
         {"lost", result.lost},
         {"holes", result.holes},
         {"killed_after_seconds", result.killed_after},
         {"lost_window_ms", result.lost_window_ms},
         {"restart_ms", result.restart_ms}});
  }
  return report;
}

}  // namespace bench::remote_watch
