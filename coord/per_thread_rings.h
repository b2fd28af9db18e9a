// PerThreadRings: each thread that pushes has a ring of its own, so those who push do not meet.
// Those who pop go round the rings, each in its own time.
//
//   threads that push    0        1        2   …        all beyond kOwners
//                        ▼        ▼        ▼                ▼
//   rings              3 1 9    4 7       (empty)        8 2 5          active: 1 1 1 … 1
//                        ▲        ▲
//   cursors of threads   1        0       a turn and, within it, how many of kTurn entries were
//   that pop                              taken
//
// Invariants:
//   1. A ring has one thread that pushes into it (kv/base/thread_stripe.h), and keeps the order of
//   its
//      pushes (owner_ring.h). Threads beyond kOwners at a time share one (growing_ring.h).
//   2. A ring that was ever pushed into is active, from before the end of its first push on.
//   3. A cursor counts on for ever, and only forward. A Pop begins at that of its thread; it stays
//      with a ring until it has taken kTurn entries of it or there are none, and goes on to the
//      next active one. Threads without a ring of their own share a cursor.
//
// The bypass bound: s has p entries before it in its ring, all of them pushed earlier. Each worker,
// whatever the others do, comes to the ring once in a turn of all rings, and by then has handed out
// at most kTurn entries of each other one; and when it leaves the ring, kTurn entries are gone from
// it or s is. So it comes there at most p / kTurn + 2 times, the one under way included, and
// p < slots.
//
// It adapts to who pushes: one thread alone makes for one ring, whose cells nobody else writes.
//
// For: several registrants; any number of slots, of which few or many are ready.
// Not for: order among threads. More than kOwners threads that push all the time.
//
// Thread safety: any thread; lock-free but for the allocation of cells. Complexity: Push one
// exchange of a line of one's own, and a load; PushBatch the same and a store a slot. Pop one
// compare-and-exchange for each ring that it takes from, a load a slot, and two for each ring that
// has nothing. Memory: 16 KiB, and that of the rings.
#ifndef COORD_PER_THREAD_RINGS_H_
#define COORD_PER_THREAD_RINGS_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "coord/growing_ring.h"
#include "coord/owner_ring.h"
#include "coord/ready_queue_concept.h"
#include "kv/base/atomic.h"
#include "kv/base/thread_stripe.h"

namespace coord {

// kThreads: how many have a ring each, at a time.
template <size_t kThreads>
class PerThreadRingsOf {
 public:
  static constexpr std::string_view kName = "per_thread_rings";
  static constexpr size_t kOwners = kThreads;
  // Entries for which the cursor stays with a ring.
  static constexpr uint64_t kTurn = kv::kModelled ? 2 : 64;

  explicit PerThreadRingsOf(size_t slots) : shared_(slots) {
    // Each begins with its own.
    for (size_t thread = 0; thread < kOwners; ++thread) cursors_[thread].at = thread * kTurn;
  }

  // kPublish: as OwnerRing has it.
  template <std::memory_order kPublish = std::memory_order_seq_cst>
  void Push(uint32_t slot) {
    const size_t ring = std::min(kv::ThreadNumber(), kOwners);
    if (ring < kOwners) [[likely]] {
      rings_[ring].template Push<kPublish>(slot);
    } else {
      shared_.Push(slot);
    }
    Activate(ring);
  }

  // kPublish: the same.
  template <std::memory_order kPublish = std::memory_order_seq_cst>
  void PushBatch(std::span<const uint32_t> slots) {
    if (slots.empty()) return;
    const size_t ring = std::min(kv::ThreadNumber(), kOwners);
    if (ring < kOwners) [[likely]] {
      rings_[ring].template Push<kPublish>(slots);
    } else {
      shared_.PushBatch(slots);
    }
    Activate(ring);
  }

  size_t Pop(std::span<uint32_t> out) { return PopInTurn(out, /*halved=*/0); }

  bool Empty() const {
    // seq_cst: pairs with PushBatch.
    for (uint64_t left = active_.load(std::memory_order_seq_cst); left != 0; left &= left - 1) {
      const auto ring = static_cast<size_t>(std::countr_zero(left));
      if (ring < kOwners ? !rings_[ring].Empty() : !shared_.Empty()) return false;
    }
    return true;
  }

