// The rules that every policy over levels keeps, in one place: how a choice grows from the files a
// policy wants to push down, and when it must not be made.
//
// Invariant: the key range of a choice is connected. Its sources are a single file, or files of
// which each overlaps the range of the others, and what it takes from the level below overlaps
// them. So the ranges of two compactions that run at once are disjoint as soon as no file is in
// both, and neither needs to know of the other more than being_compacted.
//
// Thread safety: pure functions. Views in KeyRange live as long as the shape.
#ifndef KV_COMPACTION_ASSEMBLE_H_
#define KV_COMPACTION_ASSEMBLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "kv/compaction/choice.h"

namespace kv {

// Both ends belong to it.
struct KeyRange {
  std::string_view smallest;
  std::string_view largest;
};

inline KeyRange RangeOf(const FileShape& file) { return {file.smallest, file.largest}; }

inline bool Overlap(const KeyRange& a, const KeyRange& b) {
  return a.smallest <= b.largest && b.smallest <= a.largest;
}

inline KeyRange Hull(const KeyRange& a, const KeyRange& b) {
  return {std::min(a.smallest, b.smallest), std::max(a.largest, b.largest)};
}

// No files where the level is missing.
inline std::span<const FileShape> FilesOf(const TreeShape& shape, size_t level) {
  if (level >= shape.levels.size()) return {};
  return shape.levels[level];
}

inline uint64_t TotalBytes(std::span<const FileShape> files) {
  uint64_t bytes = 0;
  for (const FileShape& file : files) bytes += file.bytes;
  return bytes;
}

// Those that are not being compacted.
inline size_t IdleFiles(std::span<const FileShape> files) {
  return static_cast<size_t>(std::count_if(
      files.begin(), files.end(), [](const FileShape& file) { return !file.being_compacted; }));
}

// `choice` with its reason, a literal, and how urgent it is.
inline std::optional<Choice> Because(std::optional<Choice> choice, std::string_view reason,
                                     double score) {
  choice->reason = reason;
  choice->score = score;
  return choice;
}

// How far `value` is on its way from `slow` to `stop`: 0 at most at the one, 1 from the other on.
inline double DebtFraction(double value, double slow, double stop) {
  return std::clamp((value - slow) / (stop - slow), 0.0, 1.0);
}

// The files of a level below 0 that overlap `range`: neighbours, found by binary search.
inline std::span<const FileShape> Overlapping(std::span<const FileShape> level,
                                              const KeyRange& range) {
  const auto begin = std::partition_point(level.begin(), level.end(), [&](const FileShape& file) {
    return file.largest < range.smallest;
  });
  const auto end = std::partition_point(
      begin, level.end(), [&](const FileShape& file) { return file.smallest <= range.largest; });
  return {begin, end};
}

// File `seed` of level 0 and every other that overlaps it, or overlaps one that does, in the order
// of the level. Only the older ones have to come along; the newer ones are merged in one go too.
inline std::vector<const FileShape*> Level0Closure(std::span<const FileShape> level0, size_t seed) {
  KeyRange range = RangeOf(level0[seed]);
  std::vector<bool> chosen(level0.size());
  chosen[seed] = true;
  for (bool grew = true; grew;) {
    grew = false;
    for (size_t i = 0; i < level0.size(); ++i) {
      if (chosen[i] || !Overlap(range, RangeOf(level0[i]))) continue;
      range = Hull(range, RangeOf(level0[i]));
      chosen[i] = grew = true;
    }
  }
  std::vector<const FileShape*> files;
  for (size_t i = 0; i < level0.size(); ++i) {
    if (chosen[i]) files.push_back(&level0[i]);
  }
  return files;
}

// The choice that merges `sources`, which are in `level` and in its order, into the next level; or
// nothing when one of its inputs is being compacted. Of sources in level 0 the caller passes a
// closure. A lone source that the next level has nothing to merge with moves as it is, unless its
// tombstones could be dropped on the way.
inline std::optional<Choice> Assemble(const TreeShape& shape, int level,
                                      std::span<const FileShape* const> sources) {
  KeyRange range = RangeOf(*sources.front());
  for (const FileShape* file : sources) range = Hull(range, RangeOf(*file));
  const size_t output_level = static_cast<size_t>(level) + 1;
  const std::span<const FileShape> below = Overlapping(FilesOf(shape, output_level), range);
  if (!below.empty()) {
    range = Hull(range, Hull(RangeOf(below.front()), RangeOf(below.back())));
  }

  Choice choice;
  choice.output_level = level + 1;
  uint64_t tombstones = 0;
  bool busy = false;
  const auto add = [&](int from, const FileShape& file) {
    choice.inputs.push_back({from, file.number});
    tombstones += file.tombstones;
    busy = busy || file.being_compacted;
  };
  for (const FileShape* file : sources) add(level, *file);
  for (const FileShape& file : below) add(level + 1, file);
  if (busy) return std::nullopt;

  choice.bottommost = true;
  for (size_t deeper = output_level + 1; deeper < shape.levels.size(); ++deeper) {
    if (!Overlapping(shape.levels[deeper], range).empty()) choice.bottommost = false;
  }
  choice.trivial_move = choice.inputs.size() == 1 && !(choice.bottommost && tombstones > 0);
  return choice;
}

}  // namespace kv

#endif  // KV_COMPACTION_ASSEMBLE_H_
