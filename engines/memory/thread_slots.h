// Thread slots: one cache line for each thread in an object shared by many, so that a thread can
// announce and count with plain stores where a shared line would need atomic additions.
//
// Invariants:
//   1. At any time at most one thread owns index i < kThreadSlots. A thread takes the lowest free
//      index at its first use and gives it back when it ends; the mutex makes what the former owner
//      did happen before what the next one does.
//   2. Threads that find no free index have kThreadSlots: whoever keeps slots gives them a shared
//      one.
//
// In the model (kv/base/atomic.h) the indices are the trial's thread numbers, and the mark is as
// high as it can be.
//
// Thread safety: all functions from any thread. Cost after the first call: one thread-local load.
#ifndef ENGINES_MEMORY_THREAD_SLOTS_H_
#define ENGINES_MEMORY_THREAD_SLOTS_H_

#include <algorithm>
#include <atomic>
#include <bitset>
#include <cstddef>
#include <mutex>

#include "kv/base/atomic.h"

namespace kv::memory_internal {

inline constexpr size_t kThreadSlots = kModelled ? 3 : 512;

class ThreadSlotRegistry {
 public:
  // The calling thread's index, or kThreadSlots.
  static size_t Mine() {
    if constexpr (kModelled) return std::min(ModelThread(), kThreadSlots);
    const size_t mine = mine_;
    return mine != kUnknown ? mine : Assign();
  }

  // No index at or above it has ever been given out; a scan of slots may stop there.
  static size_t HighWater() {
    if constexpr (kModelled) return kThreadSlots;
    // seq_cst: a thread that took an index before its slot's seq_cst store is within the mark for
    // a scanner whose seq_cst load comes after that store.
    return Shared().high_water.load(std::memory_order_seq_cst);
  }

 private:
  static constexpr size_t kUnknown = ~size_t{0};

  struct State {
    std::mutex mutex;
    std::bitset<kThreadSlots> taken;  // guarded by mutex
    std::atomic<size_t> high_water{0};
  };

  struct Release {
    size_t index;
    ~Release() {
      mine_ = kThreadSlots;  // reads by later destructors of this thread use the shared slot
      if (index == kThreadSlots) return;
      const std::lock_guard lock(Shared().mutex);
      Shared().taken.reset(index);
    }
  };

  // Never destroyed: threads may end after the statics of the program.
  static State& Shared() {
    static State* const state = new State;
    return *state;
  }

  static size_t Assign() {
    State& state = Shared();
    size_t index = 0;
    {
      const std::lock_guard lock(state.mutex);
      while (index < kThreadSlots && state.taken.test(index)) ++index;
      if (index < kThreadSlots) {
        state.taken.set(index);
        // relaxed: stored only under the mutex, which is held.
        if (index + 1 > state.high_water.load(std::memory_order_relaxed)) {
          state.high_water.store(index + 1, std::memory_order_seq_cst);  // see HighWater
        }
      }
    }
    mine_ = index;
    thread_local const Release release{index};
    return index;
  }

  // Constant-initialised and trivial, so that reading it needs no guard.
  static inline thread_local constinit size_t mine_ = kUnknown;
};

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_THREAD_SLOTS_H_
