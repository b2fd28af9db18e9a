// What there is to do for a tree with separated values: which tables to rewrite, where they are, so
// that value files with too much garbage can go.
//
// A compaction moves the live values that it meets out of files that are collected (value_placer.h)
// and so this is for tables that no compaction comes by. A rewritten table refers to no file that
// was collected when it began, and the new files have no garbage, so this comes to an end.
//
// The bound. Where there is nothing to do, no file has more garbage than the policy allows, so
// value files take at most what it allows over what tables point to. Once all files together have
// more garbage than that, collecting goes before the policy's compactions, and a tree that is not
// compacted slows writes down (WriteStallDebt). While one step is at work, there is what it moves
// twice: at most kValueStepBytes of values and what one table points to.
//
// Thread safety: pure functions over an immutable tree.
#ifndef ENGINES_LSM_VALUE_WORK_H_
#define ENGINES_LSM_VALUE_WORK_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "engines/lsm/rewrite_in_place.h"
#include "engines/lsm/tree_values.h"
#include "kv/compaction/choice.h"
#include "kv/values/concept.h"

namespace kv {

inline constexpr uint64_t kValueStepBytes = uint64_t{64} << 20;

// Whether collecting is behind, so that it must not wait for anything else.
template <typename Policy, typename Values>
bool CollectingIsUrgent(const Values& values) {
  return Policy::IsCollected(values.Sizes());
}

// Of the records of `table`, those in files that are collected: bytes.
template <typename Table, typename Values>
uint64_t CollectedBytes(const Table& table, const Values& values) {
  uint64_t bytes = 0;
  for (const ValueReference& reference : table.Meta().values) {
    if (values.Find(reference.file)->IsCollected()) bytes += reference.bytes;
  }
  return bytes;
}

// Tables to rewrite for the sake of the file with the most garbage among those that are collected;
// in a deeper level, with neighbours that refer to such files too, so that what is moved together
// stays together. O(tables * their references).
template <typename Tree>
std::optional<Choice> ValueRewrite(const Tree& tree) {
  uint64_t most = 0;
  uint64_t number = 0;
  for (const auto& use : tree.values->uses()) {
    const uint64_t garbage = use.Sizes().garbage;
    if (garbage <= most || !use.IsCollected()) continue;
    most = garbage;
    number = use.file->meta().number;
  }
  if (most == 0) return std::nullopt;
  for (size_t level = 0; level < tree.levels.size(); ++level) {
    const std::span files(tree.levels[level]);
    const auto refers = std::ranges::find_if(files, [number](const auto& table) {
      return std::ranges::find(table->Meta().values, number, &ValueReference::file) !=
             table->Meta().values.end();
    });
    if (refers == files.end()) continue;
    const auto first = static_cast<size_t>(refers - files.begin());
    uint64_t bytes = CollectedBytes(**refers, *tree.values);
    size_t size = 1;
    for (; level > 0 && first + size < files.size(); ++size) {
      const uint64_t more = CollectedBytes(*files[first + size], *tree.values);
      bytes += more + files[first + size]->Meta().bytes;
      if (more == 0 || bytes > kValueStepBytes) break;
    }
    return RewriteInPlace(tree, level, files.subspan(first, size), "garbage of values");
  }
  return std::nullopt;
}

}  // namespace kv

#endif  // ENGINES_LSM_VALUE_WORK_H_
