// LeafWord: what sixteen slots are doing, as it is packed into the word that bitmap_slots.h
// changes.
//
//    63           48 47           32 31           16 15            0
//   ┌───────────────┬───────────────┬───────────────┬───────────────┐
//   │   removals    │    parked     │    blocked    │     ready     │
//   └───────────────┴───────────────┴───────────────┴───────────────┘
//      removals: of slots of this word, counted without the carry; the others: a bit a slot
//
//      ready blocked parked
//        0      0      0     idle
//        1      0      0     ready
//        0      1      0     running
//        1      1      0     running, and notified
//        0      1      1     parked: waits for a time or capacity, is stopped, or is free
//        1      1      1     ending: removed, and not free yet
//
// So blocked is a lock: whoever turns it on, one thread, has the slot, until it or whoever it is
// parked for turns it off.
//
// Thread safety: values.
#ifndef COORD_LEAF_WORD_H_
#define COORD_LEAF_WORD_H_

#include <cstddef>
#include <cstdint>

namespace coord::leaf_word {

inline constexpr size_t kSlots = 16;
inline constexpr uint64_t kAll = (uint64_t{1} << kSlots) - 1;
inline constexpr uint64_t kRemoval = uint64_t{1} << 3 * kSlots;

// Slots are a set of some of the word's, a bit each, from the lowest on.
constexpr uint64_t Ready(uint64_t slots) { return slots; }
constexpr uint64_t Blocked(uint64_t slots) { return slots << kSlots; }
constexpr uint64_t Parked(uint64_t slots) { return slots << 2 * kSlots; }

// The whole state of a slot, as far as it has that of the name.
constexpr uint64_t State(uint64_t slots) { return Ready(slots) | Blocked(slots) | Parked(slots); }
constexpr uint64_t ParkedState(uint64_t slots) { return Blocked(slots) | Parked(slots); }
constexpr uint64_t EndingState(uint64_t slots) { return State(slots); }
// What a registration need not change: the slot will run, be it when its wait is over.
constexpr uint64_t Served(uint64_t slots) { return Ready(slots) | Parked(slots); }

// Of all slots of a word those that are.
constexpr uint64_t ReadyOf(uint64_t word) { return word & kAll; }
constexpr uint64_t BlockedOf(uint64_t word) { return word >> kSlots & kAll; }
constexpr uint64_t ParkedOf(uint64_t word) { return word >> 2 * kSlots & kAll; }
constexpr uint64_t TakeableOf(uint64_t word) { return ReadyOf(word) & ~BlockedOf(word); }
constexpr uint64_t ServedOf(uint64_t word) { return ReadyOf(word) | ParkedOf(word); }

// How many slots. std::popcount is a call where the compiler may not use the instruction, which it
// may not on the baseline of x86-64.
constexpr size_t CountOf(uint64_t slots) {
  slots -= slots >> 1 & 0x5555;
  slots = (slots & 0x3333) + (slots >> 2 & 0x3333);
  slots = (slots + (slots >> 4)) & 0x0f0f;
  return (slots + (slots >> 8)) & 0x1f;
}
static_assert(CountOf(kAll) == kSlots && CountOf(0x8421) == 4);

}  // namespace coord::leaf_word

#endif  // COORD_LEAF_WORD_H_
