// CompactionArchetype: the least that models Compaction, and a trivially right one: as soon as
// anything is above the last of its three levels and nothing is being compacted, it compacts level
// 0 whole, then level 1 whole. For tests: engines compile with it and meet every kind of choice
// but the trivial move.
#ifndef KV_COMPACTION_ARCHETYPE_H_
#define KV_COMPACTION_ARCHETYPE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kv/compaction/choice.h"
#include "kv/compaction/concept.h"

namespace kv {

struct CompactionArchetype {
  static constexpr std::string_view kName = "archetype";
  static constexpr int kMaxLevels = 3;
  static constexpr uint64_t kOutputFileBytes = 4'096;

  static std::optional<Choice> Choose(const TreeShape& shape) {
    for (const auto& level : shape.levels) {
      for (const FileShape& file : level) {
        if (file.being_compacted) return std::nullopt;
      }
    }
    for (size_t level = 0; level < 2 && level < shape.levels.size(); ++level) {
      if (shape.levels[level].empty()) continue;
      Choice choice;
      choice.output_level = static_cast<int>(level) + 1;
      for (size_t from = level; from <= level + 1 && from < shape.levels.size(); ++from) {
        for (const FileShape& file : shape.levels[from]) {
          choice.inputs.push_back({static_cast<int>(from), file.number});
        }
      }
      choice.bottommost = level == 1 || shape.levels.size() < 3 || shape.levels[2].empty();
      choice.score = 1;
      choice.reason = "not at the bottom";
      return choice;
    }
    return std::nullopt;
  }

  static double WriteStallDebt(const TreeShape&) { return 0; }
};

static_assert(Compaction<CompactionArchetype>);

}  // namespace kv

#endif  // KV_COMPACTION_ARCHETYPE_H_
