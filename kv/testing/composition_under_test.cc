// Compiled once for each composition, by the macro in suites.bzl. This is the one place in the
// tests where a composition is selected by macros:
//
//   ASHLAR_HEADER   "engines/compositions/lsm_leveled.h"
//   ASHLAR_TYPE     kv::LsmLeveled
//   ASHLAR_NAME     "lsm_leveled"
#include "kv/testing/composition_under_test.h"

#include ASHLAR_HEADER
#include "kv/testing/engine_adapter.h"

namespace kv::testing {

Composition CompositionUnderTest() { return CompositionOf<ASHLAR_TYPE>(ASHLAR_NAME); }

}  // namespace kv::testing
