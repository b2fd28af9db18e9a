// Lazy leveled compaction: tiers of several runs, and one leveled run at the bottom.
//
// Most of the data is in the last run, so dead versions take up little space, nearly as when
// leveled; the tiers above make each byte's way down as cheap as when tiered. Runs are about as
// many as there.
//
// For: stores that are mostly written, but must not grow. Of 16 GB written at random onto 8 GB,
// write amplification is 5.7 and space 1.21 (leveled: 12.1 and 1.08; tiered: 4.5 and 1.57;
// simulation_test.cc) and no merge took more than a third of the tree. Not for: short scans (each
// asks every run of the tiers, see leveled.h); loads of writes alone (see tiered.h).
//
// The last run is in level kMaxLevels - 1, wherever the tiers end. Of the tiers (tiers.h), the
// first `active` are used, the more the larger the last run is: as many as leave
//
//   last_ratio * (bytes of a full tier `active`) <= bytes of the last run
//
// and at least one. How it chooses, the first of these that there is:
//
//   level 0    has l0_trigger files that are idle: the oldest with all that overlap it go into tier
//   1 tier n     is full: a run sinks to a free slot of the tier, when there is one; otherwise the
//   part
//              that is full is merged into tier n + 1, or from the last active tier on a slice of
//              it into the last run: the leftmost files of the newest run, up to step_bytes, with
//              all that is older and overlaps
//   outgrown   a run of twice the bytes that the next tier expects of one: its files move on, where
//              nothing overlaps them. So ascending keys are never rewritten
//
// Slices bound how long a compaction takes and how much room it needs. Their edges are merged
// twice, which step_bytes keeps small against the rest.
//
// Write stall debt: a fraction of the files in level 0, as in tiered.h.
//
// Thread safety: pure functions. Complexity: O(files * log files) a choice.
// Omits: slices between tiers.
//
// Source: Dayan and Idreos, Dostoevsky, SIGMOD 2018.
#ifndef KV_COMPACTION_LAZY_LEVELED_H_
#define KV_COMPACTION_LAZY_LEVELED_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kv/base/policy_name.h"
#include "kv/compaction/assemble.h"
#include "kv/compaction/choice.h"
#include "kv/compaction/concept.h"
#include "kv/compaction/tiers.h"

namespace kv {

struct LazyLeveledShape {
  uint64_t l0_trigger = 4;                    // files
  uint64_t l0_slow = 16;                      // files from which writes are delayed
  uint64_t l0_stop = 64;                      // files at which they wait
  uint64_t runs = 4;                          // of a tier, and the ratio of two tiers' runs
  uint64_t tiers = 8;                         // at most, between level 0 and the last run
  uint64_t last_ratio = 1;                    // of the last run to the last active tier, at least
  uint64_t run_bytes = uint64_t{64} << 20;    // expected of a run of tier 1
  uint64_t file_bytes = uint64_t{16} << 20;   // of an output
  uint64_t step_bytes = uint64_t{128} << 20;  // of the newest run, in a merge into the last one
};

template <LazyLeveledShape kShape = LazyLeveledShape{}>
class LazyLeveledCompaction {
  static_assert(kShape.l0_trigger >= 1 && kShape.run_bytes >= 1 && kShape.file_bytes >= 1);
  static_assert(kShape.runs >= 2 && kShape.tiers >= 1 && kShape.runs * kShape.tiers < 63);
  static_assert(kShape.l0_trigger <= kShape.l0_slow && kShape.l0_slow < kShape.l0_stop);
  static_assert(kShape.last_ratio >= 1);

 public:
  // "lazy_leveled<4,16,64,4,8,1,64M,16M,128M>": the fields of the shape in their order.
  static constexpr std::string_view kName =
      kPolicyName<"lazy_leveled", kShape.l0_trigger, kShape.l0_slow, kShape.l0_stop, kShape.runs,
                  kShape.tiers, kShape.last_ratio, kShape.run_bytes, kShape.file_bytes,
                  kShape.step_bytes>;
  static constexpr int kMaxLevels = 2 + kShape.runs * kShape.tiers;
  static constexpr uint64_t kOutputFileBytes = kShape.file_bytes;

  static std::optional<Choice> Choose(const TreeShape& shape) {
    const double score = static_cast<double>(IdleFiles(FilesOf(shape, 0))) / kShape.l0_trigger;
    if (score >= 1) {
      const std::optional<Choice> choice = Level0IntoTier(shape, TierLevels(1, kShape.runs));
      if (choice.has_value()) return Because(choice, "level 0 files", score);
    }
    const size_t active = ActiveTiers(shape);
    for (size_t tier = 1; tier <= kShape.tiers; ++tier) {
      const Tier levels = TierLevels(tier, kShape.runs);
      if (FilesOf(shape, levels.first).empty()) continue;
      if (auto choice = SinkWithinTier(shape, levels)) {
        return Because(choice, "a free slot in the tier", 1);
      }
      auto choice = tier < active
                        ? FullPartIntoTier(shape, levels, TierLevels(tier + 1, kShape.runs))
                        : SliceIntoLast(shape, levels.first, kLast, kShape.step_bytes);
      if (choice.has_value()) return Because(choice, "full tier", 1);
    }
    uint64_t limit = 2 * kShape.run_bytes;
    for (size_t tier = 1; tier <= kShape.tiers; ++tier) {
      limit *= kShape.runs;
      const Tier next = TierLevels(tier + 1, kShape.runs);
      auto choice =
          MoveOutgrown(shape, TierLevels(tier, kShape.runs), limit,
                       tier < active ? next.first : kLast, tier < active ? next.last : kLast);
      if (choice.has_value()) return Because(choice, "run has outgrown its tier", 1);
    }
    return std::nullopt;
  }

  static double WriteStallDebt(const TreeShape& shape) {
    return DebtFraction(static_cast<double>(FilesOf(shape, 0).size()), kShape.l0_slow,
                        kShape.l0_stop);
  }

  static size_t ActiveTiers(const TreeShape& shape) {
    const uint64_t last = TotalBytes(FilesOf(shape, kLast));
    uint64_t tier_bytes = kShape.run_bytes * kShape.runs;
    size_t active = 1;
    while (active < kShape.tiers && tier_bytes * kShape.runs * kShape.last_ratio <= last) {
      tier_bytes *= kShape.runs;
      ++active;
    }
    return active;
  }

 private:
  static constexpr size_t kLast = kMaxLevels - 1;
};

static_assert(Compaction<LazyLeveledCompaction<>>);

}  // namespace kv

#endif  // KV_COMPACTION_LAZY_LEVELED_H_
