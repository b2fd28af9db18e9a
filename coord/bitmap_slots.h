// BitmapSlots: states and queue in one. A word holds what sixteen slots are doing (leaf_word.h), so
// one read-modify-write takes up to sixteen that are ready; generations, and what a parked slot
// waits for, stand beside them (slot_uses.h).
//
// Invariants:
//   1. Whoever turns a slot's blocked bit on has the slot: Take for a run; Finish hands it on to
//      whoever the slot is parked for (Fire, Resume), who claims it by an exchange of the use, or
//      turns the bit off. Remove takes it away from all but a run. It marks a slot that runs as
//      ending, and the Finish of that run, which cannot overlook the mark since its exchange would
//      fail, gives the slot back. So a slot that is removed while it runs is added again behind
//      that Finish, and no run is late.
//   2. A registration leads to a run: it turns ready on, or finds it on, or finds the slot parked.
//      Ready is turned off by Take, which begins a run, and by Unregister and Remove; where it is
//      turned off to park the slot, the slot is made ready when its wait is over.
//   3. Every change of a word is an exchange of all of it. A registrant that looks at the word, at
//      the generation, and then succeeds in its exchange, has changed the use it names: had the
//      slot been removed in between, the count of removals would be another. (It has 16 bits: if
//      slots of the word are removed 65,536 times, or a multiple of that, between the two, and all
//      other bits are as they were, the new use has one run that nobody asked for.)
//   4. A use ends under the lock, by Remove, and the next one begins under it, by Add.
//
// A Resume that runs beside the Finish of its slot may be counted for the next run: which, if that
// would wait for capacity, runs once more.
//
// For: draining at about a nanosecond a slot, where neighbouring slots are ready together.
// Not for: first in, first out. A few ready slots among millions: a Take that finds nothing marked,
// and Empty, look at all leaves (10 us for 100,000 slots).
//
// Thread safety: any thread. Add, Remove, and the Finish of a slot that was removed, take a lock;
// the others are lock-free. Complexity: Register a read-modify-write and a load or two, or of a
// slot that is ready the fence's LoadAfterStores; RegisterBatch and FinishBatch one for each run of
// slots of one leaf; Take one for each leaf and one for all; the others one or two.
#ifndef COORD_BITMAP_SLOTS_H_
#define COORD_BITMAP_SLOTS_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "coord/fence_concept.h"
#include "coord/index.h"
#include "coord/leaf_word.h"
#include "coord/outcome.h"
#include "coord/slot_leaves.h"
#include "coord/slot_uses.h"
#include "coord/slot_word.h"
#include "coord/slots_concept.h"
#include "kv/base/atomic.h"
#include "kv/base/shard_lock.h"

namespace coord {

template <Fence F>
class BitmapSlots {
 public:
  static constexpr std::string_view kName = "bitmap_slots";

  explicit BitmapSlots(size_t slots) : leaves_(slots), uses_(leaves_.places()) {
    for (size_t slot = slots; slot > 0; --slot) free_.push_back(static_cast<uint32_t>(slot - 1));
  }

  std::optional<Index> Add() {
    const std::lock_guard lock(lock_);
    if (free_.empty()) return std::nullopt;
    const uint32_t slot = free_.back();
    free_.pop_back();
    const Index index = uses_.Begin(slot);
    // relaxed: who has the index of an earlier use learns from the release of Free that this is
    // over; who gives the new one to others gives them what was done before.
    WordOf(index).fetch_and(~leaf_word::ParkedState(BitOf(index)), std::memory_order_relaxed);
    return index;
  }

  Removal Remove(Index index) {
    if (!Exists(index)) return Removal::kStale;
    const std::lock_guard lock(lock_);
    if (!SlotUses::Is(uses_.Look(index.slot), index)) return Removal::kStale;
    const uint64_t bit = BitOf(index);
    // relaxed: the exchange decides, which acquires what runs did that are over.
    uint64_t word = WordOf(index).load(std::memory_order_relaxed);
    while (!WordOf(index).compare_exchange_weak(
        word, (word | leaf_word::EndingState(bit)) + leaf_word::kRemoval, std::memory_order_acquire,
        std::memory_order_relaxed)) {
    }
    uses_.End(index);
    if ((word & leaf_word::ParkedState(bit)) == leaf_word::Blocked(bit)) return Removal::kRunning;
    Free(index);
    return Removal::kIdle;
  }

