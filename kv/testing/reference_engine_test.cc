// The suite on the engine that is right by construction: a check that fails here is a wrong check.
#include "kv/testing/reference_engine.h"

#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "kv/base/clock.h"
#include "kv/testing/any_store.h"
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

// AnyStore adds nothing and takes nothing away.
Composition BehindAnyStore() {
  Composition composition = CompositionOf<ReferenceEngine>("ReferenceBehindAnyStore");
  composition.open = [open = composition.open](
                         const Options& options) -> absl::StatusOr<std::unique_ptr<AnyEngine>> {
    auto engine = open(options);
    if (!engine.ok()) return std::move(engine).status();
    return std::make_unique<EngineAdapter<AnyStore>>(
        std::make_unique<AnyStore>(*std::move(engine)));
  };
  return composition;
}

[[maybe_unused]] const bool kBehindAnyStore = RegisterConformance(BehindAnyStore());

}  // namespace
}  // namespace kv::testing
