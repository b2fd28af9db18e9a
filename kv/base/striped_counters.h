// Counters that many threads add to and few read: each thread adds on its own stripe.
//
// Thread safety: any thread. Sum is not a snapshot: it may miss additions that run beside it, and
// is exact once they have stopped. Cost of Add: one uncontended atomic addition, about 5 ns.
#ifndef KV_BASE_STRIPED_COUNTERS_H_
#define KV_BASE_STRIPED_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "kv/base/thread_stripe.h"

namespace kv {

// `Counter` is an enum whose enumerators are 0 .. kCount - 1.
template <typename Counter, size_t kCount>
class StripedCounters {
 public:
  using Id = Counter;

  // relaxed here and in Sum: the counts order nothing.
  void Add(Counter counter, uint64_t amount = 1) {
    Stripe& stripe = stripes_[ThreadNumber() % kStripes];
    stripe.counts[static_cast<size_t>(counter)].fetch_add(amount, std::memory_order_relaxed);
  }

  uint64_t Sum(Counter counter) const {
    uint64_t sum = 0;
    for (const Stripe& stripe : stripes_) {
      sum += stripe.counts[static_cast<size_t>(counter)].load(std::memory_order_relaxed);
    }
    return sum;
  }

 private:
  static constexpr size_t kStripes = 16;
  struct alignas(kCacheLineBytes) Stripe {
    std::array<std::atomic<uint64_t>, kCount> counts{};
  };
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace kv

#endif  // KV_BASE_STRIPED_COUNTERS_H_
