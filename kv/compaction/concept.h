// Compaction: decides which tables are merged next. It decides only; the engine acts. A slot of the
// LSM engine; models:
//
//   LeveledCompaction      one run a level: reads and space first
//   LazyLeveledCompaction  several runs a tier, but one at the bottom: in between
//   TieredCompaction       several runs a tier: writes first
//   FifoCompaction         drops the oldest files beyond a size, and expired ones
//   NoCompaction           leaves everything where it is
//
// What a model promises, beyond the signatures:
//
//   Purity. The answer depends on the shape alone, the same on every machine and run. Thread safety
//   follows. An engine that runs several compactions marks the inputs of each as being_compacted,
//   leaves them in the shape until it has finished, and may ask again meanwhile.
//   Busy files. No choice names a file that is being compacted, nor writes a range into a level
//   where such a file overlaps it.
//   Order. Newer data never ends up below older data of the same key. With the outputs in place,
//   the levels are still ascending and disjoint: what the output range overlaps in the output
//   level is among the inputs, and so is everything older than an input that overlaps it in
//   level 0 (or between the two levels).
//   Dropping. Nothing older than a dropped input overlaps it outside of the inputs, so that no
//   older version comes back. A policy that drops says so in its contract.
//   bottommost and trivial_move are true only when what choice.h says of them is.
//   Termination. Applied again and again to a tree that gets no new files, choices run out.
//
// WriteStallDebt is a fraction from 0 (write at full speed) to 1 (wait until compaction has caught
// up). It grows from 0 in proportion to the debt, without a cliff; an engine delays each write in
// proportion to it.
//
// A policy that goes by the age of data says `kByAge = true`. Then what is deeper in the tree must
// be older, also where nothing overlaps: an engine puts data that it takes in past the memtable in
// front of level 0. And the answer changes with the time: an engine asks again every now and then.
//
// Omits: where to cut the outputs. Engines cut at kOutputFileBytes and never between two versions
// of a user key.
#ifndef KV_COMPACTION_CONCEPT_H_
#define KV_COMPACTION_CONCEPT_H_

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kv/compaction/choice.h"

namespace kv {

template <typename P>
concept CompactionDecides = requires(const TreeShape& shape) {
  { P::Choose(shape) } -> std::same_as<std::optional<Choice>>;
  { P::WriteStallDebt(shape) } -> std::same_as<double>;
};

template <typename P>
inline constexpr bool kCompactsByAge = false;
template <typename P>
requires requires { P::kByAge; }
inline constexpr bool kCompactsByAge<P> = P::kByAge;

template <typename P>
concept Compaction = CompactionDecides<P> && requires {
  { P::kName } -> std::same_as<const std::string_view&>;
  // Levels 0 .. kMaxLevels - 1; a shape has no more.
  { P::kMaxLevels } -> std::same_as<const int&>;
  { P::kOutputFileBytes } -> std::same_as<const uint64_t&>;
};

}  // namespace kv

#endif  // KV_COMPACTION_CONCEPT_H_
