// Compiled once for each durable composition, by the macro in suites.bzl. As
// composition_under_test.cc, with ASHLAR_SIMULATED_TYPE for the engine whose Environment is
// kv::testing::SimulatedEnvironment.
#include "kv/testing/simulated_under_test.h"

#include ASHLAR_HEADER
#include "kv/testing/engine_adapter.h"

namespace kv::testing {

Composition SimulatedUnderTest(const SimulatedEnvironment& environment) {
  return CompositionOf<ASHLAR_SIMULATED_TYPE>(ASHLAR_NAME, environment);
}

}  // namespace kv::testing
