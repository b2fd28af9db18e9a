// The Merge suite over the reference, then over the models, and over models that it must refuse.
#include "kv/merge/conformance.h"

#include <optional>
#include <string_view>

#include "gtest/gtest.h"
#include "kv/merge/archetype.h"
#include "kv/merge/concept.h"
#include "kv/merge/dead_ratio.h"

namespace kv {
namespace {

template <typename M>
class MergeConformanceTest : public testing::Test {};

using Merges =
    testing::Types<MergeArchetype, DeadRatioMerge<>,
                   DeadRatioMerge<DeadRatioShape{.min_dead_fraction = 0.1, .small_run = 2}>>;
TYPED_TEST_SUITE(MergeConformanceTest, Merges);

TYPED_TEST(MergeConformanceTest, KeepsTheContract) {
  const absl::Status status = CheckMerge<TypeParam>();
  EXPECT_TRUE(status.ok()) << status;
}

// ---- Models that the suite refuses.

struct BeyondTheEnd : MergeArchetype {
  static std::optional<MergeChoice> Choose(const LogShape& shape) {
    if (shape.segments.empty()) return std::nullopt;
    return MergeChoice{.first = shape.segments.size() - 1, .count = 2};
  }
};

struct Everything : MergeArchetype {
  static std::optional<MergeChoice> Choose(const LogShape& shape) {
    if (shape.segments.size() < 2) return std::nullopt;
    return MergeChoice{.first = 0, .count = shape.segments.size()};
  }
};

struct WithoutGain : MergeArchetype {
  static std::optional<MergeChoice> Choose(const LogShape& shape) {
    if (shape.segments.empty()) return std::nullopt;
    return MergeChoice{.first = 0, .count = 1};
  }
};

struct Fickle : MergeArchetype {
  static std::optional<MergeChoice> Choose(const LogShape& shape) {
    static bool turn = false;
    turn = !turn;
    return turn ? MergeArchetype::Choose(shape) : std::nullopt;
  }
};

struct Cliff : MergeArchetype {
  static double WriteStallDebt(const LogShape& shape) {
    return MergeArchetype::Choose(shape).has_value() ? 1 : 0;
  }
};

struct MoreThanAll : MergeArchetype {
  static double WriteStallDebt(const LogShape&) { return 1.5; }
};

TEST(MergeSuite, RefusesBrokenModels) {
  EXPECT_FALSE(CheckMerge<BeyondTheEnd>().ok());
  EXPECT_FALSE(CheckMerge<Everything>().ok());
  EXPECT_FALSE(CheckMerge<WithoutGain>().ok());
  EXPECT_FALSE(CheckMerge<Fickle>().ok());
  EXPECT_FALSE(CheckMerge<Cliff>().ok());
  EXPECT_FALSE(CheckMerge<MoreThanAll>().ok());
}

// ---- Types that the concept refuses.

struct WithoutName {
  static std::optional<MergeChoice> Choose(const LogShape&) { return std::nullopt; }
  static double WriteStallDebt(const LogShape&) { return 0; }
};
struct WithoutDebt {
  static constexpr std::string_view kName = "without debt";
  static std::optional<MergeChoice> Choose(const LogShape&) { return std::nullopt; }
};
static_assert(!Merge<WithoutName>);
static_assert(!Merge<WithoutDebt>);

}  // namespace
}  // namespace kv
