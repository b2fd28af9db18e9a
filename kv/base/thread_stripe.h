// A small number for each thread, for data structures that are split into stripes to keep threads
// off each other's cache lines. Each running thread has one of its own, the smallest that no other
// has, so up to as many threads as there are stripes share none, however many have ended before.
//
// Memory order: what a thread did before its end happens before what the next with its number does
// after it has been given it. So a stripe may have plain fields of the thread that has the number.
//
// Thread safety: any thread. Complexity: a load of a thread's own; at its first call and at its end
// a look for a free number.
#ifndef KV_BASE_THREAD_STRIPE_H_
#define KV_BASE_THREAD_STRIPE_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "kv/base/atomic.h"

namespace kv {

inline constexpr size_t kCacheLineBytes = 64;

namespace internal {

// The numbers that are in use. Threads beyond the last share that one.
class ThreadNumbers {
 public:
  static constexpr size_t kShared = 1024;

  size_t Take() {
    for (size_t i = 0; i < words_.size(); ++i) {
      uint64_t used = words_[i].load(std::memory_order_relaxed);
      while (used != ~uint64_t{0}) {
        const uint64_t lowest = ~used & (used + 1);
        // acquire: pairs with the release of whoever had the number before.
        if (words_[i].compare_exchange_weak(used, used | lowest, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
          return i * 64 + static_cast<size_t>(std::countr_zero(lowest));
        }
      }
    }
    return kShared;
  }

  void GiveBack(size_t number) {
    if (number == kShared) return;
    // release: pairs with the acquire in Take.
    words_[number / 64].fetch_and(~(uint64_t{1} << number % 64), std::memory_order_release);
  }

 private:
  std::array<Atomic<uint64_t>, kShared / 64> words_{};
};

inline constinit ThreadNumbers thread_numbers;

inline constexpr size_t kNoThreadNumber = std::numeric_limits<size_t>::max();
inline thread_local constinit size_t thread_number = kNoThreadNumber;

inline size_t TakeThreadNumber() {
  struct Holder {
    ~Holder() {
      thread_numbers.GiveBack(thread_number);
      // What the thread's other destructors count, they count with those that share.
      thread_number = ThreadNumbers::kShared;
    }
  };
  thread_number = thread_numbers.Take();
  thread_local const Holder holder;
  return thread_number;
}

}  // namespace internal

inline size_t ThreadNumber() {
  if constexpr (kModelled) return ModelThread();
  if (internal::thread_number != internal::kNoThreadNumber) [[likely]] {
    return internal::thread_number;
  }
  return internal::TakeThreadNumber();
}

}  // namespace kv

#endif  // KV_BASE_THREAD_STRIPE_H_
