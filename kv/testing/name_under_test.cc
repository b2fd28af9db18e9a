// Compiled once for each composition, by the macros in suites.bzl, which set ASHLAR_NAME.
#include "kv/testing/composition_under_test.h"

namespace kv::testing {

std::string_view NameUnderTest() { return ASHLAR_NAME; }

}  // namespace kv::testing