  static constexpr size_t BypassBound(size_t slots, size_t poppers) {
    return poppers * kOwners * (slots + 2 * kTurn);
  }

  // ---- For queues that go round in another way (work_stealing.h)

  // From the ring of one thread, below kOwners.
  size_t PopFrom(size_t ring, std::span<uint32_t> out) { return rings_[ring].Take(out); }

  // As Pop. Of the rings in the set `halved` at most half is taken, and nothing else along with it.
  size_t PopInTurn(std::span<uint32_t> out, uint64_t halved) {
    // seq_cst: pairs with PushBatch.
    const uint64_t active = active_.load(std::memory_order_seq_cst);
    if (active == 0) return 0;
    const size_t me = kv::ThreadNumber();
    // relaxed: a thread sees the cursor go forward, and its own changes of it; that is enough for
    // the bound.
    uint64_t at = me < kOwners ? cursors_[me].at : cursor_.load(std::memory_order_relaxed);
    // The first ring once more at the end: its turn may have been all but over.
    const uint64_t last_turn = at / kTurn + kRings;
    size_t count = 0;
    while (count < out.size()) {
      at = NextActive(active, at);
      if (at / kTurn > last_turn) break;
      const size_t ring = at / kTurn % kRings;
      const bool half = (halved >> ring & 1) != 0;
      if (half && count > 0) break;
      const auto most = static_cast<size_t>(kTurn - at % kTurn);
      const std::span<uint32_t> room = out.subspan(count, std::min(out.size() - count, most));
      const size_t taken = Take(ring, room, half);
      count += taken;
      const bool goes_on = taken == 0 || (taken < room.size() && !half);
      at = goes_on ? (at / kTurn + 1) * kTurn : at + taken;
      if (half && taken > 0) break;
    }
    if (count == 0) return 0;
    if (me < kOwners) {
      cursors_[me].at = at;
    } else {
      Advance(at);
    }
    return count;
  }

 private:
  // Turns of a round, of which each ring has one.
  static constexpr uint64_t kRings = 64;
  static_assert(kOwners < kRings);

  struct alignas(kv::kCacheLineBytes) Cursor {
    uint64_t at = 0;  // its thread's
  };

  static uint64_t BitOf(size_t ring) { return uint64_t{1} << ring; }

  // The turn at `at`, or the next one of an active ring, from its beginning on.
  static uint64_t NextActive(uint64_t active, uint64_t at) {
    const int skip = std::countr_zero(std::rotr(active, static_cast<int>(at / kTurn % kRings)));
    return skip == 0 ? at : (at / kTurn + static_cast<uint64_t>(skip)) * kTurn;
  }

  // Behind a push into the ring.
  void Activate(size_t ring) {
    // acquire: where another thread has made the ring active, that comes before what the caller
    // loads next.
    if ((active_.load(std::memory_order_acquire) & BitOf(ring)) == 0) [[unlikely]] {
      // seq_cst: pairs with the look of a Pop and of Empty, as the push itself does.
      active_.fetch_or(BitOf(ring), std::memory_order_seq_cst);
    }
  }

  size_t Take(size_t ring, std::span<uint32_t> out, bool half) {
    if (ring == kOwners) return shared_.Pop(out);
    return rings_[ring].Take(out, half ? OwnerRing::Share::kHalf : OwnerRing::Share::kAll);
  }

  void Advance(uint64_t to) {
    // relaxed: see PopInTurn.
    uint64_t seen = cursor_.load(std::memory_order_relaxed);
    while (seen < to && !cursor_.compare_exchange_weak(seen, to, std::memory_order_relaxed)) {
    }
  }

  std::array<OwnerRing, kOwners> rings_;
  std::array<Cursor, kOwners> cursors_;
  GrowingRing shared_;
  alignas(kv::kCacheLineBytes) kv::Atomic<uint64_t> active_{0};  // a bit for each ring
  alignas(kv::kCacheLineBytes) kv::Atomic<uint64_t> cursor_{0};  // of all other threads
};

using PerThreadRings = PerThreadRingsOf<kv::kModelled ? 2 : 63>;

static_assert(ReadyQueue<PerThreadRings>);

}  // namespace coord

#endif  // COORD_PER_THREAD_RINGS_H_
