// A read gate: readers look at shared memory without a lock, and whoever replaced that memory can
// wait until no reader can still see the old.
//
//   reader:  auto guard = gate.Enter();  use(pointer.load(seq_cst));
//   writer:  pointer.store(fresh, seq_cst);  gate.Synchronize();  delete old;
//
// Invariants:
//   1. A reader counts itself in under the phase it saw, on its own stripe, and counts itself out
//      at the same place; so each count returns to zero exactly when its readers have left.
//   2. Synchronize waits for the counts of both phases, one after the other, with a turn of the
//      phase between. A reader that was counted after Synchronize looked at its count is later than
//      that look in the single order of sequentially consistent operations, so it sees `fresh`.
//   3. New readers count under the new phase, so a stream of readers cannot starve Synchronize.
//
// Cost: two uncontended atomic additions a read (about 10 ns). Synchronize yields while it waits:
// keep it off the write path. A guard must be short; whatever lives long takes a reference instead.
// Guards nest. Do not call Synchronize inside a guard: it would wait for itself.
//
// Thread safety: all functions from any thread.
// Source: sleepable read-copy-update (McKenney, "Sleepable RCU", LWN 2006).
#ifndef KV_BASE_READ_GATE_H_
#define KV_BASE_READ_GATE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>

#include "kv/base/thread_stripe.h"

namespace kv {

class ReadGate {
 public:
  class [[nodiscard]] Guard {
   public:
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    // release: pairs with the load in Drain, so that the reads under the guard are over by then.
    ~Guard() { readers_.fetch_sub(1, std::memory_order_release); }

   private:
    friend class ReadGate;
    // seq_cst: ordered before the guarded pointer's load (invariant 2).
    explicit Guard(std::atomic<uint64_t>& readers) : readers_(readers) {
      readers_.fetch_add(1, std::memory_order_seq_cst);
    }
    std::atomic<uint64_t>& readers_;
  };

  Guard Enter() {
    Stripe& stripe = stripes_[ThreadNumber() % kStripes];
    // relaxed: a stale phase is as good (invariant 2 waits for both).
    return Guard(stripe.readers[phase_.load(std::memory_order_relaxed) & 1]);
  }

  // Returns when every guard taken before the call is gone.
  void Synchronize() {
    const std::lock_guard lock(synchronize_mutex_);
    // relaxed: only the holder of the mutex writes the phase.
    const uint64_t phase = phase_.load(std::memory_order_relaxed);
    Drain((phase + 1) & 1);
    phase_.store(phase + 1, std::memory_order_seq_cst);
    Drain(phase & 1);
  }

 private:
  static constexpr size_t kStripes = 32;
  struct alignas(kCacheLineBytes) Stripe {
    std::array<std::atomic<uint64_t>, 2> readers{};
  };

  void Drain(uint64_t phase) {
    for (Stripe& stripe : stripes_) {
      // seq_cst: later than the caller's store of the fresh pointer (invariant 2); acquire part:
      // pairs with the guard's release.
      while (stripe.readers[phase].load(std::memory_order_seq_cst) != 0) {
        std::this_thread::yield();
      }
    }
  }

  std::array<Stripe, kStripes> stripes_;
  std::atomic<uint64_t> phase_{0};
  std::mutex synchronize_mutex_;
};

}  // namespace kv

#endif  // KV_BASE_READ_GATE_H_
