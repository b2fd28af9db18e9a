// What there is to do for a tree with range tombstones: which tables are dead as a whole, which
// must be rewritten before a tombstone can go, and which tombstones have done their work.
//
// Together they make every range tombstone go, in time: a table that needs one is dropped, or
// merged by the policy, or rewritten in its place, and is then clean of it
// (TableMeta::ranges_applied). What a snapshot still sees is left alone, and so are the tombstones
// over it.
//
// Thread safety: pure functions over an immutable tree.
#ifndef ENGINES_LSM_RANGE_WORK_H_
#define ENGINES_LSM_RANGE_WORK_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engines/lsm/range_index.h"
#include "engines/lsm/range_tombstone.h"
#include "engines/lsm/rewrite_in_place.h"
#include "engines/lsm/table_meta.h"
#include "engines/lsm/tree_ranges.h"
#include "kv/compaction/choice.h"
#include "kv/contract/record.h"

namespace kv {

// From so many range tombstones on, rewriting goes before the policy's compactions, and writes are
// slowed down, to a crawl at kMaxRanges.
inline constexpr size_t kManyRanges = 4096;
inline constexpr size_t kMaxRanges = 65536;

// As WriteStallDebt of a policy.
inline double RangeDebt(size_t ranges) {
  if (ranges <= kManyRanges) return 0;
  return std::min(1.0, static_cast<double>(ranges - kManyRanges) / (kMaxRanges - kManyRanges));
}

// Whether no reader, of `readers` (ascending) or to come, sees any record of the table: each is
// under a tombstone that is newer than all of them, and nobody reads in between. Expects a table
// that is not clean of its tombstones. O(log tombstones + those over the table).
inline bool IsDead(const TableMeta& table, const TreeRanges& ranges,
                   std::span<const Sequence> readers) {
  if (table.ranges_applied >= ranges.newest()) return false;
  const RangeIndex& index = ranges.index();
  const auto fragments = index.fragments();
  size_t place = index.Place(table.smallest);
  if (place == fragments.size() || table.smallest < fragments[place].begin) return false;
  for (;; ++place) {
    const Sequence hidden_from =
        index.OldestAbove(fragments[place], std::max(table.max_sequence, table.ranges_applied));
    if (hidden_from > readers.back()) return false;
    const auto reader = std::ranges::lower_bound(readers, table.min_sequence);
    if (reader != readers.end() && *reader < hidden_from) return false;
    if (IsBefore(table.largest, fragments[place].end)) return true;
    if (place + 1 == fragments.size() || fragments[place + 1].begin != fragments[place].end) {
      return false;
    }
  }
}

// How many tombstones that every reader sees the table still needs; counts no further than `limit`.
inline size_t CountNeeded(const TableMeta& table, const TreeRanges& ranges, Sequence oldest_reader,
                          size_t limit) {
  if (table.ranges_applied >= ranges.newest()) return 0;
  const RangeIndex& index = ranges.index();
  const auto fragments = index.fragments();
  size_t needed = 0;
  for (size_t place = index.Place(table.smallest);
       place < fragments.size() && fragments[place].begin <= table.largest && needed < limit;
       ++place) {
    for (const Sequence number : index.Numbers(fragments[place])) {
      needed +=
          number <= oldest_reader && number > table.min_sequence && number > table.ranges_applied;
    }
  }
  return needed;
}

// The tables of the tree that are dead as a whole, as inputs of a choice that drops them.
template <typename Tree>
std::optional<Choice> DeadTables(const Tree& tree, std::span<const Sequence> readers) {
  Choice choice;
  choice.drop = true;
  choice.reason = "range tombstones";
  for (size_t level = 0; level < tree.levels.size(); ++level) {
    for (const auto& file : tree.levels[level]) {
      if (!IsDead(file->Meta(), *tree.ranges, readers)) continue;
      choice.inputs.push_back({static_cast<int>(level), file->Meta().number});
    }
  }
  return choice.inputs.empty() ? std::nullopt : std::optional(std::move(choice));
}

// The table that needs the most tombstones, to be rewritten where it is; it needs none of them
// afterwards, so this comes to an end. Nothing when only snapshots need them.
template <typename Tree>
std::optional<Choice> RangeRewrite(const Tree& tree, Sequence oldest_reader) {
  constexpr size_t kEnough = 256;
  size_t most = 0;
  size_t at_level = 0;
  size_t place = 0;
  for (size_t level = 0; level < tree.levels.size(); ++level) {
    for (size_t i = 0; i < tree.levels[level].size(); ++i) {
      const size_t needed =
          CountNeeded(tree.levels[level][i]->Meta(), *tree.ranges, oldest_reader, kEnough);
      if (needed <= most) continue;
      most = needed;
      at_level = level;
      place = i;
    }
  }
  if (most == 0) return std::nullopt;
  return RewriteInPlace(tree, at_level, std::span(tree.levels[at_level]).subspan(place, 1),
                        "range tombstones");
}

// The list without the tombstones that no table of the tree needs. O(tombstones * levels * log
// tables), and the tables of level 0 one by one.
template <typename Tree>
std::shared_ptr<const TreeRanges> WithoutIdleRanges(std::shared_ptr<const TreeRanges> ranges,
                                                    const Tree& tree) {
  if (ranges->empty()) return ranges;
  std::vector<RangeTombstone> needed = ranges->Needed([&](const RangeTombstone& tombstone) {
    for (size_t level = 0; level < tree.levels.size(); ++level) {
      auto file = tree.levels[level].begin();
      const auto end = tree.levels[level].end();
      if (level > 0) {
        file = std::partition_point(
            file, end, [&](const auto& f) { return f->Meta().largest < tombstone.begin; });
      }
      for (; file != end; ++file) {
        if (NeedsRange((*file)->Meta(), tombstone)) return true;
        if (level > 0 && !IsBefore((*file)->Meta().smallest, tombstone.end)) break;
      }
    }
    return false;
  });
  if (needed.size() == ranges->size()) return ranges;
  return std::make_shared<TreeRanges>(std::move(needed));
}

}  // namespace kv

#endif  // ENGINES_LSM_RANGE_WORK_H_
