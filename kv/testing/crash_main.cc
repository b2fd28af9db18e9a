// The crash test of the composition that this is linked with (sizes.h).
#include <malloc.h>

#include <climits>

#include "gtest/gtest.h"
#include "kv/testing/composition_under_test.h"
#include "kv/testing/corruption_check.h"
#include "kv/testing/crash_check.h"
#include "kv/testing/full_disk_check.h"
#include "kv/testing/sizes.h"

namespace kv::testing {
namespace {

void ExpectNone(const CrashReport& report) {
  for (const std::string& failure : report.failures) ADD_FAILURE() << failure;
}

// Each seed, until a run from one fails.
template <typename Run>
void ForEachSeed(const Runs& runs, Run&& run) {
  for (const uint64_t seed : runs.Seeds()) {
    if (::testing::Test::HasFailure()) return;
    run(CrashPlan{.history_seed = seed,
                  .steps = runs.steps,
                  .moments = runs.moments,
                  .seeds = runs.outcomes});
  }
}

TEST(CrashTest, EveryMomentOfAShortHistory) {
  ForEachSeed(kEveryCrash,
              [](const CrashPlan& plan) { ExpectNone(CheckCrashes(SimulatedUnderTest, plan)); });
}

TEST(CrashTest, SomeMomentsOfManyHistories) {
  ForEachSeed(kSomeCrashes,
              [](const CrashPlan& plan) { ExpectNone(CheckCrashes(SimulatedUnderTest, plan)); });
}

TEST(CrashTest, FailedFileOperations) {
  ForEachSeed(kFailedOperations,
              [](const CrashPlan& plan) { ExpectNone(CheckFaults(SimulatedUnderTest, plan)); });
}

TEST(CrashTest, FullDisk) {
  uint64_t refusals = 0;
  ForEachSeed(kFullDisks, [&refusals](const CrashPlan& plan) {
    const FullDiskReport report = CheckFullDisk(
        SimulatedUnderTest,
        {.history_seed = plan.history_seed, .steps = plan.steps, .moments = plan.moments});
    for (const std::string& failure : report.failures) ADD_FAILURE() << failure;
    refusals += report.refusals;
  });
  EXPECT_GT(refusals, 0u) << "the disk was never full for anybody";
}

TEST(CrashTest, FlippedBits) {
  for (const StoreEnd end : {StoreEnd::kClosed, StoreEnd::kKilled}) {
    const CorruptionReport report =
        CheckCorruption(SimulatedUnderTest, {.history_seed = kFlips.first_seed,
                                             .steps = kFlips.steps,
                                             .end = end,
                                             .stride = kFlipStride});
    for (const std::string& failure : report.failures) ADD_FAILURE() << failure;
    EXPECT_GT(report.refused, 0u);
  }
}

}  // namespace
}  // namespace kv::testing

int main(int argc, char** argv) {
  // A simulated disk is copied for each crash, files of some 100 KiB and all. Left to itself malloc
  // maps and unmaps memory for each, and three quarters of the test are page faults.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
