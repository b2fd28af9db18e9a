// Uses of a slot, and the tags of them that ring_slots.h stores to say for which use a slot is
// queued.
//
//   use   generation << 1 | whether the slot is in use
//   tag   its low 16 bits: odd, as registrations are of slots in use
//
// Thread safety: pure functions.
#ifndef COORD_USE_TAG_H_
#define COORD_USE_TAG_H_

#include <cstdint>

#include "coord/index.h"

namespace coord::use_tag {

inline constexpr uint32_t kInUse = 1;
// Of a slot that was never used: free, and its first generation 1.
inline constexpr uint32_t kFirst = 2;

// What stands in the place of a tag where there is none. Of these the last alone has an entry.
inline constexpr uint16_t kBegun = 0;      // none, since a run was begun
inline constexpr uint16_t kDropped = 2;    // none, since the entry was not wanted any more
inline constexpr uint16_t kWithdrawn = 1;  // no use has this tag

constexpr uint32_t UseOf(Index index) { return index.generation << 1 | kInUse; }
constexpr uint16_t Of(uint32_t use) { return static_cast<uint16_t>(use); }
constexpr uint16_t Of(Index index) { return Of(UseOf(index)); }

// Of the slot when it is free behind the use.
constexpr uint32_t Behind(uint32_t use) {
  const uint32_t next = use + 1;
  return Of(next | kInUse) == kWithdrawn ? next + 2 : next;
}

constexpr bool HasEntry(uint16_t queued) { return (queued & 1) != 0; }

// Whether what is queued is a registration, and of a later use. Tags wrap around.
constexpr bool IsLater(uint16_t queued, uint16_t tag) {
  return HasEntry(queued) && queued != kWithdrawn && static_cast<int16_t>(queued - tag) > 0;
}

}  // namespace coord::use_tag

#endif  // COORD_USE_TAG_H_
