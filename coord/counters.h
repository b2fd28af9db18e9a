// Counters for paths of a few nanoseconds: up to kOwners threads at a time have a stripe each to
// themselves, where to count is a load and a store; more than that share one, and pay a
// read-modify-write. A thread goes on with the stripe of one that has ended (thread_stripe.h).
//
// For: counting what takes less time than an atomic addition. Elsewhere:
// kv/base/striped_counters.h.
//
// Memory order: relaxed throughout; the counts order nothing.
// Thread safety: any thread. Sum is not a snapshot: it may miss what runs beside it, and is exact
// once that has stopped.
#ifndef COORD_COUNTERS_H_
#define COORD_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "kv/base/atomic.h"
#include "kv/base/thread_stripe.h"

namespace coord {

// `Counter` is an enum whose enumerators are 0 .. kCount - 1.
template <typename Counter, size_t kCount>
class Counters {
 public:
  void Add(Counter counter, uint64_t amount = 1) {
    const size_t thread = kv::ThreadNumber();
    const auto which = static_cast<size_t>(counter);
    if (thread < kOwners) [[likely]] {
      std::atomic<uint64_t>& count = stripes_[thread].counts[which];
      count.store(count.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    } else {
      stripes_[kOwners].counts[which].fetch_add(amount, std::memory_order_relaxed);
    }
  }

  uint64_t Sum(Counter counter) const {
    uint64_t sum = 0;
    for (const Stripe& stripe : stripes_) {
      sum += stripe.counts[static_cast<size_t>(counter)].load(std::memory_order_relaxed);
    }
    return sum;
  }

 private:
  static constexpr size_t kOwners = kv::kModelled ? 6 : 63;
  struct alignas(kv::kCacheLineBytes) Stripe {
    std::array<std::atomic<uint64_t>, kCount> counts{};
  };
  std::array<Stripe, kOwners + 1> stripes_;
};

}  // namespace coord

#endif  // COORD_COUNTERS_H_
