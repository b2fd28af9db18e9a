// The rules that policies of tiers keep, in one place: how sorted runs are laid out over levels,
// and how data goes from one tier to the next.
//
// An engine's level below 0 is one sorted run. A tier of `runs` sorted runs is a window of as many
// levels, its newest run the shallowest, and is filled from its deepest level upwards:
//
//   level 0          files of flushes
//   tier 1           levels 1 .. runs
//   tier 2           levels runs + 1 .. 2 * runs
//   ...
//
// Data enters a tier at the deepest level that it reaches without passing what overlaps it. So
// disjoint data shares a level, and how full a tier is differs from key to key: it is full where
// its first level has something. Where it has, that goes down with all of the tier that is
// connected to it, which is the whole tier when runs span all keys.
//
// Invariant: the range of a choice is connected, as assemble.h says, and for the same reason.
//
// Any tree is welcome, whoever made it: data that stands too high in its tier sinks first.
//
// Thread safety: pure functions. Views and pointers live as long as the shape.
// Complexity: O(files * log files) each.
#ifndef KV_COMPACTION_TIERS_H_
#define KV_COMPACTION_TIERS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "kv/compaction/assemble.h"
#include "kv/compaction/choice.h"

namespace kv {

// Levels, both of which belong to it. The first one takes the newest run.
struct Tier {
  size_t first = 0;
  size_t last = 0;
};

// `tier` from 1 on.
inline constexpr Tier TierLevels(size_t tier, size_t runs) {
  return {(tier - 1) * runs + 1, tier * runs};
}

struct PlacedFile {
  size_t level = 0;
  const FileShape* file = nullptr;
};

// The deepest level from `first` to `last` that data of `range` reaches from above `first` without
// passing what overlaps it; nothing when there is an overlap in `first`.
inline std::optional<size_t> Reach(const TreeShape& shape, size_t first, size_t last,
                                   const KeyRange& range) {
  std::optional<size_t> reached;
  for (size_t level = first; level <= last; ++level) {
    if (!Overlapping(FilesOf(shape, level), range).empty()) break;
    reached = level;
  }
  return reached;
}

inline KeyRange RangeOf(std::span<const PlacedFile> files) {
  KeyRange range = RangeOf(*files.front().file);
  for (const PlacedFile& placed : files) range = Hull(range, RangeOf(*placed.file));
  return range;
}

// The choice that brings `files`, connected and in the order that choice.h wants, to
// `output_level`; nothing when one of them is being compacted. The caller has checked the order of
// data. A lone file moves as it is, unless its tombstones could be dropped on the way.
inline std::optional<Choice> Bring(const TreeShape& shape, std::span<const PlacedFile> files,
                                   size_t output_level) {
  Choice choice;
  choice.output_level = static_cast<int>(output_level);
  uint64_t tombstones = 0;
  for (const PlacedFile& placed : files) {
    if (placed.file->being_compacted) return std::nullopt;
    choice.inputs.push_back({static_cast<int>(placed.level), placed.file->number});
    tombstones += placed.file->tombstones;
  }
  const KeyRange range = RangeOf(files);
  choice.bottommost = true;
  for (size_t level = output_level + 1; level < shape.levels.size(); ++level) {
    if (!Overlapping(shape.levels[level], range).empty()) choice.bottommost = false;
  }
  choice.trivial_move = files.size() == 1 && !(choice.bottommost && tombstones > 0);
  return choice;
}

// Level 0 into `tier`: the oldest file with all that overlap it, and on to newer ones when that is
// busy or finds no place.
inline std::optional<Choice> Level0IntoTier(const TreeShape& shape, const Tier& tier) {
  const std::span<const FileShape> level0 = FilesOf(shape, 0);
  for (size_t seed = level0.size(); seed-- > 0;) {
    std::vector<PlacedFile> files;
    for (const FileShape* file : Level0Closure(level0, seed)) files.push_back({0, file});
    const std::optional<size_t> level = Reach(shape, tier.first, tier.last, RangeOf(files));
    if (!level.has_value()) continue;
    if (std::optional<Choice> choice = Bring(shape, files, *level)) return choice;
  }
  return std::nullopt;
}

// Moves a file of `tier` down to the deepest level of the tier that it reaches.
inline std::optional<Choice> SinkWithinTier(const TreeShape& shape, const Tier& tier) {
  for (size_t level = tier.last; level-- > tier.first;) {
    for (const FileShape& file : FilesOf(shape, level)) {
      if (file.being_compacted) continue;
      const auto reached = Reach(shape, level + 1, tier.last, RangeOf(file));
      if (!reached.has_value()) continue;
      const PlacedFile placed{level, &file};
      std::optional<Choice> choice = Bring(shape, {&placed, 1}, *reached);
      choice->trivial_move = true;  // its tombstones can wait for the tier's merge
      return choice;
    }
  }
  return std::nullopt;
}

// The parts of `tier` that touch its first level: each a set of files connected by overlaps, with
// everything of the tier that overlaps them. In the order of keys.
inline std::vector<std::vector<PlacedFile>> FullParts(const TreeShape& shape, const Tier& tier) {
  std::vector<PlacedFile> all;
  for (size_t level = tier.first; level <= tier.last; ++level) {
    for (const FileShape& file : FilesOf(shape, level)) all.push_back({level, &file});
  }
  std::stable_sort(all.begin(), all.end(), [](const PlacedFile& a, const PlacedFile& b) {
    return a.file->smallest < b.file->smallest;
  });
  std::vector<std::vector<PlacedFile>> parts;
  for (size_t begin = 0; begin < all.size();) {
    KeyRange range = RangeOf(*all[begin].file);
    bool full = false;
    size_t end = begin;
    for (; end < all.size() && Overlap(range, RangeOf(*all[end].file)); ++end) {
      range = Hull(range, RangeOf(*all[end].file));
      full = full || all[end].level == tier.first;
    }
    if (full) {
      std::vector<PlacedFile>& part = parts.emplace_back(all.begin() + begin, all.begin() + end);
      std::stable_sort(part.begin(), part.end(),
                       [](const PlacedFile& a, const PlacedFile& b) { return a.level < b.level; });
    }
    begin = end;
  }
  return parts;
}

// Where `from` is full: a part of it, merged into `to`, the tier below.
inline std::optional<Choice> FullPartIntoTier(const TreeShape& shape, const Tier& from,
                                              const Tier& to) {
  for (const std::vector<PlacedFile>& part : FullParts(shape, from)) {
    const std::optional<size_t> level = Reach(shape, to.first, to.last, RangeOf(part));
    if (!level.has_value()) continue;
    if (std::optional<Choice> choice = Bring(shape, part, *level)) return choice;
  }
  return std::nullopt;
}

// Of a run in `tier` with `limit` bytes or more: a file that reaches [first, last] below the tier
// as it is. Runs outgrow their tier when keys ascend and nothing is ever merged.
inline std::optional<Choice> MoveOutgrown(const TreeShape& shape, const Tier& tier, uint64_t limit,
                                          size_t first, size_t last) {
  for (size_t level = tier.last + 1; level-- > tier.first;) {
    if (TotalBytes(FilesOf(shape, level)) < limit) continue;
    for (const FileShape& file : FilesOf(shape, level)) {
      if (file.being_compacted) continue;
      const auto reached = Reach(shape, level + 1, last, RangeOf(file));
      if (!reached.has_value() || *reached < first) continue;
      const PlacedFile placed{level, &file};
      std::optional<Choice> choice = Bring(shape, {&placed, 1}, *reached);
      choice->trivial_move = true;
      return choice;
    }
  }
  return std::nullopt;
}

// A file of level `level`, the leftmost that is idle, with everything below it down to level `last`
// that overlaps what was taken; joined by its right neighbours as long as they overlap it too, up
// to about `step_bytes` of their level. Merged into level `last`.
inline std::optional<Choice> SliceIntoLast(const TreeShape& shape, size_t level, size_t last,
                                           uint64_t step_bytes) {
  const std::span<const FileShape> top = FilesOf(shape, level);
  // Everything below within the range, which grows on its way down.
  const auto below = [&](KeyRange range, std::vector<PlacedFile>* files) {
    for (size_t deeper = level + 1; deeper <= last; ++deeper) {
      const std::span<const FileShape> overlapped = Overlapping(FilesOf(shape, deeper), range);
      if (overlapped.empty()) continue;
      range = Hull(range, Hull(RangeOf(overlapped.front()), RangeOf(overlapped.back())));
      for (const FileShape& file : overlapped) files->push_back({deeper, &file});
    }
    return range;
  };
  for (size_t seed = 0; seed < top.size(); ++seed) {
    std::vector<PlacedFile> best;
    std::vector<PlacedFile> sources;
    uint64_t bytes = 0;
    KeyRange range = RangeOf(top[seed]);
    for (size_t next = seed; next < top.size(); ++next) {
      bytes += top[next].bytes;
      if (next > seed && (bytes > step_bytes || !Overlap(range, RangeOf(top[next])))) break;
      sources.push_back({level, &top[next]});
      std::vector<PlacedFile> files = sources;
      range = below(RangeOf(std::span<const PlacedFile>(sources)), &files);
      if (std::any_of(files.begin(), files.end(),
                      [](const PlacedFile& placed) { return placed.file->being_compacted; })) {
        break;
      }
      best = std::move(files);
    }
    if (!best.empty()) return Bring(shape, best, last);
  }
  return std::nullopt;
}

}  // namespace kv

#endif  // KV_COMPACTION_TIERS_H_
