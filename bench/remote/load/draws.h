// Draws by weight in constant time: which step of a mix, which size, which time to live.
//
// Thread safety: const functions of immutable tables; the Random belongs to the caller.
// Complexity: a draw is one random number and one look at a table (A. Walker's alias method, ACM
// TOMS 3, 1977; M. Vose's construction, IEEE TSE 17, 1991).
#ifndef BENCH_REMOTE_LOAD_DRAWS_H_
#define BENCH_REMOTE_LOAD_DRAWS_H_

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "bench/random.h"
#include "bench/remote/load/options.h"

namespace bench::remote {

// An index, with a probability proportional to its weight.
class WeightedDraw {
 public:
  // At least one weight; none negative, and not all 0.
  explicit WeightedDraw(std::span<const double> weights) : slots_(weights.size()) {
    assert(!weights.empty());
    double total = 0;
    for (const double weight : weights) total += weight;
    const auto count = static_cast<double>(weights.size());
    std::vector<double> scaled;
    std::vector<size_t> low, high;
    for (size_t i = 0; i < weights.size(); ++i) {
      scaled.push_back(weights[i] / total * count);
      (scaled[i] < 1 ? low : high).push_back(i);
    }
    // Each slot under its fair share is filled up by one above, which keeps the rest.
    while (!low.empty() && !high.empty()) {
      const size_t below = low.back();
      const size_t above = high.back();
      low.pop_back();
      slots_[below] = {Threshold(scaled[below]), static_cast<uint32_t>(above)};
      scaled[above] -= 1 - scaled[below];
      if (scaled[above] < 1) {
        high.pop_back();
        low.push_back(above);
      }
    }
    // What rounding has left over is full.
    for (const auto* const rest : {&low, &high}) {
      for (const size_t i : *rest) slots_[i] = {Threshold(1), static_cast<uint32_t>(i)};
    }
  }

  size_t operator()(Random& random) const {
    if (slots_.size() == 1) return 0;
    const uint64_t bits = random.Next();
    const size_t slot = ((bits >> 32) * slots_.size()) >> 32;
    return (bits & 0xffffffff) < slots_[slot].threshold ? slot : slots_[slot].other;
  }

 private:
  struct Slot {
    uint64_t threshold = 0;  // of 2^32
    uint32_t other = 0;
  };
  static uint64_t Threshold(double share) {
    return static_cast<uint64_t>(std::clamp(share, 0.0, 1.0) * 0x1.0p32);
  }

  std::vector<Slot> slots_;
};

// A number of some ranges.
class RangeDraw {
 public:
  // At least one range, the highest of each not below its lowest.
  explicit RangeDraw(std::vector<RangeShare> ranges)
      : ranges_(std::move(ranges)), draw_(Weights(ranges_)) {}

  uint32_t operator()(Random& random) const {
    const RangeShare& range = ranges_[draw_(random)];
    if (range.lowest == range.highest) return range.lowest;
    return range.lowest +
           static_cast<uint32_t>(random.Uniform(uint64_t{range.highest} - range.lowest + 1));
  }

 private:
  static std::vector<double> Weights(const std::vector<RangeShare>& ranges) {
    std::vector<double> weights;
    for (const RangeShare& range : ranges) weights.push_back(range.weight);
    return weights;
  }

  std::vector<RangeShare> ranges_;
  WeightedDraw draw_;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_DRAWS_H_
