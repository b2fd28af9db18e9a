// StoreLoadFence: of two threads that each store something and then look at what the other stores,
// one sees it. One of them often does so, and calls Light; the other seldom, and calls Heavy, which
// pays for both: it puts a memory barrier into every running thread. Where the kernel refuses that,
// each side has a fence of its own.
//
//   registrant:  push;      Light();  does anybody sleep?
//   worker:      announce;  Heavy();  is there anything?  no: sleep
//
// Thread safety and complexity: any thread; Light no instruction, Heavy a system call.
// Source: membarrier.h.
#ifndef COORD_STORE_LOAD_FENCE_H_
#define COORD_STORE_LOAD_FENCE_H_

#include <atomic>

#include "coord/membarrier.h"
#include "kv/base/atomic.h"

namespace coord {

// `Barrier` stands for Membarrier in tests: a kernel that refuses, a model of it.
template <typename Barrier>
class StoreLoadFenceBy {
 public:
  void Light() {
    if (granted_) [[likely]] {
      // seq_cst of the compiler alone: no load of the caller rises above a store.
      std::atomic_signal_fence(std::memory_order_seq_cst);
    } else {
      // seq_cst: pairs with the fence in Heavy.
      kv::ThreadFence(std::memory_order_seq_cst);
    }
  }

  void Heavy() {
    if (granted_) [[likely]] {
      barrier_();
    } else {
      // seq_cst: pairs with the fence in Light.
      kv::ThreadFence(std::memory_order_seq_cst);
    }
  }

 private:
  Barrier barrier_;
  const bool granted_ = barrier_.Register();
};

using StoreLoadFence = StoreLoadFenceBy<Membarrier>;

}  // namespace coord

#endif  // COORD_STORE_LOAD_FENCE_H_
