// A small number for each thread, for data structures that are split into stripes to keep threads
// off each other's cache lines. Threads are numbered in the order in which they first ask, so up to
// as many threads as there are stripes share none.
//
// Thread safety: any thread.
#ifndef KV_BASE_THREAD_STRIPE_H_
#define KV_BASE_THREAD_STRIPE_H_

#include <atomic>
#include <cstddef>

#include "kv/base/atomic.h"

namespace kv {

inline constexpr size_t kCacheLineBytes = 64;

inline size_t ThreadNumber() {
  if constexpr (kModelled) return ModelThread();
  static std::atomic<size_t> next{0};
  // relaxed: only the uniqueness of the number matters.
  thread_local const size_t number = next.fetch_add(1, std::memory_order_relaxed);
  return number;
}

}  // namespace kv

#endif  // KV_BASE_THREAD_STRIPE_H_
