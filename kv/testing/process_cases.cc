// The tests that need a kernel, over the composition that the kill test is linked with.
#include <string>

#include "gtest/gtest.h"
#include "kv/testing/composition_under_test.h"
#include "kv/testing/process_check.h"

namespace kv::testing {
namespace {

TEST(ProcessTest, OutOfFileDescriptors) {
  for (const std::string& failure : CheckDescriptors(CompositionUnderTest())) {
    ADD_FAILURE() << failure;
  }
}

TEST(ProcessTest, TwoProcessesOpenOneStore) {
  for (const std::string& failure : CheckTwoProcesses(CompositionUnderTest())) {
    ADD_FAILURE() << failure;
  }
}

}  // namespace
}  // namespace kv::testing
