// The full disk test on stores of which it is known what it must find.
#include "kv/testing/full_disk_check.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "kv/testing/engine_adapter.h"
#include "kv/testing/reference_store.h"

namespace kv::testing {
namespace {

template <typename Parts>
FullDiskReport Check() {
  const auto store = [](const SimulatedEnvironment& environment) {
    return CompositionOf<ReferenceStore<SimulatedEnvironment, Parts>>("store", environment);
  };
  return CheckFullDisk(store, {.history_seed = 1, .steps = 60, .moments = 20});
}

template <typename Parts>
void ExpectPasses() {
  const FullDiskReport report = Check<Parts>();
  EXPECT_EQ(report.failures, std::vector<std::string>());
  EXPECT_GE(report.fillings, 15U);
  EXPECT_GE(report.refusals, 20U);
}

template <typename Parts>
void ExpectRefused(std::string_view words) {
  const std::vector<std::string> failures = Check<Parts>().failures;
  ASSERT_FALSE(failures.empty());
  EXPECT_NE(failures.front().find(words), std::string::npos) << failures.front();
}

TEST(FullDiskCheckTest, PassesASoundStore) { ExpectPasses<SoundParts>(); }

TEST(FullDiskCheckTest, PassesAStoreThatPromisesAPrefix) { ExpectPasses<UnsyncedParts>(); }

struct StopsForGood : SoundParts {
  static constexpr bool kGoesOnAfterFullDisk = false;
};
TEST(FullDiskCheckTest, RefusesAStoreThatStopsForGood) {
  ExpectRefused<StopsForGood>("the store takes no writes until it is opened again");
}

struct BringsRefusedWritesBack : SoundParts {
  static constexpr bool kForgetsRefused = false;
};
TEST(FullDiskCheckTest, RefusesRefusedWritesThatComeBack) {
  ExpectRefused<BringsRefusedWritesBack>("the store shows no state after");
}

struct ShowsRefusedWrites : SoundParts {
  static constexpr bool kShowsRefused = true;
};
TEST(FullDiskCheckTest, RefusesRefusedWritesThatAreSeen) {
  ExpectRefused<ShowsRefusedWrites>("the store shows no state after");
}

}  // namespace
}  // namespace kv::testing
