// Tiered compaction: `runs` sorted runs of about one size a tier, merged into one run of the next.
//
// Each byte is rewritten once a tier, so write amplification is the number of tiers. Pays for it in
// reads, which may ask every run of every tier, and in space: dead versions stay until their tier
// is merged.
//
// For: loads of writes. Of 16 GB written at random onto 8 GB, counted in simulation_test.cc:
//
//                   write amplification   runs   space (bytes per byte that is live)
//     leveled              12.1            4.6   1.08
//     lazy leveled          5.7            7.1   1.21
//     tiered                4.5            7.4   1.57
//
// Not for: scans and reads of absent keys beyond what filters hide; stores that may not take up
// twice their data; a merge of the largest tier is one step, and needs room for its result.
//
// How it chooses, the first of these that there is:
//
//   level 0    has l0_trigger files that are idle: the oldest with all that overlap it go into
//              tier 1
//   tier n     is full: a run sinks to a free slot of the tier, when there is one; otherwise the
//              part that is full is merged into tier n + 1 (tiers.h); shallow tiers first. The last
//              tier is merged into its own deepest level
//   outgrown   a run of twice the bytes that tier n + 1 expects of one: its files move there, where
//              nothing overlaps them. So ascending keys are never rewritten
//
// A tier that is full keeps the one above from merging into it, and at last level 0 from being
// emptied; so the write stall debt is a fraction of the files in level 0: 0 at l0_slow, 1 at
// l0_stop.
//
// Thread safety: pure functions. Complexity: O(files * log files) a choice.
// Omits: merging a tier in slices of the key range.
//
// Source: Jagadish et al., Incremental Organization for Data Recording and Warehousing, VLDB 1997;
// the universal compaction of RocksDB.
#ifndef KV_COMPACTION_TIERED_H_
#define KV_COMPACTION_TIERED_H_

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

struct TieredShape {
  uint64_t l0_trigger = 4;                   // files
  uint64_t l0_slow = 16;                     // files from which writes are delayed
  uint64_t l0_stop = 64;                     // files at which they wait
  uint64_t runs = 4;                         // of a tier, and the ratio of two tiers' runs
  uint64_t tiers = 8;                        // below level 0
  uint64_t run_bytes = uint64_t{64} << 20;   // expected of a run of tier 1
  uint64_t file_bytes = uint64_t{64} << 20;  // of an output
};

template <TieredShape kShape = TieredShape{}>
class TieredCompaction {
  static_assert(kShape.l0_trigger >= 1 && kShape.run_bytes >= 1 && kShape.file_bytes >= 1);
  static_assert(kShape.runs >= 2 && kShape.tiers >= 1 && kShape.runs * kShape.tiers < 64);
  static_assert(kShape.l0_trigger <= kShape.l0_slow && kShape.l0_slow < kShape.l0_stop);

 public:
  // "tiered<4,16,64,4,8,64M,64M>": the fields of the shape in their order.
  static constexpr std::string_view kName =
      kPolicyName<"tiered", kShape.l0_trigger, kShape.l0_slow, kShape.l0_stop, kShape.runs,
                  kShape.tiers, kShape.run_bytes, kShape.file_bytes>;
  static constexpr int kMaxLevels = 1 + kShape.runs * kShape.tiers;
  static constexpr uint64_t kOutputFileBytes = kShape.file_bytes;

  static std::optional<Choice> Choose(const TreeShape& shape) {
    const double score = static_cast<double>(IdleFiles(FilesOf(shape, 0))) / kShape.l0_trigger;
    if (score >= 1) {
      const std::optional<Choice> choice = Level0IntoTier(shape, TierLevels(1, kShape.runs));
      if (choice.has_value()) return Because(choice, "level 0 files", score);
    }
    for (size_t tier = 1; tier <= kShape.tiers; ++tier) {
      const Tier levels = TierLevels(tier, kShape.runs);
      if (FilesOf(shape, levels.first).empty()) continue;
      if (auto choice = SinkWithinTier(shape, levels)) {
        return Because(choice, "a free slot in the tier", 1);
      }
      auto choice = tier < kShape.tiers
                        ? FullPartIntoTier(shape, levels, TierLevels(tier + 1, kShape.runs))
                        : MergeLastTier(shape, levels);
      if (choice.has_value()) return Because(choice, "full tier", 1);
    }
    uint64_t limit = 2 * kShape.run_bytes;
    for (size_t tier = 1; tier < kShape.tiers; ++tier) {
      limit *= kShape.runs;
      const Tier next = TierLevels(tier + 1, kShape.runs);
      auto choice =
          MoveOutgrown(shape, TierLevels(tier, kShape.runs), limit, next.first, next.last);
      if (choice.has_value()) return Because(choice, "run has outgrown its tier", 1);
    }
    return std::nullopt;
  }

  static double WriteStallDebt(const TreeShape& shape) {
    return DebtFraction(static_cast<double>(FilesOf(shape, 0).size()), kShape.l0_slow,
                        kShape.l0_stop);
  }

 private:
  static std::optional<Choice> MergeLastTier(const TreeShape& shape, const Tier& levels) {
    for (const auto& part : FullParts(shape, levels)) {
      if (auto choice = Bring(shape, part, levels.last)) return choice;
    }
    return std::nullopt;
  }
};

static_assert(Compaction<TieredCompaction<>>);

}  // namespace kv

#endif  // KV_COMPACTION_TIERED_H_
