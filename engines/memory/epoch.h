// Epochs: readers look at shared memory without a lock, and writers learn, without waiting, when
// what they unlinked can no longer be seen.
//
//   reader:  auto guard = epochs.Enter();  use(pointer.load(acquire));
//   writer:  pointer.store(fresh, release);  ticket = epochs.Advance();
//            later, if (epochs.Passed(ticket)) delete old;
//
// This differs from kv/base/read_gate.h in two ways that the memory engines need: a writer never
// waits for a reader (a reader that lost its processor would stop writes for a time slice), and
// entering costs one exchange on a line that no other thread writes. The same line counts the
// thread's reads.
//
// Invariants:
//   1. A slot is 0 outside guards and else at most the epoch that was current at Enter.
//   2. Enter: slot.store(e, seq_cst), then epoch.load(seq_cst). Passed: after Advance's seq_cst
//      addition, slot.load(seq_cst). In the single order of these either the scan sees the slot, or
//      the reader's load of the epoch sees the addition, and with it everything that was unlinked
//      before.
//   3. A scan that sees 0 or a later epoch synchronises with the release in that store, so the
//      reads of all earlier guards of that thread happen before the free.
//
// A long guard delays the freeing of everything retired meanwhile, and nothing else. Guards nest.
// Threads beyond kThreadSlots share a count; while any of them reads, nothing is passed.
//
// Thread safety: all functions from any thread; a guard belongs to its thread.
// Source: Fraser, Practical lock-freedom, 2004 (epoch-based reclamation).
#ifndef ENGINES_MEMORY_EPOCH_H_
#define ENGINES_MEMORY_EPOCH_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engines/memory/thread_slots.h"
#include "kv/base/atomic.h"
#include "kv/base/thread_stripe.h"

namespace kv::memory_internal {

class Epochs {
  struct alignas(kCacheLineBytes) Slot {
    Atomic<uint64_t> epoch{0};
    Atomic<uint64_t> reads{0};
    Atomic<uint64_t> hits{0};
  };

 public:
  using Ticket = uint64_t;

  class [[nodiscard]] Guard {
   public:
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() {
      // release: pairs with the loads in Passed.
      if (shared_ != nullptr) [[unlikely]] {
        shared_->fetch_sub(1, std::memory_order_release);
      } else if (!nested_) {
        slot_.epoch.store(0, std::memory_order_release);
      }
    }

    // Counts keys asked for and found. relaxed: the counts order nothing. The sum is plain where
    // the slot has one owner.
    void CountReads(uint64_t reads, uint64_t hits) {
      if (shared_ != nullptr) [[unlikely]] {
        slot_.reads.fetch_add(reads, std::memory_order_relaxed);
        slot_.hits.fetch_add(hits, std::memory_order_relaxed);
        return;
      }
      slot_.reads.store(slot_.reads.load(std::memory_order_relaxed) + reads,
                        std::memory_order_relaxed);
      slot_.hits.store(slot_.hits.load(std::memory_order_relaxed) + hits,
                       std::memory_order_relaxed);
    }

   private:
    friend class Epochs;
    Guard(Slot& slot, const Atomic<uint64_t>& epoch) : slot_(slot) {
      nested_ = slot.epoch.load(std::memory_order_relaxed) != 0;
      if (nested_) [[unlikely]]
        return;
      // relaxed: a stale epoch only delays a free.
      slot.epoch.store(epoch.load(std::memory_order_relaxed), std::memory_order_seq_cst);
      (void)epoch.load(std::memory_order_seq_cst);  // invariant 2
    }
    Guard(Slot& slot, const Atomic<uint64_t>& epoch, Atomic<uint64_t>* shared)
        : slot_(slot), shared_(shared) {
      shared->fetch_add(1, std::memory_order_seq_cst);
      (void)epoch.load(std::memory_order_seq_cst);  // invariant 2
    }

    Slot& slot_;
    Atomic<uint64_t>* shared_ = nullptr;
    bool nested_ = false;
  };

  Guard Enter() {
    const size_t mine = ThreadSlotRegistry::Mine();
    if (mine == kThreadSlots) [[unlikely]] {
      return Guard(slots_[kThreadSlots], epoch_, &shared_readers_);
    }
    return Guard(slots_[mine], epoch_);
  }

  // What the caller has unlinked before this call is free to go once the ticket has passed.
  Ticket Advance() { return epoch_.fetch_add(1, std::memory_order_seq_cst) + 1; }

  // Whether every guard taken before the ticket is gone. O(threads); never waits.
  bool Passed(Ticket ticket) const {
    // seq_cst, acquire included: invariants 2 and 3.
    if (shared_readers_.load(std::memory_order_seq_cst) != 0) return false;
    const size_t end = ThreadSlotRegistry::HighWater();
    for (size_t i = 0; i < end; ++i) {
      const uint64_t epoch = slots_[i].epoch.load(std::memory_order_seq_cst);
      if (epoch != 0 && epoch < ticket) return false;
    }
    return true;
  }

  // Sums over all threads; exact once they have stopped.
  uint64_t Reads() const { return Sum(&Slot::reads); }
  uint64_t Hits() const { return Sum(&Slot::hits); }

 private:
  // relaxed, as in CountReads: the counts order nothing.
  uint64_t Sum(Atomic<uint64_t> Slot::*counter) const {
    uint64_t sum = 0;
    for (const Slot& slot : slots_) sum += (slot.*counter).load(std::memory_order_relaxed);
    return sum;
  }

  alignas(kCacheLineBytes) Atomic<uint64_t> epoch_{1};
  alignas(kCacheLineBytes) Atomic<uint64_t> shared_readers_{0};
  std::array<Slot, kThreadSlots + 1> slots_;
};

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_EPOCH_H_
