// Compiled once for each composition, by the macros in suites.bzl, which set ASHLAR_NAME.
#include "kv/testing/name_under_test.h"

namespace kv::testing {

const char* NameUnderTest() { return ASHLAR_NAME; }

}  // namespace kv::testing
