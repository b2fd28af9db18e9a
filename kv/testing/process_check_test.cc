// The checks that need a kernel, on a store that is right and on two that are not.
#include "kv/testing/process_check.h"

#include <filesystem>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "kv/testing/engine_adapter.h"
#include "kv/testing/reference_store.h"

namespace kv::testing {
namespace {

TEST(ProcessCheckTest, PassesASoundStore) {
  const Composition sound = CompositionOf<ReferenceStore<>>("sound");
  EXPECT_EQ(CheckDescriptors(sound), std::vector<std::string>());
  EXPECT_EQ(CheckTwoProcesses(sound), std::vector<std::string>());
}

// A lock file that is there is taken for one that a dead process has left.
TEST(ProcessCheckTest, RefusesALockThatIsRemoved) {
  Composition broken = CompositionOf<ReferenceStore<>>("broken");
  broken.open = [open = broken.open](const Options& options) {
    std::filesystem::remove(options.directory + "/lock");
    return open(options);
  };
  EXPECT_FALSE(CheckTwoProcesses(broken).empty());
}

TEST(ProcessCheckTest, RefusesAnErrorThatDoesNotSayWhatIsWanting) {
  Composition broken = CompositionOf<ReferenceStore<>>("broken");
  broken.open =
      [open = broken.open](const Options& options) -> absl::StatusOr<std::unique_ptr<AnyEngine>> {
    auto store = open(options);
    if (!store.ok()) return absl::UnavailableError("the store does not open");
    return store;
  };
  EXPECT_FALSE(CheckDescriptors(broken).empty());
}

}  // namespace
}  // namespace kv::testing
