// Golden tests of compaction policies: tree shapes in text, and the choices expected for them.
//
// A file is a list of cases. `#` begins a comment, `case` a case with an empty tree. Then levels:
//
//   L1 3:20:a-f 4:20:g-p* 5:20:q-z~7 6:20:z-z@50
//
// are four files of level 1: number, bytes, first and last key; `*` is being compacted, `~7` has
// seven tombstones among its entries (one a byte), `@50` has expired at 50. `now 60` sets the time.
// Then commands, each followed by the answer, indented:
//
//   choose              what the policy would do
//   compact FROM TO     what ManualChoice would do for [FROM, TO); `-` is no bound; steps of 40
//                       bytes
//   stall               the write stall debt
//
// A choice reads "sources + files of the output level -> output level", then what is special.
// With KV_REWRITE_GOLDEN=1 in the environment the files are rewritten with the answers given.
#ifndef KV_COMPACTION_GOLDEN_H_
#define KV_COMPACTION_GOLDEN_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <istream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "kv/compaction/choice.h"
#include "kv/compaction/concept.h"
#include "kv/compaction/conformance.h"
#include "kv/compaction/manual.h"

namespace kv {

namespace compaction_golden {

inline FileShape ParseFile(std::string_view text) {
  FileShape file;
  if (const size_t at = text.find('@'); at != std::string_view::npos) {
    file.latest_expiry = std::stoull(std::string(text.substr(at + 1)));
    text = text.substr(0, at);
  }
  if (text.back() == '*') {
    file.being_compacted = true;
    text.remove_suffix(1);
  }
  const auto take = [&text](char until) {
    const std::string_view token = text.substr(0, text.find(until));
    text.remove_prefix(std::min(text.size(), token.size() + 1));
    return std::string(token);
  };
  file.number = std::stoull(take(':'));
  file.bytes = file.entries = std::stoull(take(':'));
  file.smallest = take('-');
  file.largest = take('~');
  if (!text.empty()) file.tombstones = std::stoull(std::string(text));
  return file;
}

inline std::string Show(const std::optional<Choice>& choice) {
  if (!choice.has_value()) return "nothing";
  std::string text;
  int level = -1;
  for (const CompactionInput& input : choice->inputs) {
    if (input.level != level) text += fmt::format("{}L{}", level < 0 ? "" : " + ", input.level);
    level = input.level;
    text += fmt::format(" {}", input.file);
  }
  text += choice->drop ? " -> dropped" : fmt::format(" -> L{}", choice->output_level);
  if (choice->trivial_move) text += ", move";
  if (choice->bottommost) text += ", bottommost";
  return text + fmt::format(" ({}, score {:.2f})", choice->reason, choice->score);
}

template <Compaction P>
std::string Answer(const TreeShape& shape, const std::string& line) {
  std::istringstream words(line);
  std::string command;
  std::string begin;
  std::string end;
  words >> command >> begin >> end;
  if (command == "stall") return fmt::format("{:.3f}", P::WriteStallDebt(shape));
  std::optional<Choice> choice;
  if (command == "choose") {
    choice = P::Choose(shape);
  } else if (command == "compact") {
    choice = ManualChoice(shape, begin == "-" ? "" : begin, end == "-" ? "" : end, 40);
  } else {
    ADD_FAILURE() << "unknown command: " << line;
  }
  if (choice.has_value()) {
    const absl::Status status = CheckChoice(shape, *choice, P::kMaxLevels);
    EXPECT_TRUE(status.ok()) << line << ": " << status;
  }
  return Show(choice);
}

// The text of a golden file with the answers given; counts its cases in *cases.
template <Compaction P>
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
    } else if (line.starts_with("now ")) {
      shape.now_unix_millis = std::stoull(line.substr(4));
    } else if (line.starts_with("L")) {
      std::istringstream words(line.substr(1));
      size_t level = 0;
      words >> level;
      if (shape.levels.size() <= level) shape.levels.resize(level + 1);
      for (std::string file; words >> file;) shape.levels[level].push_back(ParseFile(file));
    } else {
      replayed += "  " + Answer<P>(shape, line) + "\n";
    }
  }
  return replayed;
}

}  // namespace compaction_golden

// Every .txt in `directory`, which has at least `least` cases. Runfiles and the root of the
// repository have the same layout.
template <Compaction P>
void CheckGolden(const std::string& directory, int least) {
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".txt") continue;
    std::stringstream golden;
    golden << std::ifstream(entry.path()).rdbuf();
    const std::string replayed = compaction_golden::Replay<P>(golden, &cases);
    if (std::getenv("KV_REWRITE_GOLDEN") != nullptr) {
      std::ofstream(entry.path()) << replayed;
    } else {
      EXPECT_EQ(replayed, golden.str()) << entry.path();
    }
  }
  EXPECT_GE(cases, least) << "is " << directory << " there?";
}

}  // namespace kv

#endif  // KV_COMPACTION_GOLDEN_H_
