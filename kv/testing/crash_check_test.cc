// The crash test on stores of which it is known what it must find.
#include "kv/testing/crash_check.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "kv/testing/crash_history.h"
#include "kv/testing/engine_adapter.h"
#include "kv/testing/reference_store.h"

namespace kv::testing {
namespace {

template <typename Parts>
Composition StoreOn(const SimulatedEnvironment& environment) {
  return CompositionOf<ReferenceStore<SimulatedEnvironment, Parts>>("store", environment);
}

// Promises and does not sync.
struct UnsyncedPromise : SoundParts {
  static constexpr bool kSyncsEachWrite = false;
};
struct BatchesInPieces : SoundParts {
  static constexpr bool kBatchIsOneRecord = false;
};
struct RenamesBeforeSync : SoundParts {
  static constexpr bool kSyncsBeforeRename = false;
};
// Without a sync on each write, what a crash tears has to be found by its checksum.
struct Credulous : UnsyncedParts {
  static constexpr bool kChecksRecords = false;
};

struct LoadsWithoutSync : UnsyncedParts {
  static constexpr bool kSyncsBulkLoads = false;
};
struct CopiesWithoutSync : SoundParts {
  static constexpr bool kSyncsCheckpoints = false;
};

constexpr CrashPlan kEveryMoment = {.history_seed = 1, .steps = 60};

template <typename Parts>
void ExpectPasses() {
  EXPECT_EQ(CheckCrashes(StoreOn<Parts>, kEveryMoment).failures, std::vector<std::string>());
  EXPECT_EQ(CheckCrashes(StoreOn<Parts>, {.history_seed = 2, .moments = 25, .seeds = 3}).failures,
            std::vector<std::string>());
  EXPECT_EQ(CheckFaults(StoreOn<Parts>, {.history_seed = 3, .moments = 20}).failures,
            std::vector<std::string>());
}

TEST(CrashHistoryTest, IsAFunctionOfItsSeed) {
  const std::vector<CrashStep> steps = MakeCrashSteps(7, 40);
  const std::vector<CrashStep> again = MakeCrashSteps(7, 40);
  ASSERT_EQ(steps.size(), 40U);
  ASSERT_EQ(again.size(), 40U);
  for (size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(steps[i].kind, again[i].kind);
    EXPECT_EQ(steps[i].after, again[i].after);
  }
  EXPECT_NE(MakeCrashSteps(8, 40).back().after, steps.back().after);
}

TEST(CrashCheckTest, PassesASoundStore) { ExpectPasses<SoundParts>(); }

TEST(CrashCheckTest, PassesAStoreThatPromisesAPrefix) { ExpectPasses<UnsyncedParts>(); }

template <typename Parts>
void ExpectRefused() {
  const std::vector<std::string> failures = CheckCrashes(StoreOn<Parts>, kEveryMoment).failures;
  ASSERT_FALSE(failures.empty());
  EXPECT_NE(failures.front().find("history seed 1, power cut after"), std::string::npos)
      << failures.front();
}

TEST(CrashCheckTest, RefusesPromisesWithoutSync) { ExpectRefused<UnsyncedPromise>(); }

TEST(CrashCheckTest, RefusesBatchesInPieces) { ExpectRefused<BatchesInPieces>(); }

TEST(CrashCheckTest, RefusesRenameBeforeSync) { ExpectRefused<RenamesBeforeSync>(); }

TEST(CrashCheckTest, RefusesBulkLoadsWithoutSync) { ExpectRefused<LoadsWithoutSync>(); }

TEST(CrashCheckTest, RefusesCheckpointsWithoutSync) { ExpectRefused<CopiesWithoutSync>(); }

TEST(CrashCheckTest, RefusesTornRecordsTakenForData) { ExpectRefused<Credulous>(); }

}  // namespace
}  // namespace kv::testing
