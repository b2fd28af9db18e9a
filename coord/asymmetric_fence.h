// AsymmetricFence: the runner pays, once a batch. A registrant who finds its slot queued has only
// to keep the compiler from moving its stores past its load; the runner's Heavy() puts a memory
// barrier into every running thread, wherever that is:
//
//   barrier before the registrant's load:  the load sees "running"
//   barrier behind it:                     the message, stored before the load, is seen behind it
//
// Where the kernel refuses the barrier, registrants pay as with SymmetricFence.
//
// For: many registrations of slots that are queued already, and long batches.
// Not for: batches of one.
//
// Thread safety and complexity: any thread; a load a duplicate, a system call a batch.
// Source: membarrier.h.
#ifndef COORD_ASYMMETRIC_FENCE_H_
#define COORD_ASYMMETRIC_FENCE_H_

#include <atomic>
#include <cstdint>
#include <string_view>

#include "coord/fence_concept.h"
#include "coord/membarrier.h"
#include "coord/symmetric_fence.h"
#include "kv/base/atomic.h"

namespace coord {

// `Barrier` stands for Membarrier in tests: a kernel that refuses, a model of it.
template <typename Barrier>
class AsymmetricFenceBy {
 public:
  static constexpr std::string_view kName = "asymmetric";

  uint64_t LoadAfterStores(kv::Atomic<uint64_t>& word) {
    if (!granted_) [[unlikely]]
      return otherwise_.LoadAfterStores(word);
    // seq_cst of the compiler alone: no store of the caller sinks below the load.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    // relaxed: what makes the load see enough is the barrier in Heavy.
    return word.load(std::memory_order_relaxed);
  }

  void Heavy() {
    if (granted_) [[likely]]
      barrier_();
  }

  bool granted() const { return granted_; }

 private:
  Barrier barrier_;
  const bool granted_ = barrier_.Register();
  SymmetricFence otherwise_;
};

using AsymmetricFence = AsymmetricFenceBy<Membarrier>;

static_assert(Fence<AsymmetricFence>);

}  // namespace coord

#endif  // COORD_ASYMMETRIC_FENCE_H_
