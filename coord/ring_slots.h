// RingSlots: a ring of ready slots for each registering thread, of which a worker empties its own
// first (work_stealing.h), and three small words a slot:
//
//   use       its generation << 1 | whether it is in use                32 bits
//   queued    the use for which it is registered, by a tag, or none     16 bits
//   run       what it is doing (run_state.h)                            16 bits
//
// A slot that is queued has one *entry*: in a ring, in the hand of whoever popped it, or, where it
// was popped while the slot was running or waiting, as a bit in `run`. Who has the entry in its
// hand may run the slot; nobody else begins runs.
//
//   registrant:  message;  queued := use (an exchange)  ── was none ──► push the entry
//   worker:      pop;  run := running;  queued := none;  one fence for the batch;  read messages
//   its end:     run := idle (an exchange)  ── the entry came meanwhile ──► push it again
//
// Invariants:
//   1. `queued` has one entry if it is not none; whoever exchanges none for a use pushes it, and
//      the entry's holder alone sets it to none.
//   2. `run` becomes running by the holder of the entry alone, who has seen it free: a store will
//      do. What others do to it while it runs or waits they do by read-modify-writes.
//   3. No message is overlooked. Where a registrant's exchange comes before the worker's store to
//      `queued`, each has a fence, one between message and exchange, the other between store and
//      run; so the run sees the message. Where it comes behind, it finds none, and pushes an entry.
//   4. A worker holds the gate from pop to store, and Remove waits at it behind the change of the
//      use: who saw the old use has marked its run by then, and who comes later sees the new.
//   5. A registration names its use, by its low bits. Of a use that is over the worker drops it. It
//      may have replaced one of a later use, which whoever replaced it puts back. (A thread that
//      stands still before its exchange for 16,384 removals may be taken for that use's.)
//
// For: nearly everything: many registrants, slots in any order, several workers.
// Not for: strict order among several registrants (work_stealing.h has the bypass bound, and
// RingSlots<StoreLoadFence, PerThreadRings> a smaller one, for up to twice the time);
// Unregister and Remove all the time: they wait for the Takes that are under way.
//
// Thread safety: any thread. Add takes a lock; Unregister and Remove wait; the others are
// lock-free. Complexity: a registration, be it a duplicate or not, and the end of a run are one
// read-modify-write each; a Take two for the gate, and one for each ring. Memory: 8 bytes a slot.
#ifndef COORD_RING_SLOTS_H_
#define COORD_RING_SLOTS_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "coord/free_slots.h"
#include "coord/index.h"
#include "coord/outcome.h"
#include "coord/run_state.h"
#include "coord/slot_word.h"
#include "coord/slots_concept.h"
#include "coord/store_load_fence.h"
#include "coord/use_tag.h"
#include "coord/work_stealing.h"
#include "kv/base/atomic.h"
#include "kv/base/read_gate.h"

namespace coord {

template <typename Fence = StoreLoadFence, typename Rings = WorkStealing>
class RingSlots {
 public:
  static constexpr std::string_view kName = "ring_slots";

  explicit RingSlots(size_t slots)
      : size_(slots), slots_(std::make_unique<Slot[]>(slots)), rings_(slots), free_(slots) {}

  std::optional<Index> Add() {
    const std::optional<uint32_t> free = free_.Take();
    if (!free.has_value()) return std::nullopt;
    // relaxed: nobody else changes the use of a free slot, and whoever gives the index to others
    // gives them this.
    kv::Atomic<uint32_t>& at = slots_[*free].use;
    const uint32_t use = at.load(std::memory_order_relaxed) | use_tag::kInUse;
    at.store(use, std::memory_order_relaxed);
    return Index{*free, use >> 1};
  }

  Removal Remove(Index index) {
    if (!Exists(index)) return Removal::kStale;
    Slot& slot = slots_[index.slot];
    uint32_t use = use_tag::UseOf(index);
    // relaxed: ordered by the gate.
    if (!slot.use.compare_exchange_strong(use, use_tag::Behind(use), std::memory_order_relaxed)) {
      return Removal::kStale;
    }
    gate_.Synchronize();
    const Removal removal = Abandon(index);
    // A slot whose generations are used up is not used again.
    constexpr uint32_t kLast = std::numeric_limits<uint32_t>::max() / 2 - 1;
    if (index.generation < kLast) free_.GiveBack(index.slot);
    return removal;
  }