  Outcome Register(Index index) {
    if (!Exists(index)) [[unlikely]]
      return Outcome::kStale;
    const uint64_t bit = BitOf(index);
    kv::Atomic<uint64_t>& at = WordOf(index);
    // acquire, here and where the exchange fails: pairs with the release of Free (invariant 3).
    uint64_t word = at.load(std::memory_order_acquire);
    for (;;) {
      const uint64_t use = uses_.Look(index.slot);
      if (!SlotUses::Is(use, index)) [[unlikely]]
        return Outcome::kStale;
      if ((word & leaf_word::Served(bit)) != 0) {
        if (SlotUses::PhaseOf(use) == Phase::kStopped) return Outcome::kStopped;
        if ((fence_.LoadAfterStores(at) & leaf_word::Served(bit)) != 0) return Outcome::kMerged;
        // acquire: as above.
        word = at.load(std::memory_order_acquire);
        continue;
      }
      // release: pairs with the acquire in Take. seq_cst as well: it stands in one order with the
      // looks of Take and Empty, and with what the caller or Mark load next.
      if (at.compare_exchange_weak(word, word | leaf_word::Ready(bit), std::memory_order_seq_cst,
                                   std::memory_order_acquire)) {
        if ((word & leaf_word::Blocked(bit)) != 0) return Outcome::kMerged;
        leaves_.Mark(index.slot);
        return Outcome::kQueued;
      }
    }
  }

  Outcomes RegisterBatch(std::span<const Index> indices) {
    Outcomes outcomes;
    while (!indices.empty()) indices = indices.subspan(RegisterRun(indices, outcomes));
    return outcomes;
  }

  bool Unregister(Index index) {
    if (!Exists(index)) return false;
    const uint64_t bit = BitOf(index);
    // acquire, here and where the exchange fails: as in Register. Where it succeeds it needs none:
    // what others wrote for the run that is not to be stays with its release sequence.
    uint64_t word = WordOf(index).load(std::memory_order_acquire);
    do {
      if (!SlotUses::Is(uses_.Look(index.slot), index)) return false;
      if ((word & leaf_word::Served(bit)) != leaf_word::Ready(bit)) return false;
    } while (!WordOf(index).compare_exchange_weak(word, word ^ leaf_word::Ready(bit),
                                                  std::memory_order_acquire));
    return true;
  }

  Outcome Resume(Index index) {
    if (!Exists(index)) return Outcome::kStale;
    uint64_t use = uses_.Look(index.slot);
    for (;;) {
      if (!SlotUses::Is(use, index)) return Outcome::kStale;
      if (SlotUses::PhaseOf(use) == Phase::kStopped) return Outcome::kStopped;
      if (SlotUses::PhaseOf(use) == Phase::kAwaitsCapacity) {
        if (uses_.Claim(index, use)) return Unpark(index);
        continue;
      }
      // release: where no flag tells it, the next Take acquires what the caller did.
      const uint64_t word = WordOf(index).fetch_add(0, std::memory_order_release);
      if ((word & leaf_word::Blocked(BitOf(index))) == 0) return Outcome::kMerged;
      if (uses_.Flag(index, use)) return Outcome::kMerged;
    }
  }

  Outcome Fire(Index index) {
    if (!Exists(index)) return Outcome::kStale;
    uint64_t use = uses_.Look(index.slot);
    for (;;) {
      if (!SlotUses::Is(use, index)) return Outcome::kStale;
      if (SlotUses::PhaseOf(use) == Phase::kStopped) return Outcome::kStopped;
      if (SlotUses::PhaseOf(use) != Phase::kAwaitsTime) return Outcome::kMerged;
      if (uses_.Claim(index, use)) return Unpark(index);
    }
  }

  size_t Take(std::span<Index> out) {
    return leaves_.Take(out.size(), [this, out](uint32_t first, uint64_t taken, size_t done) {
      const auto hand_out = [&](size_t i, uint32_t slot) {
        out[done + i] = {slot, SlotUses::GenerationOf(uses_.Look(slot))};
      };
      if (taken == leaf_word::kAll) {
        for (uint32_t i = 0; i < kSlots; ++i) hand_out(i, first + i);
        return kSlots;
      }
      size_t count = 0;
      for (; taken != 0; taken &= taken - 1) {
        hand_out(count++, first + static_cast<uint32_t>(std::countr_zero(taken)));
      }
      return count;
    });
  }
  void BeginRuns() { fence_.Heavy(); }

  Outcome Finish(Index index, Phase next) {
    if (!Exists(index)) return Outcome::kStale;
    if (SlotUses::IsWait(next)) return Park(index, next);
    const bool plain = next != Phase::kAwaitsSignal;
    if (!plain || !SlotUses::IsIdle(uses_.Look(index.slot), index)) [[unlikely]] {
      if (!uses_.Note(index, plain ? Phase::kIdle : next)) return End(index);
    }
    return Release(index, next == Phase::kReady);
  }

  Outcomes FinishBatch(std::span<const Index> indices) {
    Outcomes outcomes;
    while (!indices.empty()) indices = indices.subspan(FinishRun(indices, outcomes));
    return outcomes;
  }

