// Leveled compaction: one sorted run a level, each level `fanout` times the one above.
//
// A point read asks at most one table a level below 0, and dead versions take up about 1 / fanout
// of the space. Pays for it in write amplification: up to `fanout` rewritten bytes for each byte
// and level.
// For: reads, scans and space: of 16 GB written at random onto 8 GB, 4.6 runs and space 1.08
// (lazy leveled: 7.1 and 1.21; tiered: 7.4 and 1.57; simulation_test.cc).
// Not for: write-heavy loads that rarely scan: there write amplification is 12.1 (5.7; 4.5).
//
// How it chooses:
//
//   score(0)  files / l0_trigger                     not counting files that are being compacted
//   score(n)  bytes / target(n)                      the same; the last level is never a source
//   target    level1_bytes * fanout^(n-1), but for levels above the deepest one no more than
//             deepest bytes / fanout^(levels between), and no less than level1_bytes
//
// The level with the highest score goes first, the shallower one of equals, while the score is 1
// or more. The limit by the deepest level bounds space amplification: once a level has been begun,
// the ones above pass their data on, mostly by trivial moves.
//
//   from level 0   the oldest file with all that overlap it, and on to newer ones if it is busy
//   from level n   the file with the least bytes to rewrite below for each of its own, the leftmost
//                  of equals: the choice of least write amplification
//
// Write stall debt: the larger of two fractions, each 0 at its slow value and 1 at its stop value:
// files in level 0, and bytes above the fixed targets (those without the limit by the deepest
// level, which drops suddenly when a level is begun).
//
// Thread safety: pure functions. Complexity: O(files * log files) a choice.
// Omits: merging within level 0; splitting one choice over threads; cutting outputs by their
// overlap two levels down; compactions for the sake of tombstones alone.
//
// Source: O'Neil et al., The Log-Structured Merge-Tree, 1996; LevelDB doc/impl.md.
#ifndef KV_COMPACTION_LEVELED_H_
#define KV_COMPACTION_LEVELED_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "kv/base/policy_name.h"
#include "kv/compaction/assemble.h"
#include "kv/compaction/choice.h"
#include "kv/compaction/concept.h"

namespace kv {

struct LeveledShape {
  uint64_t l0_trigger = 4;                     // files
  uint64_t l0_slow = 12;                       // files from which writes are delayed
  uint64_t l0_stop = 36;                       // files at which they wait
  uint64_t level1_bytes = uint64_t{64} << 20;  // target
  uint64_t fanout = 10;
  uint64_t file_bytes = uint64_t{16} << 20;      // of an output
  uint64_t debt_slow_bytes = uint64_t{1} << 30;  // above the targets, as l0_slow and l0_stop
  uint64_t debt_stop_bytes = uint64_t{16} << 30;
};

template <LeveledShape kShape = LeveledShape{}>
class LeveledCompaction {
  static_assert(kShape.l0_trigger >= 1 && kShape.level1_bytes >= 1 && kShape.file_bytes >= 1);
  static_assert(kShape.fanout >= 2);
  static_assert(kShape.l0_trigger <= kShape.l0_slow && kShape.l0_slow < kShape.l0_stop);
  static_assert(kShape.debt_slow_bytes < kShape.debt_stop_bytes);

 public:
  // "leveled<4,12,36,64M,10,16M,1G,16G>": the fields of the shape in their order.
  static constexpr std::string_view kName =
      kPolicyName<"leveled", kShape.l0_trigger, kShape.l0_slow, kShape.l0_stop, kShape.level1_bytes,
                  kShape.fanout, kShape.file_bytes, kShape.debt_slow_bytes, kShape.debt_stop_bytes>;
  static constexpr int kMaxLevels = 7;
  static constexpr uint64_t kOutputFileBytes = kShape.file_bytes;