  Outcome Register(Index index) {
    const Mark mark = MarkQueued(index);
    if (mark.push) Push(index.slot);
    if (mark.outcome == Outcome::kQueued) fence_.Light();
    return mark.outcome;
  }

  Outcomes RegisterBatch(std::span<const Index> indices) {
    Outcomes outcomes;
    std::array<uint32_t, kChunk> pushes;
    size_t count = 0;
    for (const Index index : indices) {
      const Mark mark = MarkQueued(index);
      ++outcomes[mark.outcome];
      if (mark.push) pushes[count++] = index.slot;
      if (count == kChunk) PushAll(std::span(pushes).first(std::exchange(count, 0)));
    }
    PushAll(std::span(pushes).first(count));
    fence_.Light();
    return outcomes;
  }

  bool Unregister(Index index) {
    if (!Exists(index) || !IsCurrent(index)) return false;
    kv::Atomic<uint16_t>& queued = slots_[index.slot].queued;
    // relaxed: it may be about to wait, or to be done with that.
    const uint16_t run = slots_[index.slot].run.load(std::memory_order_relaxed);
    if (!run_state::IsFree(run) && !run_state::Is(run, run_state::kRunning)) return false;
    uint16_t tag = use_tag::Of(index);
    // relaxed: what others wrote for the run that is not to be stays with its release sequence.
    if (!queued.compare_exchange_strong(tag, use_tag::kWithdrawn, std::memory_order_relaxed))
      return false;
    // A worker that saw it queued before begins the run: none it is then.
    gate_.Synchronize();
    return queued.load(std::memory_order_relaxed) != use_tag::kBegun;
  }

  Outcome Resume(Index index) {
    // seq_cst: pairs with the fence in Take: the next run sees what the caller did.
    kv::ThreadFence(std::memory_order_seq_cst);
    return Wake(index, run_state::kAwaitsCapacity);
  }

  Outcome Fire(Index index) { return Wake(index, run_state::kAwaitsTime); }

  size_t Take(std::span<Index> out) {
    const kv::ReadGate::Guard guard = gate_.Enter();
    std::array<uint32_t, kChunk> popped;
    size_t taken = 0;
    while (taken < out.size()) {
      const auto room = std::span(popped).first(std::min(kChunk, out.size() - taken));
      const size_t count = rings_.Pop(room);
      if (count == 0) break;
      for (const uint32_t slot : room.first(count)) {
        const uint32_t use = Begin(slots_[slot]);
        if (use != 0) out[taken++] = {slot, use >> 1};
      }
    }
    // seq_cst: invariant 3.
    if (taken > 0) kv::ThreadFence(std::memory_order_seq_cst);
    return taken;
  }
  void BeginRuns() {}

  Outcome Finish(Index index, Phase next) {
    if (!Exists(index)) return Outcome::kStale;
    Slot& slot = slots_[index.slot];
    // relaxed: the exchange decides.
    uint16_t run = slot.run.load(std::memory_order_relaxed);
    if (next == Phase::kReady) return FinishAgain(slot, index, run);
    const uint16_t state = run_state::Of(next);
    if (!run_state::IsFree(state)) return FinishWaiting(slot, index, run, state);
    if (!Release(slot, index, run, state)) return Outcome::kStale;
    // seq_cst: pairs with the load in MarkQueued: one of the two tells that the slot is ready.
    const bool queued = slot.queued.load(std::memory_order_seq_cst) == use_tag::Of(index);
    if (queued) fence_.Light();
    return queued ? Outcome::kQueued : Outcome::kMerged;
  }

  Outcomes FinishBatch(std::span<const Index> indices) {
    Outcomes outcomes;
    for (const Index index : indices) ++outcomes[Finish(index, Phase::kIdle)];
    return outcomes;
  }

  std::optional<Phase> PhaseOf(Index index) const {
    if (!Exists(index) || !IsCurrent(index)) return std::nullopt;
    const Slot& slot = slots_[index.slot];
    // relaxed: it may have changed by now.
    const uint16_t run = slot.run.load(std::memory_order_relaxed);
    if (run_state::IsFree(run) &&
        slot.queued.load(std::memory_order_relaxed) == use_tag::Of(index)) {
      return Phase::kReady;
    }
    return run_state::PhaseOf(run, index.generation);
  }

  bool Empty() const {
    fence_.Heavy();
    return rings_.Empty();
  }

  static constexpr size_t BypassBound(size_t slots, size_t takers) {
    return Rings::BypassBound(slots, takers);
  }

