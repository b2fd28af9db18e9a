// TicketRing: a ring of cells for many threads. Who pushes takes the next ticket, and publishes its
// slot in the cell of that; who pops takes a run of published cells by moving the head.
//
//             head                     tail
//              ▼                        ▼
//   ticket  …  8    9    10   11   12   13
//   cell    …  c    a    –    d    –    –   …     – is no slot of this turn
//              └────┘    │
//             the next   └ reserved, and its thread stands still
//             pop
//
// A cell is a word: the turn of the ring (ticket / capacity), a mark, the slot. So each use of a
// cell is told from the one before, and turns may overflow: that takes 2^39 pushes in a ring of 64
// cells for 2^30 slots, and only half of them at once, while a thread stands still, would do harm.
//
// Invariants:
//   1. A ticket of a turn is either published or passed over, once: both are a compare-and-exchange
//      from the turn before.
//   2. The head alone says what is popped. Cells are read before it moves, and its compare-and-
//      exchange says that they stood still: a cell is used again only behind the head.
//   3. Between head and tail each ticket is for another slot, so there are never more of them than
//      slots, and a cell is free when its ticket is taken. Push waits for nobody.
//   4. A Pop that finds the head unpublished and something published behind it passes the head
//   over:
//      it marks the cell, and whoever has the ticket has to take another. So a thread that stands
//      still between ticket and cell hides nothing. One ticket at a time is passed over, that at
//      the head; its owner sees the head move on before it takes another (invariant 3).
//
// What was pushed before a push began has an older ticket, since whoever was passed over had not
// returned. So slots are popped in the order of their pushes, as far as these follow one another.
//
// Thread safety: any thread; lock-free: a push is repeated where a Pop has passed it over, which
// had something else to hand out. Complexity: a push two read-modify-writes, of which a batch
// shares one; a pop one, and a load a slot. 8 bytes a cell.
// Source: the turns are those of the bounded queue of Vyukov (1024cores); there a pop waits for a
// push that stands still.
#ifndef COORD_TICKET_RING_H_
#define COORD_TICKET_RING_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "kv/base/atomic.h"
#include "kv/base/thread_stripe.h"

namespace coord {

class TicketRing {
 public:
  // Tickets for `count` slots, from `first` on.
  struct Run {
    uint64_t first = 0;
    size_t count = 0;
  };

  // For up to `entries` at a time, of as many slots.
  TicketRing(size_t entries, size_t slots)
      : bits_(BitsFor(entries)),
        slot_bits_(BitsFor(slots)),
        cells_(std::make_unique<kv::Atomic<uint64_t>[]>(capacity())),
        head_(capacity()),
        tail_(capacity()) {}

  size_t capacity() const { return size_t{1} << bits_; }

  // ---- Of those who push

  Run Reserve(size_t count) {
    // seq_cst: pairs with the look at the tail in HasEntryBetween. It acquires what the tickets
    // before it have seen of the head (invariant 3).
    return {tail_.fetch_add(count, std::memory_order_seq_cst), count};
  }

  // The same where there may be no room for all: as many as there is room for. Where there is none
  // the ring is closed: nothing is reserved in it any more.
  Run ReserveOrClose(size_t count) {
    // acquire: who finds the ring closed goes elsewhere, which comes behind the closing.
    uint64_t tail = tail_.load(std::memory_order_acquire);
    while ((tail & kClosed) == 0) {
      // relaxed: an older head makes for less room.
      const uint64_t head = head_.load(std::memory_order_relaxed);
      const uint64_t used = tail > head ? tail - head : 0;
      const size_t most = std::min<size_t>(count, used < capacity() ? capacity() - used : 0);
      // seq_cst: as in Reserve. Acquire where it fails: as above.
      if (tail_.compare_exchange_weak(tail, most > 0 ? tail + most : tail | kClosed,
                                      std::memory_order_seq_cst, std::memory_order_acquire)) {
        return {tail, most};
      }
    }
    return {};
  }

  // False: the ticket was passed over.
  bool Publish(uint64_t ticket, uint32_t slot) {
    kv::Atomic<uint64_t>& cell = CellOf(ticket);
    // relaxed: the exchange sees the newest.
    uint64_t seen = cell.load(std::memory_order_relaxed);
    while (TurnsAhead(seen, ticket) < 0) {
      // release: pairs with the acquire in Pop. seq_cst as well: it stands in one order with the
      // looks of Pop and HasEntryBetween, and with what the caller loads next.
      if (cell.compare_exchange_weak(seen, Filled(ticket, slot), std::memory_order_seq_cst,
                                     std::memory_order_relaxed)) {
        return true;
      }
    }
    MoveHead(ticket);
    return false;
  }

  // ---- Of those who pop

