// Torture of the composition that this is linked with (torture.h); tools/torture builds it, starts
// it and adds the tallies up. When it is executed again with kKillWriterFlag, it is the writer that
// it kills.
#include <malloc.h>

#include <chrono>
#include <climits>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "fmt/format.h"
#include "kv/testing/composition_under_test.h"
#include "kv/testing/kill_writer.h"
#include "kv/testing/torture.h"

namespace kv::testing {
namespace {

volatile std::sig_atomic_t interrupted = 0;

struct Flags {
  uint64_t seed = 1;
  uint64_t rounds = UINT64_MAX;
  double seconds = 60;
  std::vector<std::string> only;
  std::string tally;
};

// The exit status where the program is to end here, or -1.
int Parse(int argc, char** argv, Flags* flags) {
  CLI::App app(
      "Runs every kind of check on one composition until the time is up or one fails.\n"
      "Exit status: 0; 1 a check failed; 2 the command line is wrong; 130 interrupted.");
  app.add_option("--seed", flags->seed, "of the first round; the next one has the next");
  app.add_option("--rounds", flags->rounds, "at most so many");
  app.add_option("--seconds", flags->seconds, "at most so long, but for the round under way; 60");
  std::vector<std::string> names;
  for (const TortureLayer& layer : TortureLayers()) names.emplace_back(layer.name);
  app.add_option("--only", flags->only, "these layers: " + CLI::detail::join(names, ","))
      ->delimiter(',')
      ->check(CLI::IsMember(names));
  app.add_option("--tally", flags->tally, "write the tally to this file, as JSON");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return -1;
}

void WriteTally(const TortureTally& tally, const std::string& path) {
  std::ofstream(path) << fmt::format(
      R"({{"rounds": {}, "histories": {}, "concurrent_calls": {}, "crashes": {}, "faults": {}, )"
      R"("refusals": {}, "flips": {}, "kills": {}}})",
      tally.rounds, tally.histories, tally.concurrent_calls, tally.crashes, tally.faults,
      tally.refusals, tally.flips, tally.kills);
}

int Main(int argc, char** argv) {
  Flags flags;
  if (const int status = Parse(argc, argv, &flags); status >= 0) return status;
  const TortureSubject subject{.composition = CompositionUnderTest(),
                               .simulated = SimulatedUnderTest};
  const std::string& name = subject.composition.name;
  std::signal(SIGINT, [](int) { interrupted = 1; });

  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  auto said = start;
  const auto say = [&](const TortureTally& tally) {
    const std::chrono::duration<double> running = Clock::now() - start;
    std::fputs(fmt::format("{}, {:.0f} s, {}\n", name, running.count(), ToString(tally)).c_str(),
               stderr);
    said = Clock::now();
  };
  const TortureOutcome outcome = Torture(subject,
                                         {.seed = flags.seed,
                                          .rounds = flags.rounds,
                                          .seconds = flags.seconds,
                                          .only = {flags.only.begin(), flags.only.end()}},
                                         [&](const TortureTally& tally) {
                                           if (Clock::now() - said > std::chrono::seconds(2))
                                             say(tally);
                                           return interrupted == 0;
                                         });
  say(outcome.tally);
  if (!flags.tally.empty()) WriteTally(outcome.tally, flags.tally);
  if (outcome.failures.empty()) return interrupted == 0 ? 0 : 130;
  for (const std::string& failure : outcome.failures) {
    std::fputs(
        fmt::format("{}, {}, seed {}: {}\n", name, outcome.layer, outcome.seed, failure).c_str(),
        stderr);
  }
  std::fputs(fmt::format("to replay it: bazel run //tools/torture -- --composition={} --only={} "
                         "--seed={} --rounds=1\n",
                         name, outcome.layer, outcome.seed)
                 .c_str(),
             stderr);
  return 1;
}

}  // namespace
}  // namespace kv::testing

int main(int argc, char** argv) {
  if (kv::testing::IsKillWriter(argc, argv)) {
    return kv::testing::RunKillWriter(kv::testing::CompositionUnderTest(), argc, argv);
  }
  // As in crash_main.cc: simulated disks are copied all the time.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
  return kv::testing::Main(argc, argv);
}
