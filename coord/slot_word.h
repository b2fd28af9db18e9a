// SlotWord: the state of a slot, as it is packed into the word that slot_states.h changes.
//
//    63                            32 31                 8  7   6   5   4 3       0
//   ┌────────────────────────────────┬────────────────────┬───┬───┬───┬───┬────────┐
//   │           generation           │         0          │ 0 │ r │ n │ e │ phase  │
//   └────────────────────────────────┴────────────────────┴───┴───┴───┴───┴────────┘
//      e: an entry is in the ready queue; n: notified, r: resumed, both while running
//
// Thread safety: a value.
#ifndef COORD_SLOT_WORD_H_
#define COORD_SLOT_WORD_H_

#include <cstdint>

#include "coord/index.h"

namespace coord {

enum class Phase : uint8_t {
  kFree,
  kIdle,
  kReady,
  kRunning,
  kAwaitsSignal,
  kAwaitsTime,
  kAwaitsCapacity,
  kStopped,
};

struct SlotWord {
  uint32_t generation = 0;
  Phase phase = Phase::kFree;
  bool entry = false;
  bool notified = false;
  bool resumed = false;

  static constexpr uint64_t kPhase = 0xf;
  static constexpr uint64_t kEntry = 1 << 4;
  static constexpr uint64_t kNotified = 1 << 5;
  static constexpr uint64_t kResumed = 1 << 6;

  static constexpr SlotWord From(uint64_t bits) {
    return {.generation = static_cast<uint32_t>(bits >> 32),
            .phase = static_cast<Phase>(bits & kPhase),
            .entry = (bits & kEntry) != 0,
            .notified = (bits & kNotified) != 0,
            .resumed = (bits & kResumed) != 0};
  }

  constexpr uint64_t Packed() const {
    return uint64_t{generation} << 32 | static_cast<uint64_t>(phase) | (entry ? kEntry : 0) |
           (notified ? kNotified : 0) | (resumed ? kResumed : 0);
  }

  // A generation that is over keeps no phase but kFree, so to be of one is to be in use.
  constexpr bool Is(Index index) const {
    return generation == index.generation && phase != Phase::kFree;
  }

  // Whether it will run without being told once more.
  constexpr bool WillRun() const {
    return phase == Phase::kReady || phase == Phase::kAwaitsTime ||
           phase == Phase::kAwaitsCapacity || (phase == Phase::kRunning && notified);
  }

  // Behind the end of this use.
  constexpr SlotWord Next() const { return {.generation = generation + 1, .entry = entry}; }
};

// Is and WillRun of what is packed, without taking it apart: what most registrations ask.
constexpr bool WillRun(uint64_t bits, Index index) {
  // A bit for each value of phase, entry and notified.
  constexpr uint64_t kAnswers = [] {
    uint64_t answers = 0;
    for (uint64_t low = 0; low < 64; ++low) {
      if (SlotWord::From(low).WillRun()) answers |= uint64_t{1} << low;
    }
    return answers;
  }();
  return bits >> 32 == index.generation && (kAnswers >> bits % 64 & 1) != 0;
}

}  // namespace coord

#endif  // COORD_SLOT_WORD_H_
