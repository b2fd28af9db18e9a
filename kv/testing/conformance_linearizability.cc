// Calls side by side answer as if each had happened at one instant (linearizability.h).
#include <string>

#include "fmt/format.h"
#include "kv/testing/concurrent_history.h"
#include "kv/testing/conformance.h"
#include "kv/testing/sizes.h"

namespace kv::testing {
namespace {

void ConcurrentCallsAreLinearizable(Stage& stage) {
  for (const uint64_t seed : kConcurrentHistories.Seeds()) {
    const int threads = 2 << (seed - kConcurrentHistories.first_seed) % 3;
    const ConcurrentLoad load = {
        .seed = seed, .threads = threads, .calls = kConcurrentHistories.steps / threads};
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
