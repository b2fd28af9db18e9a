// EventCount: threads sleep until something has changed, and whoever changes it wakes all of them.
//
//   for (;;) {                              change what they wait for;
//     const uint32_t seen = count.Now();    count.NotifyAll();
//     if (what they wait for) break;
//     count.AwaitChange(seen);
//   }
//
// Invariant: a thread is counted before the futex looks at the word, and the word changes before
// the count is read. So either the sleeper sees the change or the notifier sees the sleeper, and
// with nobody asleep a notification is no system call.
//
// Thread safety: any thread. Memory order: Now acquires what was written before the NotifyAll whose
// count it returns; AwaitChange orders nothing. Cost: a call of the kernel for each sleep, and one
// for all who sleep.
// Not for: waking one of many, or a wait with an end (coord/park.h has both).
// Source: Reed and Kanodia, "Synchronization with Eventcounts and Sequencers", CACM 1979.
#ifndef KV_BASE_EVENT_COUNT_H_
#define KV_BASE_EVENT_COUNT_H_

#include <atomic>
#include <cstdint>
#include <optional>

#include "kv/base/atomic.h"
#include "kv/base/futex.h"
#include "kv/base/thread_stripe.h"

namespace kv {

class EventCount {
 public:
  // How many notifications there were, modulo 2^32.
  [[nodiscard]] uint32_t Now() const {
    // acquire: pairs with the release half of the addition in NotifyAll.
    return count_.load(std::memory_order_acquire);
  }

  // Sleeps for as long as Now() is `seen`. May return early.
  void AwaitChange(uint32_t seen) {
    // seq_cst: before the futex looks at count_; pairs with NotifyAll (store-buffering).
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    FutexWait(count_, seen, std::nullopt);
    // relaxed: a sleeper too many costs a call of the kernel.
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }

  void NotifyAll() {
    // seq_cst, both: the change of the word before the look at the sleepers; pairs with
    // AwaitChange.
    count_.fetch_add(1, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) > 0) FutexWakeAll(count_);
  }

 private:
  alignas(kCacheLineBytes) Atomic<uint32_t> count_{0};
  Atomic<uint32_t> sleepers_{0};
};

}  // namespace kv

#endif  // KV_BASE_EVENT_COUNT_H_
