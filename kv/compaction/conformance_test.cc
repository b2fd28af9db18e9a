// The Compaction suite over the reference, then over the policies, and over policies that it must
// refuse.

#include "kv/compaction/conformance.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "kv/compaction/archetype.h"
#include "kv/compaction/choice.h"
#include "kv/compaction/concept.h"
#include "kv/compaction/leveled.h"
#include "kv/compaction/manual.h"

namespace kv {
namespace {

using SmallLeveled = LeveledCompaction<LeveledShape{.l0_trigger = 2,
                                                    .l0_slow = 3,
                                                    .l0_stop = 6,
                                                    .level1_bytes = 16,
                                                    .fanout = 2,
                                                    .file_bytes = 4,
                                                    .debt_slow_bytes = 16,
                                                    .debt_stop_bytes = 64}>;

// Compaction by hand of a range, as a policy, so that the same rules are checked.
struct ManualOfTheMiddle : SmallLeveled {
  static std::optional<Choice> Choose(const TreeShape& shape) {
    return ManualChoice(shape, "020", "070", 3 * kOutputFileBytes);
  }
};

struct ManualOfEverything : SmallLeveled {
  static std::optional<Choice> Choose(const TreeShape& shape) {
    return ManualChoice(shape, "", "", 3 * kOutputFileBytes);
  }
};

// By hand beside the policy.
struct ManualAndLeveled : SmallLeveled {
  static std::optional<Choice> Choose(const TreeShape& shape) {
    std::optional<Choice> choice = SmallLeveled::Choose(shape);
    return choice.has_value() ? choice : ManualOfTheMiddle::Choose(shape);
  }
};

template <typename P>
class CompactionConformanceTest : public testing::Test {};

using Policies = testing::Types<CompactionArchetype, SmallLeveled, ManualOfTheMiddle,
                                ManualOfEverything, ManualAndLeveled>;
TYPED_TEST_SUITE(CompactionConformanceTest, Policies);

TYPED_TEST(CompactionConformanceTest, Shapes) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const absl::Status status = CheckCompactionShapes<TypeParam>(seed);
    EXPECT_TRUE(status.ok()) << "seed " << seed << ": " << status;
  }
}

TYPED_TEST(CompactionConformanceTest, History) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const absl::Status status = CheckCompactionHistory<TypeParam>(seed);
    EXPECT_TRUE(status.ok()) << "seed " << seed << ": " << status;
  }
}

// ---- Policies that the suite refuses.

// Each spoils the choices of SmallLeveled in one way.
template <void (*kSpoil)(Choice&)>
struct Spoiled : SmallLeveled {
  static std::optional<Choice> Choose(const TreeShape& shape) {
    std::optional<Choice> choice = SmallLeveled::Choose(shape);
    if (choice.has_value()) kSpoil(*choice);
    return choice;
  }
};

void LeaveTheOldestOfLevel0(Choice& choice) {
  size_t in_level0 = 0;
  for (const CompactionInput& input : choice.inputs) in_level0 += input.level == 0 ? 1 : 0;
  if (in_level0 < 2) return;
  choice.inputs.erase(choice.inputs.begin() + static_cast<ptrdiff_t>(in_level0 - 1));
}
using LeavesTheOldestOfLevel0 = Spoiled<LeaveTheOldestOfLevel0>;

void LeaveTheOutputLevel(Choice& choice) {
  std::erase_if(choice.inputs,
                [&](const CompactionInput& input) { return input.level == choice.output_level; });
}
using LeavesTheOutputLevel = Spoiled<LeaveTheOutputLevel>;

void ClaimBottommost(Choice& choice) { choice.bottommost = true; }
using AlwaysBottommost = Spoiled<ClaimBottommost>;

void ClaimTrivial(Choice& choice) { choice.trivial_move = true; }
using AlwaysTrivial = Spoiled<ClaimTrivial>;

void SkipLevel(Choice& choice) { ++choice.output_level; }
using SkipsALevel = Spoiled<SkipLevel>;

// Believes that nobody else compacts.
struct IgnoresBusyFiles : SmallLeveled {
  static std::optional<Choice> Choose(TreeShape shape) {
    for (auto& level : shape.levels) {
      for (FileShape& file : level) file.being_compacted = false;
    }
    return SmallLeveled::Choose(shape);
  }
};

// Merges level 0 into itself for ever.
struct NeverEnds : CompactionArchetype {
  static std::optional<Choice> Choose(const TreeShape& shape) {
    if (shape.levels.empty() || shape.levels[0].size() < 2) return std::nullopt;
    Choice choice;
    for (const FileShape& file : shape.levels[0]) {
      if (file.being_compacted) return std::nullopt;
      choice.inputs.push_back({0, file.number});
    }
    choice.reason = "again";
    return choice;
  }
  static constexpr uint64_t kOutputFileBytes = 4;
};

struct NegativeDebt : SmallLeveled {
  static double WriteStallDebt(const TreeShape&) { return -1; }
};

template <typename P>
bool Refused() {
  bool refused = false;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    refused =
        refused || !CheckCompactionShapes<P>(seed).ok() || !CheckCompactionHistory<P>(seed).ok();
  }
  return refused;
}

TEST(CompactionSuite, RefusesBrokenPolicies) {
  EXPECT_TRUE(Refused<LeavesTheOldestOfLevel0>());
  EXPECT_TRUE(Refused<LeavesTheOutputLevel>());
  EXPECT_TRUE(Refused<AlwaysBottommost>());
  EXPECT_TRUE(Refused<AlwaysTrivial>());
  EXPECT_TRUE(Refused<SkipsALevel>());
  EXPECT_TRUE(Refused<IgnoresBusyFiles>());
  EXPECT_TRUE(Refused<NegativeDebt>());
  EXPECT_FALSE(CheckCompactionHistory<NeverEnds>(1).ok());
}

// The model itself sees what the rules would have refused.
TEST(TreeModel, SeesDeletedKeysComeBack) {
  TreeModel tree;
  tree.Flush({{"a", false}});
  Choice down{.inputs = {{0, 1}}, .output_level = 1, .trivial_move = true};
  tree.Start(down);
  ASSERT_TRUE(tree.Finish(0, 4).ok());
  down.output_level = 2;
  down.inputs = {{1, 1}};
  tree.Start(down);
  ASSERT_TRUE(tree.Finish(0, 4).ok());
  tree.Flush({{"a", true}});
  tree.Start({.inputs = {{0, 2}}, .output_level = 1, .bottommost = true});
  EXPECT_FALSE(tree.Finish(0, 4).ok());
}

TEST(TreeModel, SeesOlderDataAboveNewer) {
  TreeModel tree;
  tree.Flush({{"a", false}});
  tree.Flush({{"a", false}});
  tree.Start({.inputs = {{0, 2}}, .output_level = 1});
  EXPECT_FALSE(tree.Finish(0, 4).ok());
}

// ---- Types that the concept refuses.

struct ChoosesAlways : SmallLeveled {
  static Choice Choose(const TreeShape&) { return {}; }
};
struct WithoutDebt : SmallLeveled {
  static double WriteStallDebt(const TreeShape&) = delete;
};
static_assert(!Compaction<ChoosesAlways>);
static_assert(!Compaction<WithoutDebt>);

}  // namespace
}  // namespace kv
