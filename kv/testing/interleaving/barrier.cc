#include "kv/testing/interleaving/barrier.h"

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "kv/testing/interleaving/machine.h"

namespace kv::testing::interleaving {

void Machine::FenceEverybody() {
  const size_t caller = running_;
  for (size_t i = 1; i < fibers_.size(); ++i) {
    if (i == caller) continue;
    // seq_cst: a full fence. Others may go first.
    Fence(std::memory_order_seq_cst);
    Thread& mine = threads_[caller];
    Thread& other = threads_[i];
    other.ordered.Join(mine.clock);
    other.ordered.Join(mine.ordered);
    other.fence = std::max(other.fence, mine.fence);
    mine.ordered.Join(other.clock);
    mine.ordered.Join(other.ordered);
  }
  Fence(std::memory_order_seq_cst);  // the caller's second
}

void ProcessBarrier::operator()() {
  const Hidden hidden;
  if (Machine* const machine = Machine::Running()) machine->FenceEverybody();
}

}  // namespace kv::testing::interleaving
