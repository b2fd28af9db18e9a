// Leveled compaction against testdata/leveled (golden.h says how those files read), and what its
// choices end in.

#include "kv/compaction/leveled.h"

#include <cstdint>
#include <optional>
#include <random>

#include "gtest/gtest.h"
#include "kv/compaction/choice.h"
#include "kv/compaction/conformance.h"
#include "kv/compaction/golden.h"
#include "kv/compaction/manual.h"
#include "kv/compaction/tree_model.h"

namespace kv {
namespace {

using Policy = LeveledCompaction<LeveledShape{.l0_trigger = 4,
                                              .l0_slow = 8,
                                              .l0_stop = 16,
                                              .level1_bytes = 100,
                                              .fanout = 10,
                                              .file_bytes = 20,
                                              .debt_slow_bytes = 1'000,
                                              .debt_stop_bytes = 5'000}>;

TEST(LeveledCompaction, Golden) { CheckGolden<Policy>("kv/compaction/testdata/leveled", 12); }

TEST(LeveledCompaction, NameHasTheShape) {
  EXPECT_EQ(LeveledCompaction<>::kName, "leveled<4,12,36,64M,10,16M,1G,16G>");
  EXPECT_EQ(Policy::kName, "leveled<4,8,16,100,10,20,1000,5000>");
}

// After choices have run out, no level wants anything.
TEST(LeveledCompaction, EndsWithAllScoresBelowOne) {
  using Small = LeveledCompaction<LeveledShape{
      .l0_trigger = 2, .level1_bytes = 8, .fanout = 2, .file_bytes = 4}>;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    TreeModel tree;
    for (int i = 0; i < 40; ++i) tree.Flush(compaction_conformance::RandomFlush(random));
    for (int steps = 0;; ++steps) {
      ASSERT_LT(steps, 2'000);
      const std::optional<Choice> choice = Small::Choose(tree.Shape());
      if (!choice.has_value()) break;
      tree.Start(*choice);
      const absl::Status status = tree.Finish(0, Small::kOutputFileBytes);
      ASSERT_TRUE(status.ok()) << "seed " << seed << ": " << status;
    }
    for (const double score : Small::Scores(tree.Shape())) EXPECT_LT(score, 1.0) << "seed " << seed;
  }
}

// After compaction by hand, the range is in one level, and without tombstones.
TEST(ManualChoice, EndsInOneLevelWithoutTombstones) {
  using Small = LeveledCompaction<LeveledShape{
      .l0_trigger = 2, .level1_bytes = 8, .fanout = 2, .file_bytes = 4}>;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    TreeModel tree;
    for (int i = 0; i < 60; ++i) {
      tree.Flush(compaction_conformance::RandomFlush(random));
      if (const std::optional<Choice> choice = Small::Choose(tree.Shape()); choice.has_value()) {
        tree.Start(*choice);
        ASSERT_TRUE(tree.Finish(0, Small::kOutputFileBytes).ok());
      }
    }
    for (int steps = 0;; ++steps) {
      ASSERT_LT(steps, 2'000);
      const std::optional<Choice> choice = ManualChoice(tree.Shape(), "", "", 40);
      if (!choice.has_value()) break;
      tree.Start(*choice);
      const absl::Status status = tree.Finish(0, Small::kOutputFileBytes);
      ASSERT_TRUE(status.ok()) << "seed " << seed << ": " << status;
    }
    int levels = 0;
    uint64_t tombstones = 0;
    for (const auto& level : tree.Shape().levels) {
      levels += level.empty() ? 0 : 1;
      for (const FileShape& file : level) tombstones += file.tombstones;
    }
    EXPECT_EQ(levels, 1) << "seed " << seed;
    EXPECT_EQ(tombstones, 0u) << "seed " << seed;
  }
}

}  // namespace
}  // namespace kv
