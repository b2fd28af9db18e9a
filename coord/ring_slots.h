// RingSlots: a ring of ready slots for each registering thread (per_thread_rings.h), and three
// small words a slot:
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
// So a registration costs one read-modify-write, be it a duplicate or not, a drain none for each
// slot, and the end of a run one.
//
// Invariants:
//   1. `queued` has an entry, exactly one, if it is not none; whoever exchanges none for a use
//      pushes it. Only the entry's holder sets it to none.
//   2. `run` becomes running by the holder of the entry alone, who has seen it free: a store will
//      do. What others do to it while it runs or waits they do by read-modify-writes.
//   3. No message is overlooked. A registrant's exchange comes before the worker's store to
//      `queued`, or behind it. Before: each has a fence, the registrant between message and
//      exchange, the worker between store and run; so the run sees the message. Behind: it finds
//      none, and pushes an entry, of which a later run comes.
//   4. An entry that is popped while the slot runs is not lost: it becomes a bit of `run` by an
//      exchange, so the Finish sees it, or the slot was free by then.
//   5. Uses. A worker holds the gate from pop to store, and Remove waits at it behind the change of
//      the use: a worker that saw the old use has marked its run by then, and one that comes later
//      sees the new. So Remove knows whether there is a run.
//   6. A registration names its use in what it stores, by the low bits of it. One of a use that is
//      over, found by the worker, is dropped. It may have replaced one of a later use, which then
//      is put back by who replaced it. (A thread that is stopped between look and exchange while
//      the slot is removed 16,384 times may be taken for a registrant of that use.)
//
// For: nearly everything: many registrants, slots in any order, several workers.
// Not for: strict order among several registrants (per_thread_rings.h has the bypass); memory: 8
// bytes a slot, and 4 for each registering thread. Unregister and Remove in the hot path: they wait
// for the Takes that are under way.
//
// Thread safety: any thread. Add takes a lock; Unregister and Remove wait; the others are
// lock-free, up to kOwners registering threads. Complexity: as above; a Take also passes the gate,
// two read-modify-writes, and has one for each ring.
#ifndef COORD_RING_SLOTS_H_
#define COORD_RING_SLOTS_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "coord/index.h"
#include "coord/outcome.h"
#include "coord/per_thread_rings.h"
#include "coord/run_state.h"
#include "coord/slot_word.h"
#include "coord/slots_concept.h"
#include "coord/store_load_fence.h"
#include "kv/base/atomic.h"
#include "kv/base/read_gate.h"
#include "kv/base/shard_lock.h"

namespace coord {

template <typename Fence = StoreLoadFence, typename Rings = PerThreadRings>
class RingSlots {
 public:
  static constexpr std::string_view kName = "ring_slots";

  explicit RingSlots(size_t slots)
      : size_(slots), slots_(std::make_unique<Slot[]>(slots)), rings_(slots) {
    for (size_t slot = slots; slot > 0; --slot) free_.push_back(static_cast<uint32_t>(slot - 1));
  }

  std::optional<Index> Add() {
    const std::lock_guard lock(free_lock_);
    if (free_.empty()) return std::nullopt;
    const uint32_t slot = free_.back();
    free_.pop_back();
    // relaxed: nobody else changes the use of a free slot, and whoever gives the index to others
    // gives them this.
    const uint32_t use = slots_[slot].use.load(std::memory_order_relaxed) | kInUse;
    slots_[slot].use.store(use, std::memory_order_relaxed);
    return Index{slot, use >> 1};
  }

