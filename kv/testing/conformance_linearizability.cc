// Calls side by side answer as if each had happened at one instant (linearizability.h).
#include <string>

#include "fmt/format.h"
#include "kv/testing/concurrent_history.h"
#include "kv/testing/conformance.h"

namespace kv::testing {
namespace {

void ConcurrentCallsAreLinearizable(Stage& stage) {
  for (const ConcurrentLoad load : {ConcurrentLoad{.seed = 1, .threads = 2, .calls = 600},
                                    ConcurrentLoad{.seed = 2, .threads = 4, .calls = 300},
                                    ConcurrentLoad{.seed = 3, .threads = 8, .calls = 100}}) {
    const auto engine = stage.OpenNew();
    if (engine == nullptr) return;
    const auto history = RunConcurrently(*engine, stage.has(), load);
    if (!stage.ExpectOk(history.status(), "a concurrent history")) return;
    if (const auto wrong = Contradiction(*history)) {
      stage.Fail(fmt::format("seed {}, {} threads: {}", load.seed, load.threads, *wrong));
    }
  }
}

constexpr Check kChecks[] = {
    {"ConcurrentCallsAreLinearizable", {}, ConcurrentCallsAreLinearizable},
};

}  // namespace

std::span<const Check> LinearizabilityChecks() { return kChecks; }

}  // namespace kv::testing
