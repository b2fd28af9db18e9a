// SymmetricFence: the registrant pays. Its look at the word is a read-modify-write that adds
// nothing: it stands in the one order of all changes of the word, so it comes before the runner's
// change, which then acquires the message, or behind it, and then sees it. The runner pays nothing.
//
// For: short batches, registrants of whom few find their slot queued.
// Not for: many registrants of one slot, who take its cache line from one another.
//
// Thread safety and complexity: any thread; one uncontended read-modify-write a duplicate.
#ifndef COORD_SYMMETRIC_FENCE_H_
#define COORD_SYMMETRIC_FENCE_H_

#include <atomic>
#include <cstdint>
#include <string_view>

#include "coord/fence_concept.h"
#include "kv/base/atomic.h"

namespace coord {

class SymmetricFence {
 public:
  static constexpr std::string_view kName = "symmetric";

  uint64_t LoadAfterStores(kv::Atomic<uint64_t>& word) {
    // release: pairs with the acquire of SlotStates::Take.
    return word.fetch_add(0, std::memory_order_release);
  }
  void Heavy() {}
};

static_assert(Fence<SymmetricFence>);

}  // namespace coord

#endif  // COORD_SYMMETRIC_FENCE_H_
