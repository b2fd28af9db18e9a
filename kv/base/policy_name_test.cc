#include "kv/base/policy_name.h"

#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace kv {
namespace {

TEST(PolicyName, HasTheValuesInTheirOrder) {
  static_assert(kPolicyName<"hashed", 256> == "hashed<256>");
  EXPECT_EQ((kPolicyName<"leveled", 4, 0, 10>), "leveled<4,0,10>");
  EXPECT_EQ((kPolicyName<"zstd", -50>), "zstd<-50>");
}

TEST(PolicyName, LargeRoundValuesHaveUnits) {
  EXPECT_EQ((kPolicyName<"x", 4096>), "x<4096>");
  EXPECT_EQ((kPolicyName<"x", 65'535>), "x<65535>");
  EXPECT_EQ((kPolicyName<"x", 65'536>), "x<64K>");
  EXPECT_EQ((kPolicyName<"x", 65'537>), "x<65537>");
  EXPECT_EQ((kPolicyName<"x", 16 << 20>), "x<16M>");
  EXPECT_EQ((kPolicyName<"x", int64_t{5} << 40>), "x<5120G>");
}

TEST(PolicyName, HoldsEveryValue) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ((kPolicyName<"x", kMost, kMost>), "x<9223372036854775807,9223372036854775807>");
  EXPECT_EQ((kPolicyName<"x", kLeast>), "x<-8589934592G>");
}

}  // namespace
}  // namespace kv
