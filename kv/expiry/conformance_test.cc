// The Expiry suite over the reference, then over the models, and over models that it must refuse.

#include "kv/expiry/conformance.h"

#include <cstdint>
#include <string_view>

#include "gtest/gtest.h"
#include "kv/contract/record.h"
#include "kv/expiry/absolute.h"
#include "kv/expiry/archetype.h"
#include "kv/expiry/concept.h"
#include "kv/expiry/none.h"

namespace kv {
namespace {

template <typename E>
class ExpiryConformanceTest : public testing::Test {};

using Expiries = testing::Types<ExpiryArchetype, NoExpiry, AbsoluteExpiry>;
TYPED_TEST_SUITE(ExpiryConformanceTest, Expiries);

TYPED_TEST(ExpiryConformanceTest, KeepsTheContract) {
  const absl::Status status = CheckExpiry<TypeParam>();
  EXPECT_TRUE(status.ok()) << status;
}

// ---- Models that the suite refuses.

struct OneMillisecondLate : AbsoluteExpiry {
  static bool Expired(uint64_t expires_at, uint64_t now) {
    return expires_at != kNeverExpires && expires_at < now;
  }
};

struct NeverMeansAtOnce : AbsoluteExpiry {
  static bool Expired(uint64_t expires_at, uint64_t now) { return expires_at <= now; }
};

struct DisabledButExpires : AbsoluteExpiry {
  static constexpr bool kEnabled = false;
};

struct EnabledButIgnores : NoExpiry {
  static constexpr bool kEnabled = true;
};

TEST(ExpirySuite, RefusesBrokenModels) {
  EXPECT_FALSE(CheckExpiry<OneMillisecondLate>().ok());
  EXPECT_FALSE(CheckExpiry<NeverMeansAtOnce>().ok());
  EXPECT_FALSE(CheckExpiry<DisabledButExpires>().ok());
  EXPECT_FALSE(CheckExpiry<EnabledButIgnores>().ok());
}

// ---- Types that the concept refuses.

struct WithoutName {
  static bool Expired(uint64_t, uint64_t) { return false; }
};
struct WithoutExpired {
  static constexpr std::string_view kName = "without expired";
  static constexpr bool kEnabled = true;
};
static_assert(!Expiry<WithoutName>);
static_assert(!Expiry<WithoutExpired>);

}  // namespace
}  // namespace kv
