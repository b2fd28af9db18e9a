// What a merge by hand rewrites next: everything that has something dead in it, oldest first, and
// nothing that it has itself written.
//
// Oldest first, because a tombstone can be dropped when nothing older is left for it to hide.
#ifndef KV_MERGE_MANUAL_H_
#define KV_MERGE_MANUAL_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kv/merge/concept.h"

namespace kv {

// Of the segments numbered below `before`, the oldest with dead bytes, and those behind it that
// have some too and with which it fits into one.
inline std::optional<MergeChoice> ManualMerge(const LogShape& shape, uint64_t before) {
  const auto due = [&](size_t i) {
    return shape.segments[i].number < before && shape.segments[i].dead_bytes > 0;
  };
  for (size_t first = 0; first < shape.segments.size(); ++first) {
    if (!due(first)) continue;
    MergeChoice choice{.first = first, .count = 1};
    uint64_t live = shape.segments[first].LiveBytes();
    for (size_t i = first + 1; i < shape.segments.size() && due(i); ++i) {
      live += shape.segments[i].LiveBytes();
      if (live > shape.target_bytes) break;
      ++choice.count;
    }
    return choice;
  }
  return std::nullopt;
}

}  // namespace kv

#endif  // KV_MERGE_MANUAL_H_