  size_t Pop(std::span<uint32_t> out) {
    // relaxed: an older head is noticed by its cells, or by the exchange.
    uint64_t head = head_.load(std::memory_order_relaxed);
    while (!out.empty()) {
      uint64_t cell = Look(head);
      size_t count = 0;
      while (IsEntry(cell, head + count)) {
        out[count] = static_cast<uint32_t>(cell & (PassedMark() - 1));
        if (++count == out.size()) break;
        cell = Look(head + count);
      }
      if (count > 0) {
        // relaxed: what was pushed is acquired from the cells. It continues the release sequence of
        // MoveHead.
        if (head_.compare_exchange_weak(head, head + count, std::memory_order_relaxed)) {
          return count;
        }
      } else if (TurnsAhead(cell, head) > 0) {
        // relaxed: the cell is used again, by a ticket that has seen a newer head, and Look has
        // acquired that.
        head = head_.load(std::memory_order_relaxed);
      } else if (TurnsAhead(cell, head) == 0) {
        head = MoveHead(head);
      } else if (HasEntryFrom(head + 1)) {
        PassOver(head, cell);
      } else {
        return 0;
      }
    }
    return 0;
  }

  // Whether there is something to pop, or has been a moment ago.
  bool HasEntry() const {
    // relaxed: an older head makes for a longer look.
    return HasEntryFrom(head_.load(std::memory_order_relaxed));
  }

  // For those who have looked (Pop, HasEntry) and found nothing. relaxed: who did not see it closed
  // then, in one order with ReserveOrClose, has missed no push elsewhere.
  bool IsClosed() const { return (tail_.load(std::memory_order_relaxed) & kClosed) != 0; }

  // Of a closed ring: whether all of it has been popped.
  bool IsFinished() const {
    // relaxed, here and below: the tail of a closed ring stands still, and the head never goes
    // back.
    return head_.load(std::memory_order_relaxed) == Tail(std::memory_order_relaxed);
  }

  // Of a closed ring of which nothing is published: passes its head over.
  void PassOverHead() {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    if (head < Tail(std::memory_order_relaxed)) PassOver(head, Look(head));
  }

 private:
  static constexpr uint64_t kClosed = uint64_t{1} << 63;

  uint64_t Tail(std::memory_order order) const { return tail_.load(order) & ~kClosed; }
  static int BitsFor(size_t count) {
    return static_cast<int>(std::bit_width(std::max<size_t>(count, 1) - 1));
  }
  // In the place of the slot where there is none.
  uint64_t PassedMark() const { return uint64_t{1} << slot_bits_; }
  uint64_t Filled(uint64_t ticket, uint64_t slot) const {
    return ticket >> bits_ << (slot_bits_ + 1) | slot;
  }
  // Of a cell beside its ticket: below 0 it is of an earlier turn, above it of a later one.
  int64_t TurnsAhead(uint64_t cell, uint64_t ticket) const {
    return static_cast<int64_t>((cell & ~(2 * PassedMark() - 1)) - Filled(ticket, 0));
  }

  kv::Atomic<uint64_t>& CellOf(uint64_t ticket) const { return cells_[ticket & (capacity() - 1)]; }
  // seq_cst: pairs with the exchange in Publish: either this sees what was published, or whoever
  // pushed it sees what the caller changed before it looked.
  uint64_t Look(uint64_t ticket) const { return CellOf(ticket).load(std::memory_order_seq_cst); }
  bool IsEntry(uint64_t cell, uint64_t ticket) const {
    return TurnsAhead(cell, ticket) == 0 && (cell & PassedMark()) == 0;
  }

  // A cell of a later turn says that the head has gone on: there has been something.
  bool HasEntryFrom(uint64_t ticket) const {
    // seq_cst: pairs with Reserve, as Look does with Publish.
    for (const uint64_t tail = Tail(std::memory_order_seq_cst); ticket < tail; ++ticket) {
      const uint64_t cell = Look(ticket);
      if (IsEntry(cell, ticket) || TurnsAhead(cell, ticket) > 0) return true;
    }
    return false;
  }

  void PassOver(uint64_t head, uint64_t cell) {
    if (TurnsAhead(cell, head) >= 0) return;
    // relaxed: it says nothing else than that.
    if (CellOf(head).compare_exchange_strong(cell, Filled(head, PassedMark()),
                                             std::memory_order_relaxed)) {
      MoveHead(head);
    }
  }

  // Beyond a ticket that was passed over, where that has not been done; where the head is.
  uint64_t MoveHead(uint64_t ticket) {
    uint64_t head = ticket;
    // acquire where it fails: pairs with the release. Who takes another ticket then has seen the
    // head beyond this one, and so has whoever sees the cell of that.
    return head_.compare_exchange_strong(head, ticket + 1, std::memory_order_release,
                                         std::memory_order_acquire)
               ? ticket + 1
               : head;
  }

  const int bits_;  // of a place in the ring
  const int slot_bits_;
  const std::unique_ptr<kv::Atomic<uint64_t>[]> cells_;
  alignas(kv::kCacheLineBytes) kv::Atomic<uint64_t> head_;
  alignas(kv::kCacheLineBytes) kv::Atomic<uint64_t> tail_;
};

}  // namespace coord

#endif  // COORD_TICKET_RING_H_
