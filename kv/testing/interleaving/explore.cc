#include "kv/testing/interleaving/explore.h"

#include <thread>
#include <utility>

#include "kv/testing/interleaving/machine.h"
#include "kv/testing/interleaving/run_memory.h"

namespace {

// Whether ThreadSanitizer has reported something. volatile: it is set behind the compiler's back.
volatile bool raced = false;

}  // namespace

#ifdef __SANITIZE_THREAD__
extern "C" {
// Called with each report, from within the sanitizer, where little may be done.
__attribute__((no_sanitize("thread"))) void __tsan_on_report(void*) { raced = true; }
}
#endif

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

struct Result {
  Script choices;
  bool failed = false;
  std::string story;
};

// One run, which begins with the choices of the script.
Result RunOnce(const Plan& plan, const Script& script, bool tells,
               const std::function<void(Trial&)>& program) {
  RunMemory::Clear();
  Machine machine(plan, script, tells);
  raced = false;
  Trial trial(machine);
  program(trial);
  if (raced) machine.Fail("a data race, which ThreadSanitizer has reported");
  return {.choices = Script(machine.choices().begin(), machine.choices().end()),
          .failed = machine.failed(),
          .story = machine.Story()};
}

// The library's reference counts (std::shared_ptr) are atomic only in a process that has had a
// second thread, and fibers are none.
void HaveHadTwoThreads() {
  [[maybe_unused]] static const bool once = (std::thread([] {}).join(), true);
}

}  // namespace

void Trial::Run(std::vector<std::function<void()>> threads) { machine_.Run(std::move(threads)); }

void Trial::Expect(bool holds, std::string_view what) {
  const Hidden hidden;
  if (!holds) machine_.Fail(what.empty() ? "an expectation" : what);
}

Report Explore(const Plan& plan, const std::function<void(Trial&)>& program) {
  HaveHadTwoThreads();
  struct Finally {
    ~Finally() { Fiber::FreeIdle(); }
  } const finally;
  Report report;
  Script script;
  do {
    if (report.runs == plan.most_runs) return report;
    Result result = RunOnce(plan, script, /*tells=*/false, program);
    ++report.runs;
    if (result.failed) {
      // Once more, to tell what happened.
      const Result again = RunOnce(plan, result.choices, /*tells=*/true, program);
      // A race is reported once.
      report.failure = again.failed ? again.story : result.story + again.story;
      return report;
    }
    script = std::move(result.choices);
  } while (Next(&script));
  report.complete = true;
  return report;
}

void Yield() {
  const Hidden hidden;
  if (Machine* const machine = Machine::Running()) machine->Yield();
}

size_t ThreadNumber() {
  const Hidden hidden;
  Machine* const machine = Machine::Running();
  return machine == nullptr ? 0 : machine->running();
}

size_t Choose(size_t count) {
  const Hidden hidden;
  Machine* const machine = Machine::Running();
  return machine == nullptr ? 0 : machine->Choose(count);
}

}  // namespace kv::testing::interleaving