 private:
  struct Slot {
    kv::Atomic<uint32_t> use{use_tag::kFirst};
    kv::Atomic<uint16_t> queued{use_tag::kBegun};
    kv::Atomic<uint16_t> run{run_state::kIdle};
  };
  struct Mark {
    Outcome outcome = Outcome::kStale;
    bool push = false;
  };
  static constexpr size_t kChunk = 64;

  bool Exists(Index index) const { return index.slot < size_; }
  // relaxed: what matters is ordered by the exchange behind it, or the gate.
  bool IsCurrent(Index index) const {
    return slots_[index.slot].use.load(std::memory_order_relaxed) == use_tag::UseOf(index);
  }

  // Registers, all but the push.
  Mark MarkQueued(Index index) {
    if (!Exists(index) || !IsCurrent(index)) [[unlikely]]
      return {};
    Slot& slot = slots_[index.slot];
    // relaxed: it never leaves that state.
    if (run_state::Is(slot.run.load(std::memory_order_relaxed), run_state::kStopped)) [[unlikely]] {
      return {Outcome::kStopped, false};
    }
    const uint16_t tag = use_tag::Of(index);
    const uint16_t before = kv::FenceAndExchange(slot.queued, tag);
    if (before == tag) return {Outcome::kMerged, false};
    if (use_tag::IsLater(before, tag)) [[unlikely]] {
      // kQueued: the entry that is pushed for the later use has to be looked at.
      const bool push = Requeue(slot, before);
      return {push ? Outcome::kQueued : Outcome::kStale, push};
    }
    // seq_cst: pairs with the exchange in Release: one of the two tells that the slot is ready.
    const bool free = run_state::IsFree(slot.run.load(std::memory_order_seq_cst));
    return {free ? Outcome::kQueued : Outcome::kMerged, !use_tag::HasEntry(before)};
  }

  // Queues the slot for the use, or for a later one that is registered; whether to push.
  bool Requeue(Slot& slot, uint16_t tag) {
    for (;;) {
      const uint16_t before = kv::FenceAndExchange(slot.queued, tag);
      if (!use_tag::IsLater(before, tag)) return !use_tag::HasEntry(before);
      tag = before;
    }
  }

  // release: fence_ is between the push and what its caller looks at next.
  void PushAll(std::span<const uint32_t> slots) {
    rings_.template PushBatch<std::memory_order_release>(slots);
  }
  void Push(uint32_t slot) { rings_.template Push<std::memory_order_release>(slot); }
  // Out of line, as rarer ends of runs: stores to the stack would keep the next exchange waiting.
  [[gnu::noinline]] void PushAgain(uint32_t slot) { Push(slot); }

  // Of the entry that is in the caller's hand: the use whose run it begins, or 0.
  uint32_t Begin(Slot& slot) {
    for (;;) {
      // acquire: pairs with the exchange of the registrant, so that its use is seen, and what was
      // done to `run` before that.
      uint16_t queued = slot.queued.load(std::memory_order_acquire);
      // acquire: pairs with the exchange in Release: runs follow one another. (The fence in Take
      // would do, but ThreadSanitizer knows no fences.)
      uint16_t run = slot.run.load(std::memory_order_acquire);
      if (!run_state::IsFree(run) && !run_state::Is(run, run_state::kStopped)) {
        // relaxed: an entry is a number and no more.
        if (slot.run.compare_exchange_weak(run, run | run_state::kEntry,
                                           std::memory_order_relaxed)) {
          return 0;
        }
        continue;
      }
      // relaxed: invariant 4.
      const uint32_t use = slot.use.load(std::memory_order_relaxed);
      if (queued == use_tag::Of(use) && run_state::IsFree(run)) [[likely]] {
        // relaxed: whoever has the next entry sees it by way of the store behind it.
        slot.run.store(run_state::RunOf(use >> 1), std::memory_order_relaxed);
        // release: pairs with the exchange of the registrant.
        slot.queued.store(use_tag::kBegun, std::memory_order_release);
        return use;
      }
      // relaxed: no run has begun.
      if (slot.queued.compare_exchange_weak(queued, use_tag::kDropped, std::memory_order_relaxed)) {
        return 0;
      }
    }
  }

