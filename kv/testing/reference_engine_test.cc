// The suite on the engine that is right by construction: a check that fails here is a wrong check.
#include "kv/testing/reference_engine.h"

#include "gtest/gtest.h"
#include "kv/base/clock.h"
#include "kv/testing/conformance.h"
#include "kv/testing/engine_adapter.h"

namespace kv::testing {
namespace {

[[maybe_unused]] const bool kOnSystemClock =
    RegisterConformance(CompositionOf<ReferenceEngine>("Reference"));

// On a clock that the checks turn, so that those of expiry can look at the moment before.
Composition OnManualClock() {
  using Engine = BasicReferenceEngine<ManualClock>;
  Composition composition = CompositionOf<Engine>("ReferenceOnManualClock");
  ManualClock clock;
  composition.open = [clock](const Options&) -> absl::StatusOr<std::unique_ptr<AnyEngine>> {
    return std::make_unique<EngineAdapter<Engine>>(std::make_unique<Engine>(clock));
  };
  composition.manual_clock = true;
  composition.unix_millis = [clock] { return clock.UnixMillis(); };
  composition.advance_millis = [clock](uint64_t millis) mutable { clock.AdvanceMillis(millis); };
  return composition;
}

[[maybe_unused]] const bool kOnManualClock = RegisterConformance(OnManualClock());

}  // namespace
}  // namespace kv::testing
