// The composition that a generated test is about: declared here for the mains of the suites,
// defined by composition_under_test.cc (or by hand, in a test of its own).
#ifndef KV_TESTING_COMPOSITION_UNDER_TEST_H_
#define KV_TESTING_COMPOSITION_UNDER_TEST_H_

#include "kv/testing/composition.h"
#include "kv/testing/simulated_environment.h"

namespace kv::testing {

// On the machine's files and clock.
Composition CompositionUnderTest();

// On simulated ones. A volatile composition, which has no files, refuses to open.
Composition SimulatedUnderTest(const SimulatedEnvironment& environment);

}  // namespace kv::testing

#endif  // KV_TESTING_COMPOSITION_UNDER_TEST_H_