  std::optional<Phase> PhaseOf(Index index) const {
    if (!Exists(index)) return std::nullopt;
    const uint64_t bit = BitOf(index);
    // acquire: pairs with the release of Free.
    const uint64_t word = WordOf(index).load(std::memory_order_acquire);
    const uint64_t use = uses_.Look(index.slot);
    if (!SlotUses::Is(use, index)) return std::nullopt;
    const Phase phase = SlotUses::PhaseOf(use);
    if ((word & leaf_word::Blocked(bit)) != 0) {
      return SlotUses::IsWait(phase) ? phase : Phase::kRunning;
    }
    return (word & leaf_word::Ready(bit)) != 0 ? Phase::kReady : phase;
  }

  bool Empty() const { return leaves_.Empty(); }

  static constexpr size_t BypassBound(size_t slots, size_t takers) {
    return SlotLeaves::BypassBound(slots, takers);
  }

 private:
  static constexpr size_t kSlots = leaf_word::kSlots;

  static uint64_t BitOf(Index index) { return uint64_t{1} << index.slot % kSlots; }
  // Or would, if the last leaf were full: what is behind the last slot is never in use.
  bool Exists(Index index) const { return index.slot < leaves_.places(); }
  kv::Atomic<uint64_t>& WordOf(Index index) const { return leaves_.WordOf(index.slot); }
  static bool AreOfOneLeaf(Index left, Index right) {
    return SlotLeaves::LeafOf(left.slot) == SlotLeaves::LeafOf(right.slot);
  }

  // Register for each of the first ones, which are of one leaf; how many that are.
  size_t RegisterRun(std::span<const Index> indices, Outcomes& outcomes) {
    const Index first = indices[0];
    if (!Exists(first)) return ++outcomes[Outcome::kStale], 1;
    // acquire, here and where the exchange fails: as in Register.
    uint64_t word = WordOf(first).load(std::memory_order_acquire);
    for (;;) {
      uint64_t slots = 0;
      size_t stale = 0, stopped = 0, run = 0;
      do {
        const Index index = indices[run];
        const uint64_t use = uses_.Look(index.slot);
        if (!SlotUses::Is(use, index)) [[unlikely]] {
          ++stale;
        } else if (SlotUses::PhaseOf(use) == Phase::kStopped) [[unlikely]] {
          ++stopped;
        } else {
          slots |= BitOf(index);
        }
      } while (++run < indices.size() && AreOfOneLeaf(first, indices[run]));
      const uint64_t fresh = slots & ~leaf_word::ServedOf(word);
      if (fresh != 0) {
        // release, seq_cst: as in Register. Of those that were served it makes known as much.
        if (!WordOf(first).compare_exchange_weak(word, word | leaf_word::Ready(fresh),
                                                 std::memory_order_seq_cst,
                                                 std::memory_order_acquire)) {
          continue;
        }
      } else if ((slots & ~leaf_word::ServedOf(fence_.LoadAfterStores(WordOf(first)))) != 0) {
        word = WordOf(first).load(std::memory_order_acquire);
        continue;
      }
      const size_t queued = leaf_word::CountOf(fresh & ~leaf_word::BlockedOf(word));
      if (queued > 0) leaves_.Mark(first.slot);
      outcomes[Outcome::kQueued] += queued;
      outcomes[Outcome::kMerged] += run - stale - stopped - queued;
      outcomes[Outcome::kStale] += stale;
      outcomes[Outcome::kStopped] += stopped;
      return run;
    }
  }

  // Finish(kIdle) for each of the first ones, which are of one leaf; how many that are.
  size_t FinishRun(std::span<const Index> indices, Outcomes& outcomes) {
    const Index first = indices[0];
    uint64_t slots = 0;
    size_t run = 0;
    // Up to the first that is not plain: stale, resumed, or twice among them.
    while (run < indices.size() && AreOfOneLeaf(first, indices[run]) && Exists(first) &&
           SlotUses::IsIdle(uses_.Look(indices[run].slot), indices[run]) &&
           (slots & BitOf(indices[run])) == 0) {
      slots |= BitOf(indices[run++]);
    }
    if (run == 0) return ++outcomes[Finish(first, Phase::kIdle)], 1;
    // relaxed: the exchange decides.
    uint64_t word = WordOf(first).load(std::memory_order_relaxed);
    while ((word & leaf_word::ParkedState(slots)) == leaf_word::Blocked(slots)) {
      // release, seq_cst: as in Release.
      if (!WordOf(first).compare_exchange_weak(word, word & ~leaf_word::Blocked(slots),
                                               std::memory_order_seq_cst,
                                               std::memory_order_relaxed)) {
        continue;
      }
      const size_t queued = leaf_word::CountOf(leaf_word::ReadyOf(word) & slots);
      if (queued > 0) leaves_.Mark(first.slot);
      outcomes[Outcome::kQueued] += queued;
      outcomes[Outcome::kMerged] += run - queued;
      return run;
    }
    for (const Index index : indices.first(run)) ++outcomes[Finish(index, Phase::kIdle)];
    return run;
  }

