// The Values suite over the reference, then over the models, and over models that it must refuse.
#include "kv/values/conformance.h"

#include <gtest/gtest.h>

#include <string_view>

#include "kv/values/archetype.h"
#include "kv/values/concept.h"
#include "kv/values/inline.h"
#include "kv/values/separated.h"

namespace kv {
namespace {

template <typename V>
class ValuesConformanceTest : public ::testing::Test {};

using Models = ::testing::Types<
    ValuesArchetype, InlineValues, SeparatedValues<>,
    SeparatedValues<SeparatedShape{.min_bytes = 1, .max_garbage_percent = 0, .file_bytes = 1}>,
    SeparatedValues<SeparatedShape{.min_bytes = 4096, .max_garbage_percent = 99}>>;
TYPED_TEST_SUITE(ValuesConformanceTest, Models);

TYPED_TEST(ValuesConformanceTest, Conforms) {
  EXPECT_EQ(CheckValues<TypeParam>(), absl::OkStatus());
}

TEST(SeparatedValues, Bounds) {
  using V = SeparatedValues<SeparatedShape{.min_bytes = 100, .max_garbage_percent = 30}>;
  EXPECT_FALSE(V::Separates(99));
  EXPECT_TRUE(V::Separates(100));
  EXPECT_FALSE(V::IsCollected({.bytes = 1000, .garbage = 300}));
  EXPECT_TRUE(V::IsCollected({.bytes = 1000, .garbage = 301}));
  EXPECT_FALSE(V::IsCollected({.bytes = 10, .garbage = 3}));
  EXPECT_TRUE(V::IsCollected({.bytes = 10, .garbage = 4}));
}

// ---- Models that the suite refuses.

struct SeparatesOnlyTheMiddle : ValuesArchetype {
  static bool Separates(size_t bytes) { return bytes > 100 && bytes < 100'000; }
};
struct ChangesItsMind : ValuesArchetype {
  static bool Separates(size_t) {
    static bool last = false;
    return last = !last;
  }
};
struct SeparatesAfterAll : InlineValues {
  static bool Separates(size_t bytes) { return bytes > 100'000; }
};
struct CollectsForEver : ValuesArchetype {
  static bool IsCollected(const ValueFileUse&) { return true; }
};
struct NeverCollects : ValuesArchetype {
  static bool IsCollected(const ValueFileUse&) { return false; }
};
struct LikesALittleGarbage : ValuesArchetype {
  static bool IsCollected(const ValueFileUse& use) {
    return use.garbage == use.bytes ? use.bytes > 0
                                    : use.garbage > 0 && use.garbage < use.bytes / 2;
  }
};
struct Overflows : ValuesArchetype {
  static bool IsCollected(const ValueFileUse& use) { return use.garbage * 100 > use.bytes * 50; }
};
struct WithoutFiles : ValuesArchetype {
  static constexpr uint64_t kFileBytes = 0;
};

TEST(ValuesSuite, RefusesBrokenModels) {
  EXPECT_FALSE(CheckValues<SeparatesOnlyTheMiddle>().ok());
  EXPECT_FALSE(CheckValues<ChangesItsMind>().ok());
  EXPECT_FALSE(CheckValues<SeparatesAfterAll>().ok());
  EXPECT_FALSE(CheckValues<CollectsForEver>().ok());
  EXPECT_FALSE(CheckValues<NeverCollects>().ok());
  EXPECT_FALSE(CheckValues<LikesALittleGarbage>().ok());
  EXPECT_FALSE(CheckValues<Overflows>().ok());
  EXPECT_FALSE(CheckValues<WithoutFiles>().ok());
}

// ---- Types that the concept refuses.

struct WithoutCapability {
  static constexpr std::string_view kName = "without";
  static constexpr uint64_t kFileBytes = 1;
  static bool Separates(size_t) { return true; }
  static bool IsCollected(const ValueFileUse&) { return false; }
};
struct WithoutCollecting {
  static constexpr std::string_view kName = "without";
  static constexpr bool kSeparates = true;
  static constexpr uint64_t kFileBytes = 1;
  static bool Separates(size_t) { return true; }
};
static_assert(!Values<WithoutCapability>);
static_assert(!Values<WithoutCollecting>);

}  // namespace
}  // namespace kv
