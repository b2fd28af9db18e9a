// Conformance suite of the Compaction concept: everything in concept.h that a compiler cannot
// check.
//
//   absl::Status CheckChoice(shape, choice, max_levels)   one choice against the rules
//   absl::Status CheckCompactionShapes<P>(seed)           choices for made-up shapes
//   absl::Status CheckCompactionHistory<P>(seed)          choices carried out: no key reads wrong,
//                                                         and they run out
//
// The rules are written out file against file, without the shortcuts that policies take. The suite
// suits policies whose thresholds are small: files of some 4 bytes, levels of some 16.
//
// Each hands back the first failure in words, so that a test can also assert that a broken policy
// is refused.
#ifndef KV_COMPACTION_CONFORMANCE_H_
#define KV_COMPACTION_CONFORMANCE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/compaction/choice.h"
#include "kv/compaction/concept.h"
#include "kv/compaction/tree_model.h"

namespace kv {

namespace compaction_conformance {

inline absl::Status Failure(std::string_view what) {
  return absl::FailedPreconditionError(ToAbsl(what));
}

inline std::string KeyOf(uint64_t number) { return fmt::format("{:03}", number); }

inline bool Touch(const FileShape& file, std::string_view smallest, std::string_view largest) {
  return file.smallest <= largest && smallest <= file.largest;
}

// A legal tree, some of whose files are being compacted.
inline TreeShape RandomShape(std::mt19937_64& random, int max_levels) {
  TreeShape shape;
  uint64_t number = 0;
  const auto add = [&](std::vector<FileShape>& level, uint64_t smallest, uint64_t largest) {
    FileShape& file = level.emplace_back();
    file.number = ++number;
    file.bytes = 1 + random() % 8;
    file.smallest = KeyOf(smallest);
    file.largest = KeyOf(largest);
    file.entries = file.bytes;
    file.tombstones = random() % 4 == 0 ? random() % file.entries : 0;
    file.being_compacted = random() % 12 == 0;
    file.latest_expiry = random() % 2 == 0 ? 0 : 1 + random() % 100;
  };
  shape.now_unix_millis = random() % 120;
  // Keys have three digits, which more levels would use up.
  const size_t levels = random() % (std::min<size_t>(static_cast<size_t>(max_levels), 16) + 1);
  for (size_t level = 0; level < levels; ++level) {
    shape.levels.emplace_back();
    const uint64_t files = random() % 3 == 0 ? 0 : random() % 8;
    if (level == 0) {
      for (uint64_t i = 0; i < files; ++i) {
        const uint64_t smallest = random() % 100;
        add(shape.levels[0], smallest, smallest + random() % (random() % 2 == 0 ? 4 : 80));
      }
    } else {
      uint64_t next = random() % 10;
      for (uint64_t i = 0; i < files * level; ++i) {
        const uint64_t largest = next + random() % 9;
        add(shape.levels[level], next, largest);
        next = largest + 1 + random() % 5;
      }
    }
  }
  return shape;
}

inline std::map<std::string, bool> RandomFlush(std::mt19937_64& random) {
  std::map<std::string, bool> keys;
  const uint64_t first = random() % 100;
  const uint64_t span = random() % 2 == 0 ? 100 : 1 + random() % 10;
  for (uint64_t count = 1 + random() % 8; count > 0; --count) {
    keys[KeyOf((first + random() % span) % 100)] = random() % 3 == 0;
  }
  return keys;
}

}  // namespace compaction_conformance

// The files of one choice that drops: together they are the oldest of what overlaps them.
inline absl::Status CheckDrop(const TreeShape& shape, const Choice& choice) {
  using compaction_conformance::Failure;
  if (choice.trivial_move || choice.bottommost) return Failure("a drop writes nothing");
  std::vector<std::pair<const FileShape*, bool>> newer;  // than the file looked at; whether dropped
  for (size_t level = 0; level < shape.levels.size(); ++level) {
    for (const FileShape& file : shape.levels[level]) {
      const bool dropped = std::count(choice.inputs.begin(), choice.inputs.end(),
                                      CompactionInput{static_cast<int>(level), file.number}) > 0;
      for (const auto& [other, other_dropped] : newer) {
        if (dropped || !other_dropped) continue;
        if (compaction_conformance::Touch(file, other->smallest, other->largest)) {
          return Failure(
              fmt::format("file {} is dropped, older file {} is not", other->number, file.number));
        }
      }
      newer.emplace_back(&file, dropped);
    }
  }
  return absl::OkStatus();
}

inline absl::Status CheckChoice(const TreeShape& shape, const Choice& choice, int max_levels) {
  using compaction_conformance::Failure;
  struct Placed {
    const FileShape* file;
    int level;
    size_t index;
    bool input;
  };
  std::vector<Placed> all;
  for (size_t level = 0; level < shape.levels.size(); ++level) {
    for (size_t i = 0; i < shape.levels[level].size(); ++i) {
      const FileShape& file = shape.levels[level][i];
      const CompactionInput here{static_cast<int>(level), file.number};
      const auto named = std::count(choice.inputs.begin(), choice.inputs.end(), here);
      if (named > 1) return Failure(fmt::format("file {} is named twice", file.number));
      all.push_back({&file, here.level, i, named == 1});
    }
  }
  std::vector<Placed> inputs;
  std::copy_if(all.begin(), all.end(), std::back_inserter(inputs),
               [](const Placed& placed) { return placed.input; });
  if (inputs.empty()) return Failure("no inputs");
  if (inputs.size() != choice.inputs.size()) return Failure("an input is not in the tree");
  for (const Placed& input : inputs) {
    if (input.file->being_compacted) {
      return Failure(fmt::format("file {} is being compacted", input.file->number));
    }
  }
  if (choice.drop) return CheckDrop(shape, choice);
  const int output_level = choice.output_level;
  if (output_level < 0 || output_level >= max_levels) return Failure("no such output level");

  std::string_view smallest = inputs.front().file->smallest;
  std::string_view largest = inputs.front().file->largest;
  size_t newest_in_0 = shape.levels.empty() ? 0 : shape.levels[0].size();
  size_t oldest_in_0 = 0;
  bool progress = output_level == 0 && inputs.size() > 1;
  for (const Placed& input : inputs) {
    if (input.level > output_level) return Failure("an input is below the output level");
    progress = progress || input.level < output_level;
    smallest = std::min<std::string_view>(smallest, input.file->smallest);
    largest = std::max<std::string_view>(largest, input.file->largest);
    if (input.level == 0) {
      newest_in_0 = std::min(newest_in_0, input.index);
      oldest_in_0 = std::max(oldest_in_0, input.index);
    }
  }
  if (!progress) return Failure("nothing goes down");

  for (const Placed& other : all) {
    if (other.input) continue;
    const FileShape& file = *other.file;
    const bool in_hull = compaction_conformance::Touch(file, smallest, largest);
    if (other.level == output_level && output_level > 0 && in_hull) {
      return Failure(fmt::format("outputs overlap file {} in the output level", file.number));
    }
    for (const Placed& input : inputs) {
      if (!compaction_conformance::Touch(file, input.file->smallest, input.file->largest)) continue;
      // What level 0 merges takes the place of its newest input.
      const bool jumped =
          output_level == 0
              ? other.level == 0 && newest_in_0 < other.index && other.index < oldest_in_0
              : (other.level > input.level && other.level <= output_level) ||
                    (other.level == 0 && input.level == 0 && other.index > input.index);
      if (jumped) {
        return Failure(
            fmt::format("file {} changes places with file {}", input.file->number, file.number));
      }
    }
    const bool older = other.level > output_level ||
                       (output_level == 0 && other.level == 0 && other.index > oldest_in_0);
    if (choice.bottommost && older && in_hull) {
      return Failure(fmt::format("bottommost, but file {} lies below", file.number));
    }
  }
  if (choice.trivial_move && (inputs.size() != 1 || inputs.front().level == output_level)) {
    return Failure("a trivial move of what has to be merged");
  }
  return absl::OkStatus();
}

template <Compaction P>
absl::Status CheckCompactionShapes(uint64_t seed) {
  using compaction_conformance::Failure;
  std::mt19937_64 random(seed);
  size_t choices = 0;
  for (int round = 0; round < 2'000; ++round) {
    const TreeShape shape = compaction_conformance::RandomShape(random, P::kMaxLevels);
    const double debt = P::WriteStallDebt(shape);
    if (!(debt >= 0 && debt <= 1)) return Failure(fmt::format("stall debt is {}", debt));
    const std::optional<Choice> choice = P::Choose(shape);
    if (!choice.has_value()) continue;
    ++choices;
    KV_RETURN_IF_ERROR(CheckChoice(shape, *choice, P::kMaxLevels));
    if (choice->reason.empty()) return Failure("no reason");
    const std::optional<Choice> again = P::Choose(TreeShape(shape));
    if (!again.has_value() || again->inputs != choice->inputs ||
        again->output_level != choice->output_level) {
      return Failure("two answers for one shape");
    }
  }
  if (choices < 20) return Failure("hardly ever chooses");
  return absl::OkStatus();
}

// The debt while flushes go on and no compaction keeps up: it begins at 0, never falls, rises by at
// most `largest_step` with each file of `bytes`, and reaches 1. Otherwise writes go at full speed
// until they stop.
template <Compaction P>
absl::Status CheckCompactionDebt(double largest_step, uint64_t bytes) {
  using compaction_conformance::Failure;
  constexpr uint64_t kFiles = 5'000;
  TreeShape shape{.levels = {{}}};
  double last = 0;
  for (uint64_t files = 0; files < kFiles && last < 1; ++files) {
    const double debt = P::WriteStallDebt(shape);
    if (files == 0 && debt != 0)
      return Failure(fmt::format("an empty tree has a debt of {}", debt));
    if (debt < last) return Failure(fmt::format("debt falls from {} to {}", last, debt));
    if (debt > last + largest_step) {
      return Failure(fmt::format("file {} takes the debt from {} to {}", files, last, debt));
    }
    last = debt;
    shape.levels[0].insert(shape.levels[0].begin(),
                           {.number = files + 1, .bytes = bytes, .smallest = "a", .largest = "z"});
  }
  return last == 1 ? absl::OkStatus() : Failure("writes are never held back");
}

// Flushes, starts and finishes in random order, up to three compactions at a time; then no more
// flushes, until choices run out.
template <Compaction P>
absl::Status CheckCompactionHistory(uint64_t seed) {
  std::mt19937_64 random(seed);
  TreeModel tree;
  constexpr int kSteps = 600;
  constexpr int kEnough = 20 * kSteps;
  for (int step = 0;; ++step) {
    if (step > kEnough) return compaction_conformance::Failure("choices do not run out");
    tree.now_unix_millis = static_cast<uint64_t>(step) + 1;
    const uint64_t action = random() % 3;
    if (step < kSteps && action == 0) {
      const uint64_t expiry = random() % 2 == 0 ? 0 : tree.now_unix_millis + random() % 100;
      tree.Flush(compaction_conformance::RandomFlush(random), expiry);
    } else if (tree.Running() > 0 && (action == 1 || tree.Running() == 3)) {
      KV_RETURN_IF_ERROR(tree.Finish(random() % tree.Running(), P::kOutputFileBytes));
    } else {
      const TreeShape shape = tree.Shape();
      const std::optional<Choice> choice = P::Choose(shape);
      if (choice.has_value()) {
        KV_RETURN_IF_ERROR(CheckChoice(shape, *choice, P::kMaxLevels));
        tree.Start(*choice);
      } else if (step >= kSteps && tree.Running() == 0) {
        return tree.Check();
      }
    }
  }
}

}  // namespace kv

#endif  // KV_COMPACTION_CONFORMANCE_H_
