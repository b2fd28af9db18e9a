// Leveled compaction against testdata/*.txt: tree shapes and the choices expected for them.
//
// A file is a list of cases. `#` begins a comment, `case` a case with an empty tree. Then levels:
//
//   L1 3:20:a-f 4:20:g-p* 5:20:q-z~7
//
// are three files of level 1: number, bytes, first and last key; `*` is being compacted, `~7` has
// seven tombstones among its entries (one a byte). Then commands, each followed by the answer,
// indented:
//
//   choose              what the policy would do
//   compact FROM TO     what ManualChoice would do for [FROM, TO); `-` is no bound; steps of 40
//   bytes stall               the write stall debt
//
// A choice reads "sources + files of the output level -> output level", then what is special.
// With KV_REWRITE_GOLDEN=1 in the environment the files are rewritten with the answers given.

#include "kv/compaction/leveled.h"

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "kv/compaction/choice.h"
#include "kv/compaction/conformance.h"
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

// Runfiles and the root of the repository have the same layout.
constexpr char kDirectory[] = "kv/compaction/testdata";

FileShape ParseFile(const std::string& text) {
  FileShape file;
  std::string_view rest = text;
  const auto take = [&rest](char until) {
    const std::string_view token = rest.substr(0, rest.find(until));
    rest.remove_prefix(std::min(rest.size(), token.size() + 1));
    return std::string(token);
  };
  if (rest.back() == '*') {
    file.being_compacted = true;
    rest.remove_suffix(1);
  }
  file.number = std::stoull(take(':'));
  file.bytes = file.entries = std::stoull(take(':'));
  file.smallest = take('-');
  file.largest = take('~');
  if (!rest.empty()) file.tombstones = std::stoull(std::string(rest));
  return file;
}

std::string Show(const std::optional<Choice>& choice) {
  if (!choice.has_value()) return "nothing";
  std::string text;
  int level = -1;
  for (const CompactionInput& input : choice->inputs) {
    if (input.level != level) text += fmt::format("{}L{}", level < 0 ? "" : " + ", input.level);
    level = input.level;
    text += fmt::format(" {}", input.file);
  }
  text += fmt::format(" -> L{}", choice->output_level);
  if (choice->trivial_move) text += ", move";
  if (choice->bottommost) text += ", bottommost";
  return text + fmt::format(" ({}, score {:.2f})", choice->reason, choice->score);
}

std::string Answer(const TreeShape& shape, const std::string& line) {
  std::istringstream words(line);
  std::string command;
  words >> command;
  if (command == "choose") {
    const std::optional<Choice> choice = Policy::Choose(shape);
    if (choice.has_value()) {
      const absl::Status status = CheckChoice(shape, *choice, Policy::kMaxLevels);
      EXPECT_TRUE(status.ok()) << line << ": " << status;
    }
    return Show(choice);
  }
  if (command == "stall") return fmt::format("{:.3f}", Policy::WriteStallDebt(shape));
  if (command == "compact") {
    std::string begin;
    std::string end;
    words >> begin >> end;
    const std::optional<Choice> choice =
        ManualChoice(shape, begin == "-" ? "" : begin, end == "-" ? "" : end, 40);
    if (choice.has_value()) {
      const absl::Status status = CheckChoice(shape, *choice, Policy::kMaxLevels);
      EXPECT_TRUE(status.ok()) << line << ": " << status;
    }
    return Show(choice);
  }
  ADD_FAILURE() << "unknown command: " << line;
  return "";
}

// The text of a golden file with the answers given, and the number of its cases.
std::string Replay(std::istream& golden, int* cases) {
  std::string replayed;
  TreeShape shape;
  for (std::string line; std::getline(golden, line);) {
    if (line.starts_with("  ")) continue;  // an answer; ours stands there already
    replayed += line + "\n";
    if (line.empty() || line.starts_with("#")) continue;
    if (line.starts_with("case ")) {
      shape = TreeShape();
      ++*cases;
    } else if (line.starts_with("L")) {
      std::istringstream words(line.substr(1));
      size_t level = 0;
      words >> level;
      if (shape.levels.size() <= level) shape.levels.resize(level + 1);
      for (std::string file; words >> file;) shape.levels[level].push_back(ParseFile(file));
    } else {
      replayed += "  " + Answer(shape, line) + "\n";
    }
  }
  return replayed;
}

TEST(LeveledCompaction, Golden) {
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory)) {
    if (entry.path().extension() != ".txt") continue;
    std::stringstream golden;
    golden << std::ifstream(entry.path()).rdbuf();
    const std::string replayed = Replay(golden, &cases);
    if (std::getenv("KV_REWRITE_GOLDEN") != nullptr) {
      std::ofstream(entry.path()) << replayed;
    } else {
      EXPECT_EQ(replayed, golden.str()) << entry.path();
    }
  }
  EXPECT_GE(cases, 12) << "is " << kDirectory << " there?";
}

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
