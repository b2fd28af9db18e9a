// Compiled once for each composition, by the macro in suites.bzl. This is the one place in the
// tests where a composition is selected by macros:
//
//   ASHLAR_HEADER   "engines/compositions/lsm_leveled.h"
//   ASHLAR_TYPE     kv::LsmLeveled
//   ASHLAR_NAME     "lsm_leveled"
//
// On both kinds of files in one file: what they share, headers above all, is compiled once.
#include "kv/testing/composition_under_test.h"

#include ASHLAR_HEADER
#include "kv/testing/engine_adapter.h"

namespace kv::testing {
namespace {

template <Engine E>
Composition OnSimulatedFiles(const SimulatedEnvironment& environment) {
  if constexpr (DurableEngine<E>) {
    return CompositionOf<typename E::template On<SimulatedEnvironment>>(ASHLAR_NAME, environment);
  } else {
    Composition composition = CompositionOf<E>(ASHLAR_NAME);
    composition.open = [](const Options&) -> absl::StatusOr<std::unique_ptr<AnyEngine>> {
      return absl::UnimplementedError("a volatile composition has no files");
    };
    return composition;
  }
}

}  // namespace

Composition CompositionUnderTest() { return CompositionOf<ASHLAR_TYPE>(ASHLAR_NAME); }

Composition SimulatedUnderTest(const SimulatedEnvironment& environment) {
  return OnSimulatedFiles<ASHLAR_TYPE>(environment);
}

}  // namespace kv::testing