  Removal Remove(Index index) {
    if (!Exists(index)) return Removal::kStale;
    Slot& slot = slots_[index.slot];
    uint32_t use = UseOf(index);
    // relaxed: ordered by the gate.
    if (!slot.use.compare_exchange_strong(use, Behind(use), std::memory_order_relaxed)) {
      return Removal::kStale;
    }
    gate_.Synchronize();
    const Removal removal = Abandon(index);
    // A slot whose generations are used up is not used again.
    if (index.generation < std::numeric_limits<uint32_t>::max() / 2 - 1) {
      const std::lock_guard lock(free_lock_);
      free_.push_back(index.slot);
    }
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
    for (; !indices.empty(); indices = indices.subspan(std::min(kChunk, indices.size()))) {
      size_t count = 0;
      for (const Index index : indices.first(std::min(kChunk, indices.size()))) {
        const Mark mark = MarkQueued(index);
        ++outcomes[mark.outcome];
        if (mark.push) pushes[count++] = index.slot;
      }
      if (count > 0) PushAll(std::span(pushes).first(count));
    }
    fence_.Light();
    return outcomes;
  }

  bool Unregister(Index index) {
    if (!Exists(index) || !IsCurrent(index)) return false;
    kv::Atomic<uint16_t>& queued = slots_[index.slot].queued;
    // relaxed: it may be about to wait, or to be done with that.
    const uint16_t run = slots_[index.slot].run.load(std::memory_order_relaxed);
    if (!run_state::IsFree(run) && !run_state::Is(run, run_state::kRunning)) return false;
    uint16_t tag = TagOf(UseOf(index));
    // relaxed: what others wrote for the run that is not to be stays with its release sequence.
    if (!queued.compare_exchange_strong(tag, kWithdrawn, std::memory_order_relaxed)) return false;
    // A worker that saw it queued before begins the run: none it is then.
    gate_.Synchronize();
    return queued.load(std::memory_order_relaxed) != kBegun;
  }

  Outcome Resume(Index index) {
    // seq_cst: pairs with the fence in Take: where this finds no run, the next sees what the caller
    // did.
    kv::ThreadFence(std::memory_order_seq_cst);
    return Wake(index, run_state::kAwaitsCapacity);
  }

  Outcome Fire(Index index) { return Wake(index, run_state::kAwaitsTime); }

