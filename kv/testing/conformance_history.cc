// Random histories, compared call by call with the reference (history.h).
#include <string>

#include "fmt/format.h"
#include "kv/testing/conformance.h"
#include "kv/testing/history.h"
#include "kv/testing/sizes.h"

namespace kv::testing {
namespace {

void ReplayHistories(Stage& stage, const Runs& runs) {
  const Composition& composition = stage.composition();
  for (const uint64_t seed : runs.Seeds()) {
    const std::vector<Step> steps = MakeHistory(seed, static_cast<size_t>(runs.steps), composition);
    const std::optional<std::string> difference = Replay(composition, steps);
    if (!difference) continue;
    const std::vector<Step> shrunk = Shrink(composition, steps, 200);
    stage.Fail(fmt::format("seed {}, {}\nshrunk to {} steps of {}:\n{}then {}", seed, *difference,
                           shrunk.size(), steps.size(), ToString(shrunk),
                           Replay(composition, shrunk).value_or("it does not fail every time")));
    return;
  }
}

void ManyShortHistories(Stage& stage) { ReplayHistories(stage, kShortHistories); }

void FewLongHistories(Stage& stage) { ReplayHistories(stage, kLongHistories); }

constexpr Check kChecks[] = {
    {"ManyShortHistories", {}, ManyShortHistories},
    {"FewLongHistories", {}, FewLongHistories},
};

}  // namespace

std::span<const Check> HistoryChecks() { return kChecks; }

}  // namespace kv::testing
