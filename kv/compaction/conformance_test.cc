// The Compaction suite over the reference, then over the policies, and over policies that it must
// refuse.

#include "kv/compaction/conformance.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "kv/compaction/archetype.h"
#include "kv/compaction/choice.h"
#include "kv/compaction/concept.h"
#include "kv/compaction/fifo.h"
#include "kv/compaction/lazy_leveled.h"
#include "kv/compaction/leveled.h"
#include "kv/compaction/manual.h"
#include "kv/compaction/none.h"
#include "kv/compaction/tiered.h"

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

using SmallTiered = TieredCompaction<TieredShape{.l0_trigger = 2,
                                                 .l0_slow = 3,
                                                 .l0_stop = 6,
                                                 .runs = 2,
                                                 .tiers = 3,
                                                 .run_bytes = 4,
                                                 .file_bytes = 4}>;

using WideTiered = TieredCompaction<TieredShape{.l0_trigger = 1,
                                                .l0_slow = 3,
                                                .l0_stop = 6,
                                                .runs = 4,
                                                .tiers = 2,
                                                .run_bytes = 8,
                                                .file_bytes = 3}>;

using SmallLazyLeveled = LazyLeveledCompaction<LazyLeveledShape{.l0_trigger = 2,
                                                                .l0_slow = 3,
                                                                .l0_stop = 6,
                                                                .runs = 2,
                                                                .tiers = 3,
                                                                .last_ratio = 1,
                                                                .run_bytes = 4,
                                                                .file_bytes = 4,
                                                                .step_bytes = 8}>;

using SmallFifo = FifoCompaction<FifoShape{.max_bytes = 30, .file_bytes = 4}>;

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

// A tree that several policies have worked on: which of them does next depends on the newest file.
struct ChangingPolicies : SmallTiered {
  static constexpr int kMaxLevels = 8;

  static std::optional<Choice> Choose(const TreeShape& shape) {
    uint64_t newest = 0;
    for (const auto& level : shape.levels) {
      for (const FileShape& file : level) newest = std::max(newest, file.number);
    }
    switch (newest / 50 % 4) {
      case 0:
        return SmallLeveled::Choose(shape);
      case 1:
        return SmallTiered::Choose(shape);
      case 2:
        return ManualOfTheMiddle::Choose(shape);
      default:
        return SmallLazyLeveled::Choose(shape);
    }
  }
};

using Policies = testing::Types<CompactionArchetype, SmallLeveled, SmallTiered, WideTiered,
                                SmallLazyLeveled, SmallFifo, ManualOfTheMiddle, ManualOfEverything,
                                ManualAndLeveled, ChangingPolicies>;
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

// Has nothing to choose, which the suite of shapes would refuse.
TEST(NoCompaction, LeavesEverythingAsItIs) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 100; ++round) {
    const TreeShape shape = compaction_conformance::RandomShape(random, NoCompaction::kMaxLevels);
    EXPECT_FALSE(NoCompaction::Choose(shape).has_value());
    EXPECT_EQ(NoCompaction::WriteStallDebt(shape), 0);
  }
  EXPECT_TRUE(CheckCompactionHistory<NoCompaction>(1).ok());
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

void DropInstead(Choice& choice) {
  choice.drop = true;
  choice.trivial_move = choice.bottommost = false;
}
using DropsWhatItShouldMerge = Spoiled<DropInstead>;

// Drops the newest file, and so brings back what it had hidden.
struct DropsTheNewest : SmallFifo {
  static std::optional<Choice> Choose(const TreeShape& shape) {
    std::optional<Choice> choice = SmallFifo::Choose(shape);
    if (!choice.has_value() || shape.levels[0].empty()) return choice;
    choice->inputs = {{0, shape.levels[0].front().number}};
    return choice;
  }
};

struct MovesWhatItDrops : SmallFifo {
  static std::optional<Choice> Choose(const TreeShape& shape) {
    std::optional<Choice> choice = SmallFifo::Choose(shape);
    if (choice.has_value()) choice->trivial_move = true;
    return choice;
  }
};

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

// At full speed up to a number of files, and then not at all.
struct Cliff : SmallLeveled {
  static double WriteStallDebt(const TreeShape& shape) {
    return shape.levels.front().size() < 20 ? 0 : 1;
  }
};

// RocksDB 9423: writes went at full speed until they were stopped for minutes, because the stage in
// which they are slowed was skipped. 1966: the rate of slowed writes was lowered again and again
// and did not rise when compaction had caught up. Rule: the delay follows from what there is to do
// now, from nothing at all to a full stop in small steps. (What a debt costs a write: StallsTest.)
TEST(KnownBugs, RocksDb9423And1966_WritesMeetASlopeAndNotACliff) {
  constexpr double kLargestStep = 0.05;
  constexpr uint64_t kFileBytes = uint64_t{16} << 20;
  EXPECT_EQ((CheckCompactionDebt<LeveledCompaction<>>(kLargestStep, kFileBytes)), absl::OkStatus());
  EXPECT_EQ((CheckCompactionDebt<TieredCompaction<>>(kLargestStep, kFileBytes)), absl::OkStatus());
  EXPECT_EQ((CheckCompactionDebt<LazyLeveledCompaction<>>(kLargestStep, kFileBytes)),
            absl::OkStatus());
  EXPECT_EQ((CheckCompactionDebt<FifoCompaction<>>(kLargestStep, kFileBytes)), absl::OkStatus());
  EXPECT_FALSE(CheckCompactionDebt<Cliff>(kLargestStep, kFileBytes).ok());
  EXPECT_FALSE(CheckCompactionDebt<NoCompaction>(kLargestStep, kFileBytes).ok());
}

TEST(CompactionSuite, RefusesBrokenPolicies) {
  EXPECT_TRUE(Refused<LeavesTheOldestOfLevel0>());
  EXPECT_TRUE(Refused<LeavesTheOutputLevel>());
  EXPECT_TRUE(Refused<AlwaysBottommost>());
  EXPECT_TRUE(Refused<AlwaysTrivial>());
  EXPECT_TRUE(Refused<SkipsALevel>());
  EXPECT_TRUE(Refused<IgnoresBusyFiles>());
  EXPECT_TRUE(Refused<DropsWhatItShouldMerge>());
  EXPECT_TRUE(Refused<DropsTheNewest>());
  EXPECT_TRUE(Refused<MovesWhatItDrops>());
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

TEST(TreeModel, SeesDroppedFilesUncoverOlderOnes) {
  TreeModel tree;
  tree.Flush({{"a", false}});
  tree.Flush({{"a", false}});
  Choice drop{.inputs = {{0, 1}}, .drop = true};
  tree.Start(drop);
  EXPECT_TRUE(tree.Finish(0, 4).ok());
  EXPECT_EQ(tree.LiveKeys(), 1u);
  tree.Flush({{"a", false}});
  drop.inputs = {{0, 3}};
  tree.Start(drop);
  EXPECT_FALSE(tree.Finish(0, 4).ok());
  EXPECT_EQ(tree.LiveKeys(), 0u);
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
