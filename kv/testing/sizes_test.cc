#include "kv/testing/sizes.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ranges>

namespace kv::testing {
namespace {

TEST(SizesTest, TheScaleMakesMoreRunsFromOtherSeeds) {
  constexpr Runs kThree = {.first_seed = 5, .runs = 3};
  ASSERT_EQ(::unsetenv("ASHLAR_SCALE"), 0);
  EXPECT_EQ(std::ranges::distance(kThree.Seeds()), 3);
  EXPECT_EQ(*kThree.Seeds().begin(), 5u);
  ASSERT_EQ(::setenv("ASHLAR_SCALE", "4", 1), 0);
  EXPECT_EQ(std::ranges::distance(kThree.Seeds()), 12);
  for (const char* const nonsense : {"", "0", "many"}) {
    ASSERT_EQ(::setenv("ASHLAR_SCALE", nonsense, 1), 0);
    EXPECT_EQ(TestScale(), 1u) << nonsense;
  }
}

}  // namespace
}  // namespace kv::testing
