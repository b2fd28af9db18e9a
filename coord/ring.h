// RingQueue: a bounded ring for all threads, with a cell for each slot; first in, first out without
// a lock (ticket_ring.h has the picture and the proof).
//
// Order: what was pushed before a push began is popped before its slots. Pushes at once come in
// the order of their tickets, and a slot that a Pop passed over comes behind later ones of its
// batch. So nothing that was pushed later is ever handed out first: the bypass bound is 0, for any
// number of poppers.
//
// For: strict order among several threads, where none of them may wait for one that was preempted.
// Not for: many registrants: all of them take one cache line, that of the tail, from one another
// (per_thread_rings.h). Slots of which few are ready: pushes walk through 8 bytes of each slot
// (growing_ring.h).
//
// Thread safety: any thread; lock-free. Complexity: Push two read-modify-writes, PushBatch one and
// one a slot; Pop one and a load a slot. 8 bytes a slot, rounded up to a power of two.
#ifndef COORD_RING_H_
#define COORD_RING_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "coord/ready_queue_concept.h"
#include "coord/ticket_ring.h"

namespace coord {

class RingQueue {
 public:
  static constexpr std::string_view kName = "ring";

  explicit RingQueue(size_t slots) : ring_(slots, slots) {}

  void Push(uint32_t slot) {
    while (!ring_.Publish(ring_.Reserve(1).first, slot)) {
    }
  }

  void PushBatch(std::span<const uint32_t> slots) {
    if (slots.empty()) return;
    uint64_t ticket = ring_.Reserve(slots.size()).first;
    for (const uint32_t slot : slots) {
      if (!ring_.Publish(ticket++, slot)) Push(slot);
    }
  }

  size_t Pop(std::span<uint32_t> out) { return ring_.Pop(out); }
  bool Empty() const { return !ring_.HasEntry(); }

  static constexpr size_t BypassBound(size_t, size_t) { return 0; }

 private:
  TicketRing ring_;
};

static_assert(ReadyQueue<RingQueue>);

}  // namespace coord

#endif  // COORD_RING_H_
