// A choice that rewrites tables where they are: for the sake of something else than the shape of
// the tree.
//
// Thread safety: a pure function.
#ifndef ENGINES_LSM_REWRITE_IN_PLACE_H_
#define ENGINES_LSM_REWRITE_IN_PLACE_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "kv/compaction/choice.h"

namespace kv {

// `run`: one table of level 0, or neighbours of a deeper level.
template <typename Tree, typename File>
Choice RewriteInPlace(const Tree& tree, size_t level, std::span<const std::shared_ptr<File>> run,
                      std::string_view reason) {
  Choice choice;
  for (const auto& file : run) {
    choice.inputs.push_back({static_cast<int>(level), file->Meta().number});
  }
  choice.output_level = static_cast<int>(level);
  choice.reason = reason;
  const std::string_view smallest = run.front()->Meta().smallest;
  const std::string_view largest = run.back()->Meta().largest;
  // Siblings below level 0 do not overlap; one in level 0 may be newer, which does no harm.
  choice.bottommost = true;
  for (size_t other = level; other < tree.levels.size(); ++other) {
    for (const auto& file : tree.levels[other]) {
      const bool in_run = std::ranges::find(run, file) != run.end();
      if (!in_run && file->Meta().largest >= smallest && file->Meta().smallest <= largest) {
        choice.bottommost = false;
      }
    }
  }
  return choice;
}

}  // namespace kv

#endif  // ENGINES_LSM_REWRITE_IN_PLACE_H_
