// The soak of coordinators as a program: bazel run //coord:soak -- --duration=60s --seed=N
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "coord/soak.h"
#include "fmt/format.h"

namespace coord {
namespace {

volatile std::sig_atomic_t interrupted = 0;

struct Flags {
  SoakPlan plan;
  std::string only;
};

// The exit status where the program is to end here, or -1.
int Parse(int argc, char** argv, Flags* flags) {
  CLI::App app(
      "Lets registrants and workers do anything, on every composition of parts, until the time is\n"
      "up or a registration is lost, a slot runs twice at once, or a wake-up does not come.\n"
      "Exit status: 0; 1 a round failed; 2 the command line is wrong; 130 interrupted.");
  app.add_option("--seed", flags->plan.seed,
                 "of the first round; it chooses composition and steps. The next has the next");
  app.add_option("--rounds", flags->plan.rounds, "at most so many");
  const std::map<std::string, double> units = {{"s", 1}, {"m", 60}, {"h", 3600}};
  app.add_option("--duration", flags->plan.seconds,
                 "at most so long, but for the round under way: 60s, 10m, 8h")
      ->transform(CLI::AsNumberWithUnit(units));
  app.add_option("--only", flags->only,
                 "compositions whose name has this in it, such as \"ring/\"");
  bool list = false;
  app.add_flag("--list", list, "names the compositions");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!list) return -1;
  for (const SoakSubject& subject : SoakSubjects()) std::puts(subject.name.c_str());
  return 0;
}

int Main(int argc, char** argv) {
  Flags flags;
  if (const int status = Parse(argc, argv, &flags); status >= 0) return status;
  std::vector<SoakSubject> subjects;
  for (const SoakSubject& subject : SoakSubjects()) {
    if (subject.name.find(flags.only) != std::string::npos) subjects.push_back(subject);
  }
  if (subjects.empty()) {
    std::fputs(
        fmt::format("no composition has \"{}\" in its name; see --list\n", flags.only).c_str(),
        stderr);
    return 2;
  }
  std::signal(SIGINT, [](int) { interrupted = 1; });

  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  auto said = start;
  const auto say = [&](const SoakOutcome& outcome) {
    const std::chrono::duration<double> running = Clock::now() - start;
    std::fputs(fmt::format("{:.0f} s: {} rounds on {} compositions, {} steps; last seed {}, {}\n",
                           running.count(), outcome.rounds, subjects.size(), outcome.steps,
                           outcome.seed, outcome.subject)
                   .c_str(),
               stderr);
    said = Clock::now();
  };
  const SoakOutcome outcome = RunSoak(flags.plan, subjects, [&](const SoakOutcome& so_far) {
    if (Clock::now() - said > std::chrono::seconds(2)) say(so_far);
    return interrupted == 0;
  });
  say(outcome);
  if (outcome.status.ok()) return interrupted == 0 ? 0 : 130;
  std::fputs(fmt::format("{}: {}\nto replay it: bazel run //coord:soak -- --seed={} --rounds=1{}\n",
                         outcome.subject, outcome.status.ToString(), outcome.seed,
                         flags.only.empty() ? "" : " --only=" + flags.only)
                 .c_str(),
             stderr);
  return 1;
}

}  // namespace
}  // namespace coord

int main(int argc, char** argv) { return coord::Main(argc, argv); }
