// The composition that a generated crash test is about, on simulated files: declared here for the
// main of the suite, defined by simulated_under_test.cc.
#ifndef KV_TESTING_SIMULATED_UNDER_TEST_H_
#define KV_TESTING_SIMULATED_UNDER_TEST_H_

#include "kv/testing/composition.h"
#include "kv/testing/simulated_environment.h"

namespace kv::testing {

Composition SimulatedUnderTest(const SimulatedEnvironment& environment);

}  // namespace kv::testing

#endif  // KV_TESTING_SIMULATED_UNDER_TEST_H_
