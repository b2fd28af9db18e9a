// The faults of the environment over the composition that the crash test is linked with. The sizes
// of this test are here; ASHLAR_FAULTS=<n> in the environment asks for so many places of each.
#include <cstdlib>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "kv/testing/fault_check.h"
#include "kv/testing/simulated_under_test.h"

namespace kv::testing {
namespace {

FaultPlan PlanOf(FaultPlan plan) {
  if (const char* const asked = std::getenv("ASHLAR_FAULTS")) {
    plan.moments = std::strtoull(asked, nullptr, 10);
  }
  return plan;
}

void ExpectNone(const std::vector<std::string>& failures) {
  for (const std::string& failure : failures) ADD_FAILURE() << failure;
}

TEST(FaultTest, ReadErrors) {
  ExpectNone(CheckReadFaults(SimulatedUnderTest, PlanOf({.seed = 11, .steps = 60, .moments = 20})));
}

TEST(FaultTest, FailedSyncs) {
  ExpectNone(CheckSyncFaults(SimulatedUnderTest, PlanOf({.seed = 12, .steps = 60, .moments = 20})));
}

TEST(FaultTest, FailedManifests) {
  ExpectNone(
      CheckManifestFaults(SimulatedUnderTest, PlanOf({.seed = 13, .steps = 60, .moments = 20})));
}

TEST(FaultTest, ClockJumps) {
  ExpectNone(CheckClockJumps(SimulatedUnderTest, PlanOf({.seed = 14, .steps = 150, .moments = 6})));
}

TEST(FaultTest, EveryWriterOfAGroupLearnsOfItsError) {
  if (!SimulatedUnderTest({}).has.durable_on_return) GTEST_SKIP() << "promises nothing on return";
  ExpectNone(CheckFollowers(SimulatedUnderTest, PlanOf({.seed = 15, .moments = 12})));
}

}  // namespace
}  // namespace kv::testing
