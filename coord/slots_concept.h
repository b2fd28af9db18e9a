// Slots: what each slot is doing, and which of them are ready.
//
//                 Register                Take                    Finish(kReady)
//        Idle ───────────────► Ready ───────────────► Running ───────────────────► Ready
//         ▲  ◄─────────────── Unregister               │ │ ▲
//         │                                   Register │ │ │ Unregister
//         │ Finish(kIdle), not notified                ▼ │ │
//         ├────────────────────────────────────────────┤ Running, notified ──► Ready
//         │                                            │      any Finish but those below
//    AwaitsSignal ◄── Finish(kAwaitsSignal), not notified
//    AwaitsTime ◄──── Finish(kAwaitsTime), notified or not ──── Fire ───────────► Ready
//    AwaitsCapacity ◄ Finish(kAwaitsCapacity), not resumed ──── Resume ─────────► Ready
//    Stopped ◄─────── Finish(kStopped)
//
//    Register leads from AwaitsSignal to Ready as it does from Idle. Remove leads from everywhere
//    to Free, one generation up; Add from Free to Idle.
//
// What a model promises, beyond the signatures:
//
//   Nothing twice. A use of a slot is run by one thread at a time, from Take to Finish, and each
//   run sees what the ones before it did. Remove sees what all runs did that are over.
//   Nothing lost. A registration that is answered kQueued or kMerged is followed by a Take, and the
//   run behind its BeginRuns sees what the registrant wrote before (fence_concept.h says how much
//   of it), unless the slot is unregistered, removed or stopped first.
//   Nothing stale. With the index of a use that is over nothing can be changed. Of a Remove that
//   says kRunning, one Finish is kStale, when nothing of the use runs any more; of one that says
//   kIdle, none. Whether a slot that was removed while running can be added again before its Finish
//   is the model's affair.
//   Nothing overlooked. A Take that hands out nothing, and an Empty() that says true, have missed
//   no slot that was ready before the call and was not taken by others; and that, and order, as
//   ready_queue_concept.h has it, with whatever makes a slot ready (kQueued) in the place of Push.
//   Fairness. From the time on when s is ready, at most BypassBound(slots, takers) times is another
//   slot handed out that became ready later than s, until s is; `takers` threads call Take.
//   Thread safety. All functions from any thread.
#ifndef COORD_SLOTS_CONCEPT_H_
#define COORD_SLOTS_CONCEPT_H_

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "coord/index.h"
#include "coord/outcome.h"
#include "coord/slot_word.h"

namespace coord {

template <typename S>
concept Slots = std::constructible_from<S, size_t> &&
    requires(S& slots, const S& same, Index index, Phase next, size_t count,
             std::span<const Index> indices, std::span<Index> out) {
  { S::kName } -> std::convertible_to<std::string_view>;
  // A slot that is idle; none when all are in use.
  { slots.Add() } -> std::same_as<std::optional<Index>>;
  { slots.Remove(index) } -> std::same_as<Removal>;
  { slots.Register(index) } -> std::same_as<Outcome>;
  { slots.RegisterBatch(indices) } -> std::same_as<Outcomes>;
  // Takes back what was registered and has not begun to run; whether there was something. A slot
  // that waits for a time or capacity goes on waiting.
  { slots.Unregister(index) } -> std::same_as<bool>;
  // There is capacity for the slot: it runs, if it waits for it or is about to; and if it does not,
  // its next run sees what the caller did before.
  { slots.Resume(index) } -> std::same_as<Outcome>;
  // The time has come that the slot waits for. Once for each time.
  { slots.Fire(index) } -> std::same_as<Outcome>;
  // Fills `out` from its beginning with runs to be begun; how many. Fewer than there is room for
  // only where there are no more that were ready before the call.
  { slots.Take(out) } -> std::same_as<size_t>;
  // Between Take and the runs, once for all that was taken.
  { slots.BeginRuns() } -> std::same_as<void>;
  // The end of a run. `next`: kReady, kIdle, kAwaitsSignal, kAwaitsTime, kAwaitsCapacity, kStopped.
  // kQueued: it is ready again; kMerged: it is in `next`.
  { slots.Finish(index, next) } -> std::same_as<Outcome>;
  // Finish(kIdle) for each.
  { slots.FinishBatch(indices) } -> std::same_as<Outcomes>;
  // For observers; it may have changed by now.
  { same.PhaseOf(index) } -> std::same_as<std::optional<Phase>>;
  { same.Empty() } -> std::same_as<bool>;
  { S::BypassBound(count, count) } -> std::same_as<size_t>;
};

}  // namespace coord

#endif  // COORD_SLOTS_CONCEPT_H_
