// GrowingRing: rings one behind the other, each twice as large as the one before; first in, first
// out without a lock, in memory that follows what is queued and not how many slots there are.
//
//                 oldest                newest
//                   ▼                     ▼
//   rings   64      128        256        512        –          –     … the last has room for all
//        finished  closed,    closed     open     not yet made
//                 popped from
//
// Invariants:
//   1. Pushes go to the newest ring. Who finds it full closes it, and makes the next: a ring is
//      closed for ever, and has no ticket from then on.
//   2. Pops take from the oldest ring that is not finished, which is closed and popped to its end.
//      What is in a later ring was pushed later, so the order is that of one ring.
//   3. A closed ring whose last tickets are held by threads that stand still hides nothing: when
//      there is something in a later ring, a Pop passes over these tickets (ticket_ring.h), whose
//      owners then push into the newest.
//   4. A ring is never freed before the queue is, since a thread may look at it. As each is twice
//   as
//      large as the one before, all together are less than twice the newest.
//
// It does not shrink: the memory is that of the most that was ever queued at a time.
//
// For: strict order, and many slots of which few are ready at a time: pushes and pops stay
// within a few cache lines, where those of a ring with a cell for each slot walk through all.
// Not for: many registrants (per_thread_rings.h).
//
// Thread safety: any thread; lock-free but for the allocation of a ring. Complexity: as RingQueue,
// and one more load. 16 to 32 bytes for each slot of the most that were queued, at least 512.
// Source of the idea: LCRQ, a list of rings that are closed when full (Morrison, Afek: Fast
// Concurrent Queues for x86 Processors, PPoPP 2013).
#ifndef COORD_GROWING_RING_H_
#define COORD_GROWING_RING_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "coord/ready_queue_concept.h"
#include "coord/ticket_ring.h"
#include "kv/base/atomic.h"
#include "kv/base/thread_stripe.h"

namespace coord {

class GrowingRing {
 public:
  static constexpr std::string_view kName = "growing_ring";

  explicit GrowingRing(size_t slots) : slots_(slots) {
    while (SizeOf(last_) < slots) ++last_;
    // relaxed: whoever constructs a thing hands it to others.
    rings_[0].store(new TicketRing(SizeOf(0), slots), std::memory_order_relaxed);
  }
  GrowingRing(const GrowingRing&) = delete;
  GrowingRing& operator=(const GrowingRing&) = delete;
  ~GrowingRing() {
    // relaxed: nobody else is left.
    for (auto& ring : rings_) delete ring.load(std::memory_order_relaxed);
  }

  void Push(uint32_t slot) { PushBatch({&slot, 1}); }

  void PushBatch(std::span<const uint32_t> slots) {
    while (!slots.empty()) {
      // relaxed, as all of newest_: what matters is seen in Ring.
      const size_t at = newest_.load(std::memory_order_relaxed);
      TicketRing& ring = *Ring(at);
      const TicketRing::Run run =
          at == last_ ? ring.Reserve(slots.size()) : ring.ReserveOrClose(slots.size());
      if (run.count == 0) Grow(at);
      for (size_t i = 0; i < run.count; ++i) {
        if (!ring.Publish(run.first + i, slots[i])) Push(slots[i]);
      }
      slots = slots.subspan(run.count);
    }
  }

  size_t Pop(std::span<uint32_t> out) {
    if (out.empty()) return 0;
    // relaxed: an older one is finished, which is seen.
    for (size_t at = oldest_.load(std::memory_order_relaxed);;) {
      TicketRing* const ring = Ring(at);
      if (ring == nullptr) return 0;
      const size_t count = ring->Pop(out);
      if (count > 0) return count;
      if (!ring->IsClosed()) return 0;
      if (ring->IsFinished()) {
        // relaxed: see above. Where it fails, another has done so.
        size_t seen = at++;
        oldest_.compare_exchange_strong(seen, at, std::memory_order_relaxed);
      } else if (HasEntryFrom(at + 1)) {
        ring->PassOverHead();
      } else {
        return 0;
      }
    }
  }

  // relaxed: as in Pop.
  bool Empty() const { return !HasEntryFrom(oldest_.load(std::memory_order_relaxed)); }

  static constexpr size_t BypassBound(size_t, size_t) { return 0; }

 private:
  static constexpr size_t kFirst = kv::kModelled ? 1 : 64;
  static constexpr size_t kRings = 32;
  static size_t SizeOf(size_t at) { return kFirst << at; }

  // seq_cst: pairs with Grow. Who finds no ring has missed no push into it; who finds one sees that
  // the one before is closed.
  TicketRing* Ring(size_t at) const {
    return at < kRings ? rings_[at].load(std::memory_order_seq_cst) : nullptr;
  }

  bool HasEntryFrom(size_t at) const {
    for (const TicketRing* ring = Ring(at); ring != nullptr; ring = Ring(++at)) {
      if (ring->HasEntry()) return true;
      if (!ring->IsClosed()) return false;
    }
    return false;
  }

  // Behind the ring at `at`, which is closed.
  void Grow(size_t at) {
    if (Ring(at + 1) == nullptr) {
      auto ring = std::make_unique<TicketRing>(SizeOf(at + 1), slots_);
      TicketRing* expected = nullptr;
      // seq_cst: pairs with Ring. relaxed where it fails: another has made it.
      if (rings_[at + 1].compare_exchange_strong(expected, ring.get(), std::memory_order_seq_cst,
                                                 std::memory_order_relaxed)) {
        ring.release();
      }
    }
    size_t seen = at;
    // relaxed: see PushBatch.
    newest_.compare_exchange_strong(seen, at + 1, std::memory_order_relaxed);
  }

  const size_t slots_;
  size_t last_ = 0;
  std::array<kv::Atomic<TicketRing*>, kRings> rings_{};
  alignas(kv::kCacheLineBytes) kv::Atomic<size_t> newest_{0};
  alignas(kv::kCacheLineBytes) kv::Atomic<size_t> oldest_{0};
};

static_assert(ReadyQueue<GrowingRing>);

}  // namespace coord

#endif  // COORD_GROWING_RING_H_
