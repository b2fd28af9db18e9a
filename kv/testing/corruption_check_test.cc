// The corruption test on stores of which it is known what it must find.
#include "kv/testing/corruption_check.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "kv/testing/engine_adapter.h"
#include "kv/testing/reference_store.h"

namespace kv::testing {
namespace {

template <typename Parts>
CorruptionReport Check(const CorruptionPlan& plan) {
  const auto store = [](const SimulatedEnvironment& environment) {
    return CompositionOf<ReferenceStore<SimulatedEnvironment, Parts>>("store", environment);
  };
  return CheckCorruption(store, plan);
}

TEST(CorruptionCheckTest, PassesASoundStoreAtEveryByte) {
  for (const uint64_t seed : {1, 2, 3}) {
    const CorruptionReport report = Check<SoundParts>({.history_seed = seed, .steps = 12});
    EXPECT_EQ(report.failures, std::vector<std::string>());
    EXPECT_GT(report.flips, 1000U);
    EXPECT_GT(report.refused, 0U);
  }
}

TEST(CorruptionCheckTest, AStrideLeavesBytesOut) {
  const CorruptionReport all = Check<SoundParts>({.steps = 12});
  const CorruptionReport some = Check<SoundParts>({.steps = 12, .stride = 16});
  EXPECT_LT(some.flips, all.flips / 8);
  EXPECT_GE(some.flips, 128U) << "both ends of the log";
}

struct Credulous : SoundParts {
  static constexpr bool kChecksRecords = false;
};
TEST(CorruptionCheckTest, RefusesAStoreThatChecksNoRecords) {
  const std::vector<std::string> failures = Check<Credulous>({}).failures;
  ASSERT_FALSE(failures.empty());
  EXPECT_NE(failures.front().find("that is no state of the history"), std::string::npos)
      << failures.front();
}

}  // namespace
}  // namespace kv::testing
