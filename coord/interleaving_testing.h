// What the interleaving tests of coordinators have in common: the model of a memory barrier on
// every thread, a mailbox whose messages nothing but the coordinator orders, and a guard against
// two runs of a slot at once.
//
// `Model` names what the barrier needs of kv/testing/interleaving/machine.h, in targets where the
// atomics are the model's (interleaving_test of kv/testing/interleaving/interleaving.bzl):
//
//   struct Model {
//     using Machine = kv::testing::interleaving::Machine;
//     using Hidden = kv::testing::interleaving::Hidden;
//     static constexpr size_t kThreads = kv::testing::interleaving::kMaxThreads;
//   };
//
// Memory order: that of the programs.
// Thread safety: the model's.
#ifndef COORD_INTERLEAVING_TESTING_H_
#define COORD_INTERLEAVING_TESTING_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "coord/asymmetric_fence.h"
#include "kv/base/atomic.h"

namespace coord::interleaving {

// membarrier(2) as it is: the caller has a full fence, then each other thread in its turn has one
// wherever it happens to be, then the caller has another. Other threads may go on in between.
//
// What a thread did before its own fence bounds what the caller's loads see from then on, and the
// other way round. That is all that is modelled: nothing happens before anything by it, as for
// fences in C++ without an atomic between them, so ordinary memory is not ordered.
template <typename Model>
class ModelledBarrier {
 public:
  bool Register() { return true; }

  void operator()() {
    const typename Model::Hidden hidden;
    auto* const machine = Model::Machine::Running();
    if (machine == nullptr) return;
    // The machine has its threads in one array, of which the running one is a place.
    auto* const threads = &machine->self() - machine->running();
    auto& caller = machine->self();
    for (size_t i = 1; i < Model::kThreads; ++i) {
      if (&threads[i] == &caller) continue;
      machine->Fence(std::memory_order_seq_cst);  // others may go first
      auto& other = threads[i];
      other.ordered.Join(caller.clock);
      other.ordered.Join(caller.ordered);
      other.fence = std::max(other.fence, caller.fence);
      caller.ordered.Join(other.clock);
      caller.ordered.Join(other.ordered);
    }
    machine->Fence(std::memory_order_seq_cst);
  }
};

template <typename Model>
using ModelledAsymmetricFence = AsymmetricFenceBy<ModelledBarrier<Model>>;

// A kernel that has no such barrier.
struct RefusedBarrier {
  bool Register() { return false; }
  void operator()() {}
};

// A load and nothing else: what must not be enough.
class NoFence {
 public:
  static constexpr std::string_view kName = "none";
  uint64_t LoadAfterStores(kv::Atomic<uint64_t>& word) {
    return word.load(std::memory_order_relaxed);
  }
  void Heavy() {}
};

// The messages for a slot, and its runs. What is sent has no order of its own, so that what a run
// sees it sees by way of the coordinator.
class Mailbox {
 public:
  void Send() { sent_.fetch_add(1, std::memory_order_relaxed); }

  // A run. `seen_` is no atomic: runs at once, or without an order, are a race.
  void Run() { seen_ = std::max(seen_, sent_.load(std::memory_order_relaxed)); }

  // What the runs have seen; after all of them.
  uint64_t seen() const { return seen_; }

 private:
  kv::Atomic<uint64_t> sent_{0};
  uint64_t seen_ = 0;
};

}  // namespace coord::interleaving

#endif  // COORD_INTERLEAVING_TESTING_H_
