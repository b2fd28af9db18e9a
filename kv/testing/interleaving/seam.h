// The model in the place of what kv/base/atomic.h has: a test compiles a part with
//
//   ASHLAR_ATOMIC_HEADER="kv/testing/interleaving/seam.h"
//
// (interleaving_test of interleaving.bzl) and runs it in Explore.
//
// Memory order: that of the part, which the model obeys.
#ifndef KV_TESTING_INTERLEAVING_SEAM_H_
#define KV_TESTING_INTERLEAVING_SEAM_H_

#include <atomic>
#include <cstddef>
#include <source_location>

#include "kv/testing/interleaving/atomic.h"
#include "kv/testing/interleaving/explore.h"

namespace kv {

template <typename T>
using Atomic = testing::interleaving::Atomic<T>;
template <typename T>
using AtomicRef = testing::interleaving::AtomicRef<T>;

// The places where it is called are what is weakened in turn.
inline void ThreadFence(std::memory_order order,
                        std::source_location where = std::source_location::current()) {
  testing::interleaving::Fence(order, where);
}

template <typename T>
T FenceAndExchange(Atomic<T>& object, T value) {
  testing::interleaving::Fence(std::memory_order_seq_cst);
  return object.exchange(value, std::memory_order_seq_cst);
}

inline void GiveWay() { testing::interleaving::Yield(); }

inline constexpr bool kModelled = true;
inline size_t ModelThread() { return testing::interleaving::ThreadNumber(); }
inline size_t ModelChoice(size_t count) { return testing::interleaving::Choose(count); }

}  // namespace kv

#endif  // KV_TESTING_INTERLEAVING_SEAM_H_
