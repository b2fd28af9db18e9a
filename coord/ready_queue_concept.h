// ReadyQueue: holds the slots that are ready, until a worker asks for some.
//
// What a model promises, beyond the signatures:
//
//   Each once. A slot is pushed by one thread at a time, and not again before it has been popped;
//   the caller sees to that (slot_states.h). What is pushed is popped exactly once. There is room
//   for all slots at once, so Push cannot fail.
//   Nothing is overlooked. A Pop that hands out nothing, and an Empty() that says true, have missed
//   no slot that was pushed before the call and was not popped by others. Between those two
//   and Push that is so even across threads that exchange nothing else than a store and a
//   load: a thread that pushes and then loads an atomic object (seq_cst), and one that changes
//   this object (seq_cst) and then asks Empty() or Pop, do not both miss what the other did. Upon
//   that a worker goes to sleep (waiter_concept.h).
//   Order. What was done before Push happens before what follows the Pop that hands out the slot.
//   Fairness. From the end of Push(s) on, at most BypassBound(slots, poppers) times is another slot
//   handed out that was pushed later than s, until s is; `poppers` threads call Pop.
//   Thread safety. All functions from any thread.
//
// A Pop may hand out fewer slots than there are, but not fewer than one.
#ifndef COORD_READY_QUEUE_CONCEPT_H_
#define COORD_READY_QUEUE_CONCEPT_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace coord {

template <typename Q>
concept ReadyQueue = std::constructible_from<Q, size_t> &&
    requires(Q& queue, const Q& same, uint32_t slot, std::span<const uint32_t> slots,
             std::span<uint32_t> out, size_t count) {
  { Q::kName } -> std::convertible_to<std::string_view>;
  { queue.Push(slot) } -> std::same_as<void>;
  // In this order, where the queue keeps one.
  { queue.PushBatch(slots) } -> std::same_as<void>;
  // Fills `out` from its beginning; how many.
  { queue.Pop(out) } -> std::same_as<size_t>;
  { same.Empty() } -> std::same_as<bool>;
  { Q::BypassBound(count, count) } -> std::same_as<size_t>;
};

}  // namespace coord

#endif  // COORD_READY_QUEUE_CONCEPT_H_
