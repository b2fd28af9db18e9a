// ReadySet: what the benches ask of a coordinator, of ours and of what a program would use instead.
//
//   registrant:  Register(index)
//   worker:      Drain(max, &batch);  for each of the batch: its run;  Finish(index)
//
// A slot is handed out once for any number of registrations since it was handed out last. Beyond
// that the peers promise less than ours: a slot that is registered while it runs may be run by
// a second worker at once, there are no generations, and no timers.
//
// Every peer clears a slot's flag before its run, with a store-load fence between, so that none of
// them loses a wake-up: one fence a batch, which is the cheapest that does.
#ifndef BENCH_COORD_READY_SET_H_
#define BENCH_COORD_READY_SET_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "coord/index.h"

namespace bench {

using coord::Index;

template <typename S>
concept ReadySet = std::constructible_from<S, size_t> &&
    requires(S& set, Index index, std::span<const Index> indices, uint32_t slot, size_t max,
             std::vector<Index>* out) {
  { S::kName } -> std::convertible_to<std::string_view>;
  // Of slot 0 .. slots - 1, all of which are in use.
  { set.At(slot) } -> std::same_as<Index>;
  // Whether it is queued by this call.
  { set.Register(index) } -> std::same_as<bool>;
  // How many are.
  { set.RegisterBatch(indices) } -> std::same_as<size_t>;
  // Appends up to `max`; how many.
  { set.Drain(max, out) } -> std::same_as<size_t>;
  { set.Finish(index) } -> std::same_as<void>;
  // The same for each.
  { set.FinishBatch(indices) } -> std::same_as<void>;
  // The end of a run that wants another one.
  { set.FinishAgain(index) } -> std::same_as<void>;
};

// One that can also wait.
template <typename S>
concept WaitingSet = ReadySet<S> && requires(S& set) {
  // Returns when there is something to drain, or after Shutdown.
  { set.Wait() } -> std::same_as<void>;
  { set.Shutdown() } -> std::same_as<void>;
};

// What peers share: slots that are never used again, and runs whose end nobody has to know.
class PlainSlots {
 public:
  static Index At(uint32_t slot) { return {slot, 1}; }
  static void Finish(Index) {}
  static void FinishBatch(std::span<const Index>) {}
};

}  // namespace bench

#endif  // BENCH_COORD_READY_SET_H_
