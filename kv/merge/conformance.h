// Conformance suite of the Merge concept.
//
//   absl::Status CheckMerge<M>()   range, size, gain and termination of choices, and the bounds and
//                                  the slope of the debt, over random logs
//
// Hands back the first failure in words, so that a test can also assert that a broken model is
// refused.
#ifndef KV_MERGE_CONFORMANCE_H_
#define KV_MERGE_CONFORMANCE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/merge/concept.h"

namespace kv {

inline absl::Status MergeFailure(std::string_view what) {
  return absl::FailedPreconditionError(ToAbsl(what));
}

// Whether one choice keeps the promises of the concept.
inline absl::Status CheckMergeChoice(const LogShape& shape, const MergeChoice& choice) {
  if (choice.count == 0 || choice.first >= shape.segments.size() ||
      choice.count > shape.segments.size() - choice.first) {
    return MergeFailure(fmt::format("choice of {} from {} on, of {}", choice.count, choice.first,
                                    shape.segments.size()));
  }
  uint64_t live = 0;
  uint64_t dead = 0;
  for (const SegmentShape& segment : shape.segments.subspan(choice.first, choice.count)) {
    live += segment.LiveBytes();
    dead += segment.dead_bytes;
  }
  if (choice.count > 1 && live > shape.target_bytes) {
    return MergeFailure(fmt::format("{} live bytes do not fit into {}", live, shape.target_bytes));
  }
  if (choice.count == 1 && dead == 0) return MergeFailure("a merge that gains nothing");
  return absl::OkStatus();
}

// Replaces what was chosen by what a merge leaves of it.
inline void ApplyMerge(std::vector<SegmentShape>* segments, const MergeChoice& choice,
                       uint64_t number) {
  SegmentShape output{.number = number};
  const auto first = segments->begin() + static_cast<ptrdiff_t>(choice.first);
  const auto end = first + static_cast<ptrdiff_t>(choice.count);
  for (auto it = first; it != end; ++it) {
    output.bytes += it->LiveBytes();
    output.entries += it->entries;
  }
  const auto next = segments->erase(first, end);
  if (output.bytes > 0) segments->insert(next, output);
}

// Applies choices until there are none left.
template <Merge M>
absl::Status CheckMergeTermination(std::vector<SegmentShape> segments, uint64_t target_bytes) {
  uint64_t number = 1'000'000;
  const size_t limit = 4 * segments.size() + 4;
  for (size_t step = 0; step < limit; ++step) {
    const LogShape shape{.segments = segments, .target_bytes = target_bytes};
    const std::optional<MergeChoice> choice = M::Choose(shape);
    if (choice != M::Choose(shape)) return MergeFailure("two answers to one question");
    if (!choice) return absl::OkStatus();
    KV_RETURN_IF_ERROR(CheckMergeChoice(shape, *choice));
    ApplyMerge(&segments, *choice, ++number);
  }
  return MergeFailure(fmt::format("no end after {} merges", limit));
}

// The debt of logs whose dead share rises step by step: within 0 and 1, never falling, without a
// step of more than a tenth.
template <Merge M>
absl::Status CheckMergeDebt(size_t count, uint64_t target_bytes) {
  double last = 0;
  constexpr uint64_t kSteps = 200;
  for (uint64_t step = 0; step <= kSteps; ++step) {
    const std::vector<SegmentShape> segments(count, {.number = 1,
                                                     .bytes = target_bytes,
                                                     .dead_bytes = target_bytes * step / kSteps,
                                                     .entries = 1});
    const double debt = M::WriteStallDebt({.segments = segments, .target_bytes = target_bytes});
    if (!(debt >= 0 && debt <= 1)) return MergeFailure(fmt::format("debt of {}", debt));
    if (debt < last) return MergeFailure("the debt falls while more is dead");
    if (debt > last + 0.1) return MergeFailure(fmt::format("debt from {} to {}", last, debt));
    if (step == 0 && debt != 0) return MergeFailure("debt although nothing is dead");
    last = debt;
  }
  return absl::OkStatus();
}

template <Merge M>
absl::Status CheckMerge() {
  constexpr uint64_t kTarget = 1'000;
  if (M::Choose({.segments = {}, .target_bytes = kTarget})) {
    return MergeFailure("a choice among no segments");
  }
  std::mt19937_64 random(1);  // NOLINT(cert-msc51-cpp): one that replays
  for (int round = 0; round < 500; ++round) {
    std::vector<SegmentShape> segments;
    const size_t count = random() % 40;
    for (size_t i = 0; i < count; ++i) {
      SegmentShape segment{.number = i + 1, .bytes = 1 + random() % (round % 2 == 0 ? 100 : 1'200)};
      if (random() % 3 != 0) segment.dead_bytes = random() % (segment.bytes + 1);
      if (random() % 8 == 0) segment.dead_bytes = segment.bytes;
      segment.entries = segment.bytes;
      segments.push_back(segment);
    }
    KV_RETURN_IF_ERROR(CheckMergeTermination<M>(std::move(segments), kTarget));
  }
  for (const size_t count : {1, 5, 50}) KV_RETURN_IF_ERROR(CheckMergeDebt<M>(count, kTarget));
  return absl::OkStatus();
}

}  // namespace kv

#endif  // KV_MERGE_CONFORMANCE_H_
