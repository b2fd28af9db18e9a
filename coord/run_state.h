// RunState: whether a slot may be run, as it is packed into the word that ring_slots.h changes.
//
//    15              6   5   4   3   2       0
//   ┌──────────────────┬───┬───┬───┬─────────┐
//   │   whose run      │ a │ r │ e │  phase  │
//   └──────────────────┴───┴───┴───┴─────────┘
//      whose: the low bits of the generation, while running
//      e: its entry has been popped meanwhile, and is to be pushed again
//      r: resumed while running; a: abandoned, which is to say removed while running
//
// Thread safety: pure functions.
#ifndef COORD_RUN_STATE_H_
#define COORD_RUN_STATE_H_

#include <cstdint>

#include "coord/slot_word.h"

namespace coord::run_state {

inline constexpr uint16_t kIdle = 0;
inline constexpr uint16_t kAwaitsSignal = 1;  // for observers: runs as one that is idle
inline constexpr uint16_t kRunning = 2;
inline constexpr uint16_t kAwaitsTime = 3;
inline constexpr uint16_t kAwaitsCapacity = 4;
inline constexpr uint16_t kStopped = 5;

inline constexpr uint16_t kPhase = 7;
inline constexpr uint16_t kEntry = 1 << 3;
inline constexpr uint16_t kResumed = 1 << 4;
inline constexpr uint16_t kAbandoned = 1 << 5;

// Whether whoever has the slot's entry may run it.
constexpr bool IsFree(uint16_t state) { return state <= kAwaitsSignal; }

constexpr bool Is(uint16_t state, uint16_t phase) { return (state & kPhase) == phase; }

// Of a run that begins.
constexpr uint16_t RunOf(uint32_t generation) {
  return static_cast<uint16_t>(generation << 6 | kRunning);
}
constexpr bool IsRunOf(uint16_t state, uint32_t generation) {
  constexpr uint16_t kWhose = static_cast<uint16_t>(~uint16_t{0x3f});
  return (state & (kWhose | kPhase)) == RunOf(generation);
}

// Whether it runs, and there is no word of capacity yet.
constexpr bool MayBeResumed(uint16_t state) {
  return Is(state, kRunning) && (state & (kAbandoned | kResumed)) == 0;
}

// Of the end of a run.
constexpr uint16_t Of(Phase next) {
  switch (next) {
    case Phase::kAwaitsSignal:
      return kAwaitsSignal;
    case Phase::kAwaitsTime:
      return kAwaitsTime;
    case Phase::kAwaitsCapacity:
      return kAwaitsCapacity;
    case Phase::kStopped:
      return kStopped;
    default:
      return kIdle;
  }
}

// As observers see it, where nothing is registered.
constexpr Phase PhaseOf(uint16_t state, uint32_t generation) {
  if (Is(state, kRunning) && !IsRunOf(state, generation)) return Phase::kIdle;
  constexpr Phase kPhases[] = {Phase::kIdle,       Phase::kAwaitsSignal,   Phase::kRunning,
                               Phase::kAwaitsTime, Phase::kAwaitsCapacity, Phase::kStopped};
  return kPhases[state & kPhase];
}

}  // namespace coord::run_state

#endif  // COORD_RUN_STATE_H_
