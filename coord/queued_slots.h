// QueuedSlots: a state for each slot, and beside the states a queue of those that are ready.
//
// For: an order that the bits of bitmap_slots.h do not keep, such as first in, first out.
// Not for: draining at about a nanosecond a slot: each slot that is taken, and each end of a run,
// is a read-modify-write of its own.
//
// A slot that is removed while it runs may be added again at once: its states go by generation, so
// the end of the earlier run changes nothing.
//
// Thread safety: any thread; Add and Remove take a lock, the others what the queue takes.
// Complexity: Register a read-modify-write and a queue's push, or of a slot that is ready the
// fence's LoadAfterStores alone; Take a queue's Pop and a read-modify-write a slot; the others one.
#ifndef COORD_QUEUED_SLOTS_H_
#define COORD_QUEUED_SLOTS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "coord/fence_concept.h"
#include "coord/free_slots.h"
#include "coord/index.h"
#include "coord/outcome.h"
#include "coord/ready_queue_concept.h"
#include "coord/slot_states.h"
#include "coord/slot_word.h"
#include "coord/slots_concept.h"

namespace coord {

template <ReadyQueue Q, Fence F>
class QueuedSlots {
 public:
  static constexpr std::string_view kName = Q::kName;

  explicit QueuedSlots(size_t slots) : states_(slots), queue_(slots), free_(slots) {}

  std::optional<Index> Add() {
    const std::optional<uint32_t> slot = free_.Take();
    if (!slot.has_value()) return std::nullopt;
    return states_.Add(*slot);
  }

  Removal Remove(Index index) {
    const Removal removal = states_.Remove(index);
    // A slot whose generations are used up is not used again.
    if (removal != Removal::kStale && index.generation != std::numeric_limits<uint32_t>::max()) {
      free_.GiveBack(index.slot);
    }
    return removal;
  }

  Outcome Register(Index index) { return Push(index, states_.Register(index, fence_)); }

  // With one push for up to kChunk of them.
  Outcomes RegisterBatch(std::span<const Index> indices) {
    Outcomes outcomes;
    std::array<uint32_t, kChunk> slots;
    for (; !indices.empty(); indices = indices.subspan(std::min(kChunk, indices.size()))) {
      size_t count = 0;
      for (const Index index : indices.first(std::min(kChunk, indices.size()))) {
        const SlotStates::Answer answer = states_.Register(index, fence_);
        ++outcomes[answer.outcome];
        if (answer.push) slots[count++] = index.slot;
      }
      if (count > 0) queue_.PushBatch(std::span(slots).first(count));
    }
    return outcomes;
  }

  bool Unregister(Index index) { return states_.Unregister(index); }
  Outcome Resume(Index index) { return Push(index, states_.Resume(index)); }
  Outcome Fire(Index index) { return Push(index, states_.Fire(index)); }

  // Entries of slots that were withdrawn or removed do not count.
  size_t Take(std::span<Index> out) {
    std::array<uint32_t, kChunk> popped;
    size_t taken = 0;
    while (taken < out.size()) {
      const size_t count =
          queue_.Pop(std::span(popped).first(std::min(kChunk, out.size() - taken)));
      if (count == 0) break;
      for (const uint32_t slot : std::span(popped).first(count)) {
        const std::optional<Index> index = states_.Take(slot);
        if (index.has_value()) out[taken++] = *index;
      }
    }
    return taken;
  }
  void BeginRuns() { fence_.Heavy(); }

  Outcome Finish(Index index, Phase next) { return Push(index, states_.Finish(index, next)); }

  Outcomes FinishBatch(std::span<const Index> indices) {
    Outcomes outcomes;
    for (const Index index : indices) ++outcomes[Finish(index, Phase::kIdle)];
    return outcomes;
  }

  std::optional<Phase> PhaseOf(Index index) const { return states_.PhaseOf(index); }
  bool Empty() const { return queue_.Empty(); }

  static constexpr size_t BypassBound(size_t slots, size_t takers) {
    return Q::BypassBound(slots, takers);
  }

 private:
  static constexpr size_t kChunk = 64;

  Outcome Push(Index index, SlotStates::Answer answer) {
    if (answer.push) queue_.Push(index.slot);
    return answer.outcome;
  }

  SlotStates states_;
  F fence_;
  Q queue_;
  FreeSlots free_;
};

}  // namespace coord

#endif  // COORD_QUEUED_SLOTS_H_
