// The crash test of the composition that this is linked with. ASHLAR_HISTORIES=<n> in the
// environment asks for more histories.
#include <malloc.h>

#include <climits>
#include <cstdlib>

#include "gtest/gtest.h"
#include "kv/testing/corruption_check.h"
#include "kv/testing/crash_check.h"
#include "kv/testing/full_disk_check.h"
#include "kv/testing/simulated_under_test.h"

namespace kv::testing {
namespace {

void ExpectNone(const CrashReport& report) {
  for (const std::string& failure : report.failures) ADD_FAILURE() << failure;
}

uint64_t Histories() {
  const char* const asked = std::getenv("ASHLAR_HISTORIES");
  return asked == nullptr ? 3 : std::strtoull(asked, nullptr, 10);
}

TEST(CrashTest, EveryMomentOfAShortHistory) {
  ExpectNone(CheckCrashes(SimulatedUnderTest, {.history_seed = 1, .steps = 40}));
}

TEST(CrashTest, SomeMomentsOfManyHistories) {
  for (uint64_t seed = 2; seed < 2 + Histories() && !::testing::Test::HasFailure(); ++seed) {
    ExpectNone(CheckCrashes(SimulatedUnderTest, {.history_seed = seed, .moments = 20, .seeds = 2}));
  }
}

TEST(CrashTest, FailedFileOperations) {
  for (uint64_t seed = 101; seed < 101 + Histories() && !::testing::Test::HasFailure(); ++seed) {
    ExpectNone(CheckFaults(SimulatedUnderTest, {.history_seed = seed, .moments = 5}));
  }
}

TEST(CrashTest, FullDisk) {
  uint64_t refusals = 0;
  for (uint64_t seed = 201; seed < 201 + Histories() && !::testing::Test::HasFailure(); ++seed) {
    const FullDiskReport report =
        CheckFullDisk(SimulatedUnderTest, {.history_seed = seed, .steps = 60, .moments = 40});
    for (const std::string& failure : report.failures) ADD_FAILURE() << failure;
    refusals += report.refusals;
  }
  EXPECT_GT(refusals, 0u) << "the disk was never full for anybody";
}

TEST(CrashTest, FlippedBits) {
  for (const StoreEnd end : {StoreEnd::kClosed, StoreEnd::kKilled}) {
    const CorruptionReport report =
        CheckCorruption(SimulatedUnderTest, {.history_seed = 301, .end = end, .stride = 11});
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
