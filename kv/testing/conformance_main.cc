// The conformance suite over the composition that this is linked with.
#include "gtest/gtest.h"
#include "kv/testing/composition_under_test.h"
#include "kv/testing/conformance.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  kv::testing::RegisterConformance(kv::testing::CompositionUnderTest());
  return RUN_ALL_TESTS();
}
