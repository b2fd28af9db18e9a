// Merges the segment with the largest share of dead bytes, once it is at least min_dead_fraction,
// together with neighbours that gain by it too as long as what is left of them fits into one.
//
// Space: with min_dead_fraction = d, what is sealed takes at most 1 / (1 - d) times its live bytes
// when merging has caught up, and writers are slowed down before it takes 1 / (1 - full_debt) times
// (beyond slack_segments). Write amplification of steady overwriting: up to 1 / d, as each byte
// that a merge copies is paid for by d / (1 - d) bytes that it frees.
//
// Small segments, which frequent opening and closing leaves, are put together when there are
// small_run of them side by side, each at most a quarter of the target.
//
// For: the usual choice. Smaller d: less space, more writing.
// Not for: data that all expires at about the same time, where whole segments die by themselves and
// a larger d writes less.
// Source: Rosenblum and Ousterhout, "The Design and Implementation of a Log-Structured File
// System", 1992 (segment cleaning); Sheehy and Smith, "Bitcask", 2010.
#ifndef KV_MERGE_DEAD_RATIO_H_
#define KV_MERGE_DEAD_RATIO_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kv/merge/concept.h"

namespace kv {

struct DeadRatioShape {
  double min_dead_fraction = 0.5;  // of a segment, to be merged
  double full_debt = 0.8;          // of the whole, at which writers crawl
  size_t slack_segments = 4;       // dead segments that nobody is slowed down for
  size_t small_run = 8;            // small segments side by side, to be put together
};

template <DeadRatioShape kShape = DeadRatioShape{}>
class DeadRatioMerge {
  static_assert(kShape.min_dead_fraction > 0 && kShape.min_dead_fraction < kShape.full_debt &&
                kShape.full_debt < 1);
  static_assert(kShape.small_run >= 2);

 public:
  static constexpr std::string_view kName = "dead_ratio";

  static std::optional<MergeChoice> Choose(const LogShape& shape) {
    const auto segments = shape.segments;
    std::optional<size_t> worst;
    for (size_t i = 0; i < segments.size(); ++i) {
      if (!WorthIt(segments[i], kShape.min_dead_fraction)) continue;
      if (!worst || DeadFraction(segments[i]) > DeadFraction(segments[*worst])) worst = i;
    }
    if (!worst) return SmallRun(shape);
    MergeChoice choice{.first = *worst, .count = 1};
    uint64_t live = segments[*worst].LiveBytes();
    const auto joins = [&](size_t i) {
      const bool gains = WorthIt(segments[i], kShape.min_dead_fraction / 2) ||
                         segments[i].bytes <= shape.target_bytes / 4;
      if (!gains || live + segments[i].LiveBytes() > shape.target_bytes) return false;
      live += segments[i].LiveBytes();
      return true;
    };
    while (choice.first > 0 && joins(choice.first - 1)) {
      --choice.first;
      ++choice.count;
    }
    while (choice.first + choice.count < segments.size() && joins(choice.first + choice.count)) {
      ++choice.count;
    }
    return choice;
  }

  static double WriteStallDebt(const LogShape& shape) {
    uint64_t bytes = 0;
    uint64_t dead = 0;
    for (const SegmentShape& segment : shape.segments) {
      bytes += segment.bytes;
      dead += segment.dead_bytes;
    }
    const double slack =
        static_cast<double>(shape.target_bytes) * static_cast<double>(kShape.slack_segments);
    const double over =
        static_cast<double>(dead) - kShape.min_dead_fraction * static_cast<double>(bytes) - slack;
    const double range =
        (kShape.full_debt - kShape.min_dead_fraction) * static_cast<double>(bytes) + slack;
    return range <= 0 ? 0 : std::clamp(over / range, 0.0, 1.0);
  }

 private:
  static double DeadFraction(const SegmentShape& segment) {
    return segment.bytes == 0
               ? 0
               : static_cast<double>(segment.dead_bytes) / static_cast<double>(segment.bytes);
  }
  static bool WorthIt(const SegmentShape& segment, double fraction) {
    return segment.dead_bytes > 0 && DeadFraction(segment) >= fraction;
  }

  static std::optional<MergeChoice> SmallRun(const LogShape& shape) {
    size_t run = 0;
    uint64_t live = 0;
    for (size_t i = 0; i < shape.segments.size(); ++i) {
      const SegmentShape& segment = shape.segments[i];
      const bool small = segment.bytes <= shape.target_bytes / 4;
      if (!small || live + segment.LiveBytes() > shape.target_bytes) {
        run = 0;
        live = 0;
      }
      if (!small) continue;
      ++run;
      live += segment.LiveBytes();
      if (run == kShape.small_run) return MergeChoice{.first = i + 1 - run, .count = run};
    }
    return std::nullopt;
  }
};

static_assert(Merge<DeadRatioMerge<>>);

}  // namespace kv

#endif  // KV_MERGE_DEAD_RATIO_H_
