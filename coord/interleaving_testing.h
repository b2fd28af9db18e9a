// What the interleaving tests of coordinators have in common: fences that must not be enough, a
// mailbox whose messages nothing but the coordinator orders.
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

#include "kv/base/atomic.h"

namespace coord::interleaving {

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
  void Run() {
    seen_ = std::max(seen_, sent_.load(std::memory_order_relaxed));
    ++runs_;
  }

  // What the runs have seen; after all of them.
  uint64_t seen() const { return seen_; }
  int runs() const { return runs_; }

 private:
  kv::Atomic<uint64_t> sent_{0};
  uint64_t seen_ = 0;
  int runs_ = 0;
};

}  // namespace coord::interleaving

#endif  // COORD_INTERLEAVING_TESTING_H_
