#include "kv/testing/torture.h"

#include <algorithm>
#include <chrono>

#include "fmt/format.h"
#include "kv/testing/concurrent_history.h"
#include "kv/testing/corruption_check.h"
#include "kv/testing/full_disk_check.h"
#include "kv/testing/history.h"
#include "kv/testing/kill_check.h"
#include "kv/testing/random.h"
#include "kv/testing/sizes.h"
#include "kv/testing/stage.h"

namespace kv::testing {
namespace {

std::vector<std::string> RoundOfHistory(const TortureSubject& subject, uint64_t seed,
                                        TortureTally& tally) {
  constexpr int kReplays = 300;
  constexpr size_t kShortest = kTortureRound.shortest_history;
  constexpr size_t kLongest = kTortureRound.longest_history;
  const size_t length = kShortest + Random(seed).Below(kLongest - kShortest);
  const std::vector<Step> steps = MakeHistory(seed, length, subject.composition);
  ++tally.histories;
  const auto difference = Replay(subject.composition, steps);
  if (!difference) return {};
  const std::vector<Step> shrunk = Shrink(subject.composition, steps, kReplays);
  return {fmt::format("{}\nshrunk to {} steps of {}:\n{}", *difference, shrunk.size(), steps.size(),
                      ToString(shrunk))};
}

std::vector<std::string> RoundOfConcurrency(const TortureSubject& subject, uint64_t seed,
                                            TortureTally& tally) {
  const int threads = 2 << Random(seed).Below(3);
  Stage stage(subject.composition);
  const auto engine = stage.OpenNew();
  if (engine == nullptr) return stage.failures();
  const auto history = RunConcurrently(
      *engine, subject.composition.has,
      {.seed = seed, .threads = threads, .calls = kTortureRound.concurrent_calls / threads});
  if (!history.ok()) return {history.status().ToString()};
  tally.concurrent_calls += history->size();
  const auto wrong = Contradiction(*history);
  return wrong ? std::vector{*wrong} : std::vector<std::string>();
}

std::vector<std::string> RoundOfCrashes(const TortureSubject& subject, uint64_t seed,
                                        TortureTally& tally) {
  CrashReport report = CheckCrashes(subject.simulated, {.history_seed = seed,
                                                        .steps = kTortureRound.steps,
                                                        .moments = kTortureRound.crash_moments,
                                                        .seeds = kTortureRound.crash_outcomes});
  tally.crashes += report.crashes;
  return std::move(report.failures);
}

std::vector<std::string> RoundOfFaults(const TortureSubject& subject, uint64_t seed,
                                       TortureTally& tally) {
  CrashReport report = CheckFaults(
      subject.simulated,
      {.history_seed = seed, .steps = kTortureRound.steps, .moments = kTortureRound.fault_moments});
  tally.faults += report.crashes;
  return std::move(report.failures);
}

std::vector<std::string> RoundOfFullDisks(const TortureSubject& subject, uint64_t seed,
                                          TortureTally& tally) {
  FullDiskReport report =
      CheckFullDisk(subject.simulated, {.history_seed = seed,
                                        .steps = kTortureRound.steps,
                                        .moments = kTortureRound.full_disk_moments});
  tally.refusals += report.refusals;
  return std::move(report.failures);
}

std::vector<std::string> RoundOfCorruption(const TortureSubject& subject, uint64_t seed,
                                           TortureTally& tally) {
  const StoreEnd end = Random(seed).OneIn(2) ? StoreEnd::kClosed : StoreEnd::kKilled;
  CorruptionReport report = CheckCorruption(
      subject.simulated, {.history_seed = seed, .end = end, .stride = kTortureRound.flip_stride});
  tally.flips += report.flips;
  return std::move(report.failures);
}

std::vector<std::string> RoundOfKills(const TortureSubject& subject, uint64_t seed,
                                      TortureTally& tally) {
  KillReport report = CheckKills(
      subject.composition,
      {.seed = seed, .kills = kTortureRound.kills, .extra_arguments = subject.kill_arguments});
  tally.kills += static_cast<uint64_t>(report.kills);
  return std::move(report.failures);
}

constexpr TortureLayer kLayers[] = {
    {"history", false, RoundOfHistory}, {"concurrent", false, RoundOfConcurrency},
    {"crash", true, RoundOfCrashes},    {"fault", true, RoundOfFaults},
    {"full", true, RoundOfFullDisks},   {"corruption", true, RoundOfCorruption},
    {"kill", true, RoundOfKills},
};

}  // namespace

std::string ToString(const TortureTally& tally) {
  return fmt::format(
      "{} rounds: {} histories, {} concurrent calls, {} crashes, {} faults, {} refusals, {} flips, "
      "{} kills",
      tally.rounds, tally.histories, tally.concurrent_calls, tally.crashes, tally.faults,
      tally.refusals, tally.flips, tally.kills);
}

std::span<const TortureLayer> TortureLayers() { return kLayers; }

TortureOutcome Torture(const TortureSubject& subject, const TorturePlan& plan,
                       const std::function<bool(const TortureTally&)>& between) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(plan.seconds);
  std::vector<const TortureLayer*> layers;
  for (const TortureLayer& layer : kLayers) {
    const bool asked = plan.only.empty() || std::ranges::count(plan.only, layer.name) > 0;
    if (asked && (subject.composition.has.durable || !layer.needs_files)) layers.push_back(&layer);
  }
  TortureOutcome outcome;
  for (uint64_t round = 0; round < plan.rounds && !layers.empty() && Clock::now() < end; ++round) {
    const TortureLayer& layer = *layers[round % layers.size()];
    outcome.layer = layer.name;
    outcome.seed = plan.seed + round;
    outcome.failures = layer.round(subject, outcome.seed, outcome.tally);
    ++outcome.tally.rounds;
    if (!outcome.failures.empty() || !between(outcome.tally)) break;
  }
  return outcome;
}

}  // namespace kv::testing
