// Random histories, compared call by call with the reference (history.h).
#include <string>

#include "fmt/format.h"
#include "kv/testing/conformance.h"
#include "kv/testing/history.h"

namespace kv::testing {
namespace {

void ReplayHistories(Stage& stage, uint64_t first_seed, int histories, size_t length) {
  const Composition& composition = stage.composition();
  for (uint64_t seed = first_seed; seed < first_seed + static_cast<uint64_t>(histories); ++seed) {
    const std::vector<Step> steps = MakeHistory(seed, length, composition);
    const std::optional<std::string> difference = Replay(composition, steps);
    if (!difference) continue;
    const std::vector<Step> shrunk = Shrink(composition, steps, 200);
    stage.Fail(fmt::format("seed {}, {}\nshrunk to {} steps of {}:\n{}then {}", seed, *difference,
                           shrunk.size(), steps.size(), ToString(shrunk),
                           Replay(composition, shrunk).value_or("it does not fail every time")));
    return;
  }
}

void ManyShortHistories(Stage& stage) { ReplayHistories(stage, 1, 20, 120); }

void FewLongHistories(Stage& stage) { ReplayHistories(stage, 1001, 2, 2000); }

constexpr Check kChecks[] = {
    {"ManyShortHistories", {}, ManyShortHistories},
    {"FewLongHistories", {}, FewLongHistories},
};

}  // namespace

std::span<const Check> HistoryChecks() { return kChecks; }

}  // namespace kv::testing
