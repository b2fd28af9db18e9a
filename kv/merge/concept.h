// Merge: decides which sealed segments of a log-structured store are rewritten next. It decides
// only; the engine acts: it copies what is still needed of the chosen segments, which stand side by
// side, into one that takes their place.
//
// What a model promises, beyond the signatures:
//
//   Purity. The answers depend on the arguments alone. Thread safety follows.
//   Range. A choice lies within the segments it was shown and has at least one of them.
//   Size. The live bytes of a choice of several segments fit into target_bytes.
//   Gain. A choice has dead bytes in it, or makes one segment of several.
//   Termination. Applied again and again to segments to which nothing is added, choices run out: a
//   segment that a merge has written has no dead bytes.
//
// WriteStallDebt is a fraction from 0 (write at full speed) to 1 (wait until merging has caught
// up). It grows from 0 in proportion to the debt, without a cliff; an engine delays each write in
// proportion to it.
#ifndef KV_MERGE_CONCEPT_H_
#define KV_MERGE_CONCEPT_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace kv {

struct SegmentShape {
  uint64_t number = 0;
  uint64_t bytes = 0;       // of records
  uint64_t dead_bytes = 0;  // of them, those that a merge would drop
  uint64_t entries = 0;

  uint64_t LiveBytes() const { return bytes - dead_bytes; }
};

// All sealed segments, oldest writes first. `target_bytes` is what the engine fills a segment to.
struct LogShape {
  std::span<const SegmentShape> segments;
  uint64_t target_bytes = 0;
};

struct MergeChoice {
  size_t first = 0;  // position, not number
  size_t count = 0;

  friend bool operator==(const MergeChoice&, const MergeChoice&) = default;
};

template <typename M>
concept Merge = requires(const LogShape& shape) {
  { M::kName } -> std::same_as<const std::string_view&>;
  { M::Choose(shape) } -> std::same_as<std::optional<MergeChoice>>;
  { M::WriteStallDebt(shape) } -> std::same_as<double>;
};

}  // namespace kv

#endif  // KV_MERGE_CONCEPT_H_
