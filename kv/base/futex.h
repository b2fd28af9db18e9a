// A futex: to sleep while a word has a value, with an end (Linux, futex(2)).
//
// std::atomic's wait has no end. GCC 12's yields four times before it sleeps, which on a machine
// with more threads than processors is four switches to a thread that could have run at once.
//
// In the model of kv/testing/interleaving, which has no time, a sleep with an end is over at once.
//
// Thread safety: any thread. Memory order: none; the caller looks at the word again.
// Source: Drepper, Futexes Are Tricky, 2011.
#ifndef KV_BASE_FUTEX_H_
#define KV_BASE_FUTEX_H_

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "kv/base/atomic.h"

namespace kv {

// A time of CLOCK_MONOTONIC, which std::chrono::steady_clock is here; none: without end.
using SleepEnd = std::optional<std::chrono::steady_clock::time_point>;

// `longest` from now on; without end where that is beyond what the clock can say.
inline SleepEnd EndAfter(std::chrono::nanoseconds longest) {
  const auto now = std::chrono::steady_clock::now();
  if (longest > std::chrono::steady_clock::time_point::max() - now) return std::nullopt;
  return now + longest;
}

// False when the time was over. May return early.
inline bool FutexWait(Atomic<uint32_t>& word, uint32_t value, SleepEnd end) {
  static_assert(sizeof(word) == sizeof(uint32_t));
  if constexpr (kModelled) {
    if (end.has_value()) return false;
    word.wait(value, std::memory_order_relaxed);
    return true;
  }
  timespec time{};
  if (end.has_value()) {
    const auto nanos = end->time_since_epoch().count();
    time = {.tv_sec = nanos / 1'000'000'000, .tv_nsec = nanos % 1'000'000'000};
  }
  // FUTEX_WAIT_BITSET takes a point of time where FUTEX_WAIT takes a duration.
  const auto slept = ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, value,
                               end.has_value() ? &time : nullptr, nullptr, FUTEX_BITSET_MATCH_ANY);
  return slept == 0 || errno != ETIMEDOUT;
}

inline void FutexWake(Atomic<uint32_t>& word, size_t count) {
  if constexpr (kModelled) {
    for (; count > 0; --count) word.notify_one();
    return;
  }
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE,
            count < INT_MAX ? static_cast<int>(count) : INT_MAX, nullptr, nullptr, 0);
}

inline void FutexWakeAll(Atomic<uint32_t>& word) {
  if constexpr (kModelled) {
    word.notify_all();
  } else {
    FutexWake(word, INT_MAX);
  }
}

}  // namespace kv

#endif  // KV_BASE_FUTEX_H_
