// WorkStealing: a worker takes what it has pushed itself before anything else; when it has nothing,
// half of what another worker has.
//
//   worker 0: own ring ──► batch             worker 1: own ring is empty
//             5 3 9 1 7                                  │ in the order of a cursor
//                 └───── half of it, oldest first ◄──────┘
//
// The rings are those of per_thread_rings.h, so each push goes to the ring of the thread that makes
// it: what a run makes ready is run by the same worker, whose caches have what the two share. Of a
// thread that never pops, which has no use for its entries itself, all may be taken.
//
// A range is stolen by one compare-and-exchange, and all of it is handed out to the thief: none is
// moved into the thief's ring. On the way there it would be in no ring, and another worker could
// find nothing and go to sleep beside it. The other half stays where it is, for its owner or for
// the next thief.
//
// The bypass bound: whoever always had something of its own would never look elsewhere. So a worker
// may take kLocal entries of its own for each that it has taken in turn (the credit, at most that
// for a whole turn of a ring); then it goes round as PerThreadRings does, whose bound holds for
// what it takes there.
//
// For: workers whose runs make other slots ready, above all on processors that share little.
// Not for: registrants that are no workers (per_thread_rings.h spreads those better); short waits
// for each slot: a worker's own come first, whatever waits elsewhere.
//
// Thread safety: any thread; lock-free as PerThreadRings. Complexity: the same; a Pop of one's
// own is one compare-and-exchange of the own ring, and a load for each slot.
// Source: Blumofe, Leiserson: Scheduling Multithreaded Computations by Work Stealing, JACM 1999;
// half at a time: Hendler, Shavit, PODC 2002; the look elsewhere now and then: Go's scheduler.
#ifndef COORD_WORK_STEALING_H_
#define COORD_WORK_STEALING_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "coord/per_thread_rings.h"
#include "coord/ready_queue_concept.h"
#include "kv/base/atomic.h"
#include "kv/base/thread_stripe.h"

namespace coord {

// `Rings`: a PerThreadRingsOf.
template <typename Rings>
class WorkStealingOver {
 public:
  static constexpr std::string_view kName = "work_stealing";

  explicit WorkStealingOver(size_t slots) : rings_(slots) {}

  // kPublish: as OwnerRing has it.
  template <std::memory_order kPublish = std::memory_order_seq_cst>
  void Push(uint32_t slot) {
    rings_.template Push<kPublish>(slot);
  }
  template <std::memory_order kPublish = std::memory_order_seq_cst>
  void PushBatch(std::span<const uint32_t> slots) {
    rings_.template PushBatch<kPublish>(slots);
  }

  size_t Pop(std::span<uint32_t> out) {
    const size_t me = kv::ThreadNumber();
    // relaxed: a hint, of whom to take but half from. (Of a thread that has the number of an
    // earlier worker, too.)
    const uint64_t workers = workers_.load(std::memory_order_relaxed);
    if (me >= Rings::kOwners) return rings_.PopInTurn(out, workers);
    uint64_t& credit = credits_[me].left;
    const size_t own = rings_.PopFrom(me, out.first(std::min<size_t>(out.size(), credit)));
    credit -= own;
    if (own > 0) return own;
    const uint64_t mine = uint64_t{1} << me;
    // relaxed: as above.
    if ((workers & mine) == 0) [[unlikely]]
      workers_.fetch_or(mine, std::memory_order_relaxed);
    const size_t count = rings_.PopInTurn(out, workers & ~mine);
    credit = std::min<uint64_t>(credit + kLocal * count, kLocal * Rings::kTurn);
    return count;
  }

  bool Empty() const { return rings_.Empty(); }

  static constexpr size_t BypassBound(size_t slots, size_t poppers) {
    return (1 + kLocal) * (Rings::BypassBound(slots, poppers) + poppers * (slots + Rings::kTurn));
  }

 private:
  static constexpr uint64_t kLocal = kv::kModelled ? 1 : 8;

  struct alignas(kv::kCacheLineBytes) Credit {
    uint64_t left = 0;  // its thread's
  };

  Rings rings_;
  std::array<Credit, Rings::kOwners> credits_;
  alignas(kv::kCacheLineBytes) kv::Atomic<uint64_t> workers_{0};  // threads that have popped
};

using WorkStealing = WorkStealingOver<PerThreadRings>;

static_assert(ReadyQueue<WorkStealing>);

}  // namespace coord

#endif  // COORD_WORK_STEALING_H_
