// Compaction by hand: pushes a range of keys down to the deepest level that holds any of it, one
// choice after the other, whatever the policy of the tree thinks of it.
//
// Thread safety: a pure function.
// Omits: rewriting what is in its deepest level already.
#ifndef KV_COMPACTION_MANUAL_H_
#define KV_COMPACTION_MANUAL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "kv/compaction/assemble.h"
#include "kv/compaction/choice.h"

namespace kv {

// The next step for the keys in [begin, end), where an empty `end` is no bound; files that hold
// keys on both sides of a bound are compacted whole. A step takes neighbours along that share a
// file of the next level, up to about `step_bytes` of sources, so that files are not rewritten once
// for each of them.
//
// Nothing when the range is down, and when files that are being compacted are in the way: an engine
// asks again after each compaction that finishes, and is done at nothing while none runs.
inline std::optional<Choice> ManualChoice(const TreeShape& shape, std::string_view begin,
                                          std::string_view end, uint64_t step_bytes) {
  const auto in_range = [&](const FileShape& file) {
    return begin <= file.largest && (end.empty() || file.smallest < end);
  };
  // Data that is in level 0 alone has level 1 to go to.
  size_t deepest = 1;
  size_t shallowest = std::numeric_limits<size_t>::max();
  for (size_t level = 0; level < shape.levels.size(); ++level) {
    if (std::none_of(shape.levels[level].begin(), shape.levels[level].end(), in_range)) continue;
    shallowest = std::min(shallowest, level);
    deepest = std::max(deepest, level);
  }
  if (shallowest >= deepest) return std::nullopt;

  const std::span<const FileShape> files = shape.levels[shallowest];
  const std::span<const FileShape> below = FilesOf(shape, shallowest + 1);
  std::optional<Choice> choice;
  if (shallowest == 0) {
    for (size_t seed = files.size(); seed-- > 0 && !choice.has_value();) {
      if (in_range(files[seed])) choice = Assemble(shape, 0, Level0Closure(files, seed));
    }
  } else {
    for (size_t seed = 0; seed < files.size() && !choice.has_value(); ++seed) {
      if (!in_range(files[seed]) || files[seed].being_compacted) continue;
      std::vector<const FileShape*> run = {&files[seed]};
      uint64_t bytes = files[seed].bytes;
      for (size_t next = seed + 1; next < files.size(); ++next) {
        const std::span<const FileShape> shared = Overlapping(below, RangeOf(*run.back()));
        bytes += files[next].bytes;
        if (shared.empty() || shared.back().largest < files[next].smallest || bytes > step_bytes ||
            !in_range(files[next]) || files[next].being_compacted) {
          break;
        }
        run.push_back(&files[next]);
      }
      choice = Assemble(shape, static_cast<int>(shallowest), run);
    }
  }
  if (choice.has_value()) choice->reason = "manual";
  return choice;
}

}  // namespace kv

#endif  // KV_COMPACTION_MANUAL_H_