  size_t Take(std::span<Index> out) {
    std::array<uint32_t, kChunk> popped;
    size_t taken = 0;
    {
      const kv::ReadGate::Guard guard = gate_.Enter();
      while (taken < out.size()) {
        const size_t count =
            rings_.Pop(std::span(popped).first(std::min(kChunk, out.size() - taken)));
        if (count == 0) break;
        for (const uint32_t slot : std::span(popped).first(count)) {
          const uint32_t use = Begin(slots_[slot]);
          if (use != 0) out[taken++] = {slot, use >> 1};
        }
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
    const bool queued = slot.queued.load(std::memory_order_seq_cst) == TagOf(UseOf(index));
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
        slot.queued.load(std::memory_order_relaxed) == TagOf(UseOf(index))) {
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
    kv::Atomic<uint32_t> use{2};
    kv::Atomic<uint16_t> queued{kBegun};
    kv::Atomic<uint16_t> run{run_state::kIdle};
  };
  struct Mark {
    Outcome outcome = Outcome::kStale;
    bool push = false;
  };
  static constexpr size_t kChunk = 64;
  static constexpr uint32_t kInUse = 1;
  // What `queued` may be beside the tag of a use, which is odd. Only the last has an entry.
  static constexpr uint16_t kBegun = 0;      // none, since a run was begun
  static constexpr uint16_t kDropped = 2;    // none, since the entry was not wanted any more
  static constexpr uint16_t kWithdrawn = 1;  // no use has this tag

  static uint32_t UseOf(Index index) { return index.generation << 1 | kInUse; }
  static uint16_t TagOf(uint32_t use) { return static_cast<uint16_t>(use); }
  // Of a free slot behind the use.
  static uint32_t Behind(uint32_t use) {
    const uint32_t next = use + 1;
    return TagOf(next | kInUse) == kWithdrawn ? next + 2 : next;
  }
  static bool HasEntry(uint16_t queued) { return (queued & 1) != 0; }
  bool Exists(Index index) const { return index.slot < size_; }
  // relaxed: what matters is ordered by the exchange behind it, or the gate.
  bool IsCurrent(Index index) const {
    return slots_[index.slot].use.load(std::memory_order_relaxed) == UseOf(index);
  }

  // Whether what was queued is a registration, and of a later use. Tags wrap around.
  static bool IsLater(uint16_t queued, uint16_t tag) {
    return HasEntry(queued) && queued != kWithdrawn && static_cast<int16_t>(queued - tag) > 0;
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
    const uint16_t tag = TagOf(UseOf(index));
    const uint16_t before = kv::FenceAndExchange(slot.queued, tag);
    if (before == tag) return {Outcome::kMerged, false};
    if (IsLater(before, tag)) [[unlikely]] {
      // kQueued: the entry that is pushed for the later use has to be looked at.
      const bool push = Requeue(slot, before);
      return {push ? Outcome::kQueued : Outcome::kStale, push};
    }
    // seq_cst: pairs with the exchange in Release: one of the two tells that the slot is ready.
    const bool free = run_state::IsFree(slot.run.load(std::memory_order_seq_cst));
    return {free ? Outcome::kQueued : Outcome::kMerged, !HasEntry(before)};
  }

  // Makes the slot queued for the use, or for a later one that is registered already (invariant 6);
  // whether to push.
  bool Requeue(Slot& slot, uint16_t tag) {
    for (;;) {
      const uint16_t before = kv::FenceAndExchange(slot.queued, tag);
      if (!IsLater(before, tag)) return !HasEntry(before);
      tag = before;
    }
  }

  // release: fence_ is between the push and what its caller looks at next.
  void PushAll(std::span<const uint32_t> slots) {
    rings_.template PushBatch<std::memory_order_release>(slots);
  }
  void Push(uint32_t slot) { PushAll({&slot, 1}); }

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
      // relaxed: invariant 5.
      const uint32_t use = slot.use.load(std::memory_order_relaxed);
      if (queued == TagOf(use) && run_state::IsFree(run)) [[likely]] {
        // relaxed: whoever has the next entry sees it by way of the store behind it.
        slot.run.store(run_state::RunOf(use >> 1), std::memory_order_relaxed);
        // release: pairs with the exchange of the registrant.
        slot.queued.store(kBegun, std::memory_order_release);
        return use;
      }
      // relaxed: no run has begun.
      if (slot.queued.compare_exchange_weak(queued, kDropped, std::memory_order_relaxed)) {
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
    if ((run & run_state::kEntry) != 0) Push(index.slot);
    return (run & run_state::kAbandoned) == 0;
  }

  Outcome FinishAgain(Slot& slot, Index index, uint16_t run) {
    const bool goes_on =
        run_state::IsRunOf(run, index.generation) && (run & run_state::kAbandoned) == 0;
    if (goes_on && Requeue(slot, TagOf(UseOf(index)))) Push(index.slot);
    const bool current = Release(slot, index, run, run_state::kIdle);
    fence_.Light();
    return current ? Outcome::kQueued : Outcome::kStale;
  }

  // Ends the run in a state in which a registration does not begin the next.
  Outcome FinishWaiting(Slot& slot, Index index, uint16_t run, uint16_t state) {
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
        const bool push = Requeue(slot, TagOf(UseOf(index)));
        if (push || (run & run_state::kEntry) != 0) Push(index.slot);
        fence_.Light();
        return Outcome::kQueued;
      }
      const bool about_to = awaited == run_state::kAwaitsCapacity &&
                            run_state::Is(run, run_state::kRunning) &&
                            (run & (run_state::kAbandoned | run_state::kResumed)) == 0;
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
  kv::ShardLock free_lock_;
  std::vector<uint32_t> free_;  // guarded by free_lock_
};

}  // namespace coord

#endif  // COORD_RING_SLOTS_H_