  static std::optional<Choice> Choose(const TreeShape& shape) {
    const LevelValues scores = Scores(shape);
    std::array<int, kMaxLevels> order;
    for (int level = 0; level < kMaxLevels; ++level) order[level] = level;
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return scores[a] > scores[b]; });
    for (const int level : order) {
      if (scores[level] < 1) break;
      std::optional<Choice> choice = level == 0 ? FromLevel0(shape) : FromLevel(shape, level);
      if (!choice.has_value()) continue;
      choice->score = scores[level];
      choice->reason = level == 0 ? "level 0 files" : "level bytes";
      return choice;
    }
    return std::nullopt;
  }

  static double WriteStallDebt(const TreeShape& shape) {
    double excess = 0;
    double target = kShape.level1_bytes;
    for (size_t level = 1; level + 1 < kMaxLevels; ++level, target *= kShape.fanout) {
      excess += std::max(0.0, static_cast<double>(TotalBytes(FilesOf(shape, level))) - target);
    }
    const double files = static_cast<double>(FilesOf(shape, 0).size());
    return std::max(DebtFraction(files, kShape.l0_slow, kShape.l0_stop),
                    DebtFraction(excess, kShape.debt_slow_bytes, kShape.debt_stop_bytes));
  }

  using LevelValues = std::array<double, kMaxLevels>;

  // By level; below 1 where there is nothing to do, and 0 for the last level.
  static LevelValues Scores(const TreeShape& shape) {
    const LevelValues targets = Targets(shape);
    LevelValues scores{};
    for (size_t level = 0; level + 1 < kMaxLevels; ++level) {
      double idle_files = 0;
      double idle_bytes = 0;
      for (const FileShape& file : FilesOf(shape, level)) {
        if (file.being_compacted) continue;
        idle_files += 1;
        idle_bytes += static_cast<double>(file.bytes);
      }
      scores[level] = level == 0 ? idle_files / static_cast<double>(kShape.l0_trigger)
                                 : idle_bytes / targets[level];
    }
    return scores;
  }

 private:
  static LevelValues Targets(const TreeShape& shape) {
    LevelValues targets{};
    targets[1] = kShape.level1_bytes;
    for (size_t level = 2; level < kMaxLevels; ++level) {
      targets[level] = targets[level - 1] * kShape.fanout;
    }
    size_t deepest = kMaxLevels - 1;
    while (deepest > 0 && FilesOf(shape, deepest).empty()) --deepest;
    double limit = static_cast<double>(TotalBytes(FilesOf(shape, deepest)));
    for (size_t level = deepest; level-- > 1;) {
      limit /= kShape.fanout;
      targets[level] = std::max<double>(kShape.level1_bytes, std::min(targets[level], limit));
    }
    return targets;
  }

  static std::optional<Choice> FromLevel0(const TreeShape& shape) {
    const std::span<const FileShape> level0 = FilesOf(shape, 0);
    for (size_t seed = level0.size(); seed-- > 0;) {
      std::optional<Choice> choice = Assemble(shape, 0, Level0Closure(level0, seed));
      if (choice.has_value()) return choice;
    }
    return std::nullopt;
  }

  static std::optional<Choice> FromLevel(const TreeShape& shape, int level) {
    const std::span<const FileShape> below = FilesOf(shape, static_cast<size_t>(level) + 1);
    const FileShape* best = nullptr;
    double best_ratio = 0;
    for (const FileShape& file : FilesOf(shape, static_cast<size_t>(level))) {
      if (file.being_compacted) continue;
      const std::span<const FileShape> overlapped = Overlapping(below, RangeOf(file));
      if (std::any_of(overlapped.begin(), overlapped.end(),
                      [](const FileShape& other) { return other.being_compacted; })) {
        continue;
      }
      const double ratio = static_cast<double>(TotalBytes(overlapped)) /
                           static_cast<double>(std::max<uint64_t>(file.bytes, 1));
      if (best == nullptr || ratio < best_ratio) {
        best = &file;
        best_ratio = ratio;
      }
    }
    if (best == nullptr) return std::nullopt;
    return Assemble(shape, level, std::span(&best, 1));
  }
};

static_assert(Compaction<LeveledCompaction<>>);

}  // namespace kv

#endif  // KV_COMPACTION_LEVELED_H_