  // The end of a run that waits for nothing.
  Outcome Release(Index index, bool again) {
    const uint64_t bit = BitOf(index);
    // relaxed: the exchange decides.
    uint64_t word = WordOf(index).load(std::memory_order_relaxed);
    for (;;) {
      if ((word & leaf_word::Blocked(bit)) == 0) return Outcome::kStale;
      if ((word & leaf_word::Parked(bit)) != 0) return End(index);
      const uint64_t next = (word | leaf_word::Ready(again ? bit : 0)) & ~leaf_word::Blocked(bit);
      // release: pairs with the acquire of the next Take, or of Remove. seq_cst as well: where the
      // slot is ready now, as in Register.
      if (WordOf(index).compare_exchange_weak(word, next, std::memory_order_seq_cst,
                                              std::memory_order_relaxed)) {
        if ((next & leaf_word::Ready(bit)) == 0) return Outcome::kMerged;
        leaves_.Mark(index.slot);
        return Outcome::kQueued;
      }
    }
  }

  // The end of one that waits, or of the last. The slot is parked before it is said what for: who
  // claims it then finds it parked, and the flag of a Resume that comes before is found.
  Outcome Park(Index index, Phase next) {
    if (!SlotUses::Is(uses_.Look(index.slot), index)) return End(index);
    const uint64_t bit = BitOf(index);
    // relaxed: the exchange decides, which releases as in Release.
    uint64_t word = WordOf(index).load(std::memory_order_relaxed);
    do {
      if ((word & leaf_word::Blocked(bit)) == 0) return Outcome::kStale;
      if ((word & leaf_word::Parked(bit)) != 0) return End(index);
    } while (!WordOf(index).compare_exchange_weak(
        word, (word & ~leaf_word::Ready(bit)) | leaf_word::Parked(bit), std::memory_order_release,
        std::memory_order_relaxed));
    // Where it was removed since, Remove has found no run: it is not stale.
    if (uses_.WaitFor(index, next) != SlotUses::Waiting::kResumed) return Outcome::kMerged;
    return Unpark(index) == Outcome::kQueued ? Outcome::kQueued : Outcome::kMerged;
  }

  // Of a slot that was claimed: it is ready, unless it was removed.
  Outcome Unpark(Index index) {
    const uint64_t bit = BitOf(index);
    // acquire, here and where the exchange fails: pairs with the release of Free.
    uint64_t word = WordOf(index).load(std::memory_order_acquire);
    for (;;) {
      if ((word & leaf_word::State(bit)) != leaf_word::ParkedState(bit)) return Outcome::kStale;
      if (!SlotUses::Is(uses_.Look(index.slot), index)) return Outcome::kStale;
      // release, seq_cst: as in Register.
      if (WordOf(index).compare_exchange_weak(word, word ^ leaf_word::State(bit),
                                              std::memory_order_seq_cst,
                                              std::memory_order_acquire)) {
        leaves_.Mark(index.slot);
        return Outcome::kQueued;
      }
    }
  }

  // The end of the last run of a use that was removed; or of whatever else is stale.
  Outcome End(Index index) {
    const std::lock_guard lock(lock_);
    const uint64_t bit = BitOf(index);
    // relaxed: a slot that is ending is changed under the lock alone.
    const uint64_t word = WordOf(index).load(std::memory_order_relaxed);
    if (uses_.IsOver(index) && (word & leaf_word::State(bit)) == leaf_word::EndingState(bit)) {
      Free(index);
    }
    return Outcome::kStale;
  }

  // Of a slot that is ending; the caller holds the lock.
  void Free(Index index) {
    // release: pairs with the acquires in Register, Unregister and Unpark: who sees that the slot
    // is not ending any more sees that the use is over.
    WordOf(index).fetch_and(~leaf_word::Ready(BitOf(index)), std::memory_order_release);
    // A slot whose generations are used up is not used again.
    if (index.generation != std::numeric_limits<uint32_t>::max()) free_.push_back(index.slot);
  }

  SlotLeaves leaves_;
  SlotUses uses_;
  F fence_;
  kv::ShardLock lock_;          // held where atomics are used: no std::mutex (kv/base/atomic.h)
  std::vector<uint32_t> free_;  // guarded by lock_
};

}  // namespace coord

#endif  // COORD_BITMAP_SLOTS_H_
