// WaitCounts: who waits, how many of them have been notified, and how many sleep, in one word of 32
// bits, which a futex can watch.
//
//    31  30 29         20 19         10 9           0
//   ┌──────┬─────────────┬─────────────┬─────────────┐
//   │  0   │   asleep    │   waiters   │  notified   │
//   └──────┴─────────────┴─────────────┴─────────────┘
//
// A notification is for whoever of the waiters takes it first. So notified <= waiters at all times,
// and where the two are equal Notify has nothing to do: each waiter will return, and look for work
// behind what the notifier did before.
//
// A wake-up would be lost if the notifier, who makes work known and then loads the counts, saw
// nobody, and the waiter, who announces itself and then looks for work, saw none. So both steps of
// both are sequentially consistent. Nothing more is needed for one who has been notified: if it
// finds no work and would wait again, it announces itself again.
//
// Thread safety: any thread; lock-free. At most 1023 waiters.
// Source of the idea: the event count of Eigen (Vyukov), which counts waiters and signals so.
#ifndef COORD_WAIT_COUNTS_H_
#define COORD_WAIT_COUNTS_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "kv/base/atomic.h"

namespace coord {

class WaitCounts {
 public:
  struct Notified {
    size_t count = 0;
    size_t asleep = 0;  // at that time; a sleeper has to be woken
  };

  void Announce() {
    // seq_cst: pairs with the load in Notify.
    const uint32_t before = word_.fetch_add(kWaiter, std::memory_order_seq_cst);
    if (Waiters(before) == kMost) std::abort();
  }

  Notified Notify(size_t count) {
    // seq_cst: pairs with Announce.
    const uint32_t seen = word_.load(std::memory_order_seq_cst);
    if (Waiters(seen) == NotifiedOf(seen)) [[likely]]
      return {};
    return NotifySome(seen, count);
  }

  // A waiter takes a notification, if there is one, and waits no longer.
  bool TryTake() {
    // relaxed: the exchange decides.
    uint32_t seen = word_.load(std::memory_order_relaxed);
    while (NotifiedOf(seen) > 0) {
      // acquire: pairs with the release of Notify.
      if (word_.compare_exchange_weak(seen, seen - kWaiter - kNotified, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  // A waiter waits no longer, unless there are as many notifications as waiters: then one is for
  // it to take.
  bool TryLeave() {
    // relaxed: the exchange decides.
    uint32_t seen = word_.load(std::memory_order_relaxed);
    while (NotifiedOf(seen) < Waiters(seen)) {
      // relaxed: it has taken nothing. If it comes for work again, it announces itself again.
      if (word_.compare_exchange_weak(seen, seen - kWaiter, std::memory_order_relaxed)) return true;
    }
    return false;
  }

  // A waiter that finds no notification counts as asleep, until WakeUp. Returns the word that it
  // may sleep on for as long as that does not change.
  std::optional<uint32_t> FallAsleep() {
    // relaxed, here and in WakeUp: who notifies changes the same word, and so comes before or
    // behind.
    uint32_t seen = word_.load(std::memory_order_relaxed);
    while (NotifiedOf(seen) == 0) {
      if (word_.compare_exchange_weak(seen, seen + kSleeper, std::memory_order_relaxed)) {
        return seen + kSleeper;
      }
    }
    return std::nullopt;
  }
  void WakeUp() { word_.fetch_sub(kSleeper, std::memory_order_relaxed); }

  kv::Atomic<uint32_t>& word() { return word_; }

 private:
  // The rare part, apart so that the other is small enough to be inlined.
  Notified NotifySome(uint32_t seen, size_t count) {
    for (;;) {
      const uint32_t open = Waiters(seen) - NotifiedOf(seen);
      if (open == 0 || count == 0) return {};
      const auto now = static_cast<uint32_t>(std::min<size_t>(count, open));
      // release: pairs with the acquire of TryTake. relaxed where it fails: whom the load of Notify
      // did not see has announced itself behind it, and sees the work.
      if (word_.compare_exchange_weak(seen, seen + now * kNotified, std::memory_order_release,
                                      std::memory_order_relaxed)) {
        return {now, Asleep(seen)};
      }
    }
  }

  static constexpr uint32_t kNotified = 1;
  static constexpr uint32_t kWaiter = 1 << 10;
  static constexpr uint32_t kSleeper = 1 << 20;
  static constexpr uint32_t kMost = kWaiter - 1;

  static uint32_t NotifiedOf(uint32_t word) { return word & kMost; }
  static uint32_t Waiters(uint32_t word) { return word / kWaiter & kMost; }
  static uint32_t Asleep(uint32_t word) { return word / kSleeper; }

  kv::Atomic<uint32_t> word_{0};
};

}  // namespace coord

#endif  // COORD_WAIT_COUNTS_H_
