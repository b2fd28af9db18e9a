// MergeArchetype: the least that models Merge, and a trivially right one: rewrites the first
// segment that has anything dead in it, alone. For tests: engines compile with it and merge all the
// time.
#ifndef KV_MERGE_ARCHETYPE_H_
#define KV_MERGE_ARCHETYPE_H_

#include <cstddef>
#include <optional>
#include <string_view>

#include "kv/merge/concept.h"

namespace kv {

struct MergeArchetype {
  static constexpr std::string_view kName = "archetype";

  static std::optional<MergeChoice> Choose(const LogShape& shape) {
    for (size_t i = 0; i < shape.segments.size(); ++i) {
      if (shape.segments[i].dead_bytes > 0) return MergeChoice{.first = i, .count = 1};
    }
    return std::nullopt;
  }

  static double WriteStallDebt(const LogShape&) { return 0; }
};

static_assert(Merge<MergeArchetype>);

}  // namespace kv

#endif  // KV_MERGE_ARCHETYPE_H_
