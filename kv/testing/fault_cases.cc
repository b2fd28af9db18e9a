// The faults of the environment over the composition that the crash test is linked with (sizes.h).
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "kv/testing/composition_under_test.h"
#include "kv/testing/fault_check.h"
#include "kv/testing/sizes.h"

namespace kv::testing {
namespace {

using FaultCheck = std::vector<std::string> (*)(const SimulatedFactory&, const FaultPlan&);

void ExpectNone(const Runs& runs, FaultCheck check) {
  for (const uint64_t seed : runs.Seeds()) {
    const FaultPlan plan = {.seed = seed, .steps = runs.steps, .moments = runs.moments};
    for (const std::string& failure : check(SimulatedUnderTest, plan)) ADD_FAILURE() << failure;
  }
}

TEST(FaultTest, ReadErrors) { ExpectNone(kReadFaults, CheckReadFaults); }

TEST(FaultTest, FailedSyncs) { ExpectNone(kSyncFaults, CheckSyncFaults); }

TEST(FaultTest, FailedManifests) { ExpectNone(kManifestFaults, CheckManifestFaults); }

TEST(FaultTest, ClockJumps) { ExpectNone(kClockJumps, CheckClockJumps); }

TEST(FaultTest, EveryWriterOfAGroupLearnsOfItsError) {
  if (!SimulatedUnderTest({}).has.durable_on_return) GTEST_SKIP() << "promises nothing on return";
  ExpectNone(kFollowers, CheckFollowers);
}

}  // namespace
}  // namespace kv::testing
