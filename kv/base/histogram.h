// A latency histogram: counts of nanoseconds in buckets whose width grows with the value, so that
// every reported value is within 0.1 % of the true one (3 significant digits) from 1 ns to 1 h.
//
// Source: the log-linear buckets of Gil Tene's HdrHistogram (https://hdrhistogram.org). Values
// below 1024 have a bucket each; above, every power of two is cut into 512 buckets, and a bucket
// answers with its middle, which is at most half a width, 1/1024, from any value in it.
//
// Invariants: Count() is the sum of all buckets; Min() and Max() are exact, so a value over one
// hour is not lost: it is counted in the last bucket and in Overflow().
//
// Thread safety: none. Give each thread its own and Merge() them.
// Cost: 136 KiB, no allocation; Record() is a few instructions and one cache line.
#ifndef KV_BASE_HISTOGRAM_H_
#define KV_BASE_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace kv {

class Histogram {
 public:
  static constexpr uint64_t kMaxNanos = uint64_t{3600} * 1'000'000'000;

  // Counts `nanos` `weight` times: a sampled value stands for that many.
  void Record(uint64_t nanos, uint64_t weight = 1) {
    minimum_ = std::min(minimum_, nanos);
    maximum_ = std::max(maximum_, nanos);
    total_ += static_cast<double>(nanos) * static_cast<double>(weight);
    count_ += weight;
    if (nanos > kMaxNanos) [[unlikely]] {
      overflow_ += weight;
      nanos = kMaxNanos;
    }
    buckets_[Index(nanos)] += weight;
  }

  void Merge(const Histogram& other) {
    for (size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
    minimum_ = std::min(minimum_, other.minimum_);
    maximum_ = std::max(maximum_, other.maximum_);
    total_ += other.total_;
    count_ += other.count_;
    overflow_ += other.overflow_;
  }

  // The value that `percent` (0..100) of all values do not exceed, by the nearest-rank rule;
  // 0 when empty. O(buckets).
  uint64_t Percentile(double percent) const {
    if (count_ == 0) return 0;
    const double exact_rank = percent / 100.0 * static_cast<double>(count_);
    const uint64_t rank =
        std::clamp<uint64_t>(static_cast<uint64_t>(std::ceil(exact_rank)), 1, count_);
    if (rank == count_) return maximum_;
    uint64_t seen = 0;
    for (size_t i = 0; i < kBuckets; ++i) {
      seen += buckets_[i];
      if (seen >= rank) return std::clamp(Middle(i), minimum_, maximum_);
    }
    return maximum_;
  }

  // Calls `visit(nanos, count)` for each bucket that has something, in rising order, with the
  // bucket's middle. O(buckets).
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (size_t i = 0; i < kBuckets; ++i) {
      if (buckets_[i] != 0) visit(Middle(i), buckets_[i]);
    }
  }

  uint64_t Count() const { return count_; }
  uint64_t Overflow() const { return overflow_; }
  uint64_t Min() const { return count_ == 0 ? 0 : minimum_; }
  uint64_t Max() const { return maximum_; }
  double Mean() const { return count_ == 0 ? 0 : total_ / static_cast<double>(count_); }

 private:
  static constexpr unsigned kExactBits = 10;  // below 2^10 each value has its own bucket
  static constexpr size_t kPerOctave = size_t{1} << (kExactBits - 1);

  static constexpr size_t Index(uint64_t nanos) {
    const unsigned width = static_cast<unsigned>(std::bit_width(nanos));
    const unsigned shift = width > kExactBits ? width - kExactBits : 0;
    return shift * kPerOctave + static_cast<size_t>(nanos >> shift);
  }

  static constexpr uint64_t Middle(size_t index) {
    if (index < 2 * kPerOctave) return index;
    const size_t shift = index / kPerOctave - 1;
    const uint64_t low = static_cast<uint64_t>(index - shift * kPerOctave) << shift;
    return low + ((uint64_t{1} << shift) - 1) / 2;
  }

  static constexpr unsigned kTopShift = std::bit_width(kMaxNanos) - kExactBits;
  static constexpr size_t kBuckets = kTopShift * kPerOctave + (kMaxNanos >> kTopShift) + 1;

  std::array<uint64_t, kBuckets> buckets_ = {};
  uint64_t minimum_ = std::numeric_limits<uint64_t>::max();
  uint64_t maximum_ = 0;
  double total_ = 0;
  uint64_t count_ = 0;
  uint64_t overflow_ = 0;
};

}  // namespace kv

#endif  // KV_BASE_HISTOGRAM_H_
