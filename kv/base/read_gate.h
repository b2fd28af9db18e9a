// A read gate: readers look at shared memory without a lock, and whoever replaced that memory can
// wait until no reader can still see the old.
//
//   reader:  auto guard = gate.Enter();  use(pointer.load(acquire));
//   writer:  pointer.store(fresh, release);  gate.Synchronize();  delete old;
//
// Invariants:
//   1. A reader counts itself in under the phase it saw, on its own stripe, and counts itself out
//      at the same place; so each count returns to zero exactly when its readers have left.
//   2. Synchronize waits for the counts of both phases, one after the other, with a turn of the
//      phase before each. A reader counts itself in, then loads the phase; Synchronize turns the
//      phase, then looks at the count. In the single order of these four either the look sees the
//      reader, or the reader's load sees the turn, and with it all that was replaced before.
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

#include "kv/base/atomic.h"
#include "kv/base/shard_lock.h"
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
    Guard(Atomic<uint64_t>& readers, const Atomic<uint64_t>& phase) : readers_(readers) {
      // seq_cst, both: invariant 2. The load is no cost: its line has just been read.
      readers_.fetch_add(1, std::memory_order_seq_cst);
      (void)phase.load(std::memory_order_seq_cst);
    }
    Atomic<uint64_t>& readers_;
  };

  Guard Enter() {
    Stripe& stripe = stripes_[ThreadNumber() % kStripes];
    // relaxed: a stale phase is as good (invariant 2 waits for both).
    return Guard(stripe.readers[phase_.load(std::memory_order_relaxed) & 1], phase_);
  }

  // Returns when every guard taken before the call is gone.
  void Synchronize() {
    const std::lock_guard lock(synchronize_lock_);
    for (int turns = 0; turns < 2; ++turns) {
      // relaxed: only the holder of the lock writes the phase.
      const uint64_t phase = phase_.load(std::memory_order_relaxed);
      phase_.store(phase + 1, std::memory_order_seq_cst);  // invariant 2
      Drain(phase & 1);
    }
  }

 private:
  static constexpr size_t kStripes = kModelled ? 3 : 32;
  struct alignas(kCacheLineBytes) Stripe {
    std::array<Atomic<uint64_t>, 2> readers{};
  };

  void Drain(uint64_t phase) {
    for (Stripe& stripe : stripes_) {
      // seq_cst: invariant 2; acquire part: pairs with the guard's release.
      while (stripe.readers[phase].load(std::memory_order_seq_cst) != 0) {
        GiveWay();
      }
    }
  }

  std::array<Stripe, kStripes> stripes_;
  Atomic<uint64_t> phase_{0};
  ShardLock synchronize_lock_;
};

}  // namespace kv

#endif  // KV_BASE_READ_GATE_H_
