// No compaction: files stay where flushes put them, and writes never wait.
//
// Write amplification is 1; files, dead versions and the cost of a read grow with every flush.
//
// For: filling a store that is compacted by hand afterwards, when nobody reads it meanwhile;
// measuring what compaction costs.
// Not for: anything that goes on.
//
// Thread safety: pure functions. Complexity: O(1).
#ifndef KV_COMPACTION_NONE_H_
#define KV_COMPACTION_NONE_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "kv/compaction/choice.h"
#include "kv/compaction/concept.h"

namespace kv {

struct NoCompaction {
  static constexpr std::string_view kName = "none";
  static constexpr int kMaxLevels = 64;
  static constexpr uint64_t kOutputFileBytes = uint64_t{64} << 20;  // when compacted by hand

  static std::optional<Choice> Choose(const TreeShape&) { return std::nullopt; }
  static double WriteStallDebt(const TreeShape&) { return 0; }
};

static_assert(Compaction<NoCompaction>);

}  // namespace kv

#endif  // KV_COMPACTION_NONE_H_