  // Ends the run; false: it was abandoned, or is over.
  bool Release(Slot& slot, Index index, uint16_t run, uint16_t state) {
    do {
      if (!run_state::IsRunOf(run, index.generation)) [[unlikely]]
        return false;
      // release: pairs with the acquire in Begin and in Abandon. acquire: who was removed may be
      // freed. seq_cst: pairs with the load in MarkQueued.
    } while (!slot.run.compare_exchange_weak(run, state, std::memory_order_seq_cst,
                                             std::memory_order_relaxed));
    if ((run & run_state::kEntry) != 0) PushAgain(index.slot);
    return (run & run_state::kAbandoned) == 0;
  }

  [[gnu::noinline]] Outcome FinishAgain(Slot& slot, Index index, uint16_t run) {
    const bool goes_on =
        run_state::IsRunOf(run, index.generation) && (run & run_state::kAbandoned) == 0;
    if (goes_on && Requeue(slot, use_tag::Of(index))) Push(index.slot);
    const bool current = Release(slot, index, run, run_state::kIdle);
    fence_.Light();
    return current ? Outcome::kQueued : Outcome::kStale;
  }

  // Ends the run in a state in which a registration does not begin the next.
  [[gnu::noinline]] Outcome FinishWaiting(Slot& slot, Index index, uint16_t run, uint16_t state) {
    const bool stops = state == run_state::kStopped;
    uint16_t after = state;
    do {
      if (!run_state::IsRunOf(run, index.generation)) return Outcome::kStale;
      if ((run & run_state::kAbandoned) != 0) {
        Release(slot, index, run, run_state::kIdle);
        return Outcome::kStale;
      }
      if (state == run_state::kAwaitsCapacity && (run & run_state::kResumed) != 0) {
        return FinishAgain(slot, index, run);
      }
      if (!stops) after = state | (run & run_state::kEntry);
      // release: as in Release.
    } while (!slot.run.compare_exchange_weak(run, after, std::memory_order_release,
                                             std::memory_order_relaxed));
    // Of a slot that is stopped entries are dropped.
    if (stops && (run & run_state::kEntry) != 0) Push(index.slot);
    return Outcome::kMerged;
  }

  // Ends what the slot waits for, if it is that.
  Outcome Wake(Index index, uint16_t awaited) {
    if (!Exists(index) || !IsCurrent(index)) return Outcome::kStale;
    Slot& slot = slots_[index.slot];
    // relaxed: the exchange decides.
    uint16_t run = slot.run.load(std::memory_order_relaxed);
    for (;;) {
      if (run_state::Is(run, run_state::kStopped)) return Outcome::kStopped;
      if (run_state::Is(run, awaited)) {
        // relaxed: continues the release sequence of the run that is over; Requeue orders the rest.
        if (!slot.run.compare_exchange_weak(run, run_state::kIdle, std::memory_order_relaxed)) {
          continue;
        }
        if (Requeue(slot, use_tag::Of(index)) || (run & run_state::kEntry) != 0) Push(index.slot);
        fence_.Light();
        return Outcome::kQueued;
      }
      const bool about_to = awaited == run_state::kAwaitsCapacity && run_state::MayBeResumed(run);
      if (!about_to) return Outcome::kMerged;
      // relaxed: the fence in Resume orders what the caller did.
      if (slot.run.compare_exchange_weak(run, run | run_state::kResumed,
                                         std::memory_order_relaxed)) {
        return Outcome::kMerged;
      }
    }
  }

  // Of a use that is over: whether it runs, whose Finish then is told. What it waited for is over.
  Removal Abandon(Index index) {
    kv::Atomic<uint16_t>& at = slots_[index.slot].run;
    // acquire, also below: what runs did that are over.
    uint16_t run = at.load(std::memory_order_acquire);
    for (;;) {
      if (run == run_state::kIdle) return Removal::kIdle;
      const bool runs = run_state::Is(run, run_state::kRunning);
      // Of an earlier use, whose removal was told so.
      if (runs && !run_state::IsRunOf(run, index.generation)) return Removal::kIdle;
      const uint16_t after = runs ? run | run_state::kAbandoned : run_state::kIdle;
      // release: pairs with the exchange in Release, whose caller may free what the slot had.
      if (at.compare_exchange_weak(run, after, std::memory_order_acq_rel,
                                   std::memory_order_acquire)) {
        if (runs) return Removal::kRunning;
        if ((run & run_state::kEntry) != 0) Push(index.slot);
        return Removal::kIdle;
      }
    }
  }

  const size_t size_;
  const std::unique_ptr<Slot[]> slots_;
  Rings rings_;
  mutable Fence fence_;
  kv::ReadGate gate_;
  FreeSlots free_;
};

}  // namespace coord

#endif  // COORD_RING_SLOTS_H_
