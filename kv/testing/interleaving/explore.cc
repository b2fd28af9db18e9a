#include "kv/testing/interleaving/explore.h"

#include <utility>

#include "kv/testing/interleaving/machine.h"

namespace kv::testing::interleaving {
namespace {

using Script = std::vector<Machine::Choice>;

// The choices of the next run after one with `choices`, depth first; false after the last.
bool Next(Script* choices) {
  while (!choices->empty() && choices->back().taken + 1 == choices->back().count) {
    choices->pop_back();
  }
  if (choices->empty()) return false;
  ++choices->back().taken;
  return true;
}

void RunOnce(Machine& machine, const std::function<void(Trial&)>& program) {
  Machine::SetCurrent(&machine);
  Trial trial(machine);
  program(trial);
  Machine::SetCurrent(nullptr);
}

}  // namespace

void Trial::Run(std::vector<std::function<void()>> threads) { machine_.Run(std::move(threads)); }

void Trial::Expect(bool holds, std::string_view what) {
  const Hidden hidden;
  if (!holds) machine_.Fail(what.empty() ? "an expectation" : what);
}

Report Explore(const Plan& plan, const std::function<void(Trial&)>& program) {
  Report report;
  Script script;
  do {
    if (report.runs == plan.most_runs) return report;
    Machine machine(plan, script, /*tells=*/false);
    RunOnce(machine, program);
    ++report.runs;
    if (machine.failed()) {
      // Once more, to tell what happened.
      const Script same = machine.choices();
      Machine again(plan, same, /*tells=*/true);
      RunOnce(again, program);
      report.failure = again.Story();
      return report;
    }
    script = machine.choices();
  } while (Next(&script));
  report.complete = true;
  return report;
}

void Yield() {
  const Hidden hidden;
  if (Machine* const machine = Machine::Current()) machine->Yield();
}

}  // namespace kv::testing::interleaving
