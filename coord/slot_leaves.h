// SlotLeaves: the words of bitmap_slots.h (leaf_word.h), and what leads takers round them
// (leaf_sweep.h).
//
// Whoever makes a slot ready does so by a sequentially consistent exchange of its word, which also
// releases what a run has to see, and calls Mark behind it.
//
// Thread safety: any thread; lock-free. Complexity: Take a read-modify-write for each word of which
// it takes some, and one for all; Empty a load a word. Up to kPaddedSlots each word has a cache
// line of its own.
#ifndef COORD_SLOT_LEAVES_H_
#define COORD_SLOT_LEAVES_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "coord/leaf_sweep.h"
#include "coord/leaf_word.h"
#include "kv/base/atomic.h"
#include "kv/base/thread_stripe.h"

namespace coord {

class SlotLeaves {
 public:
  // All parked.
  explicit SlotLeaves(size_t slots)
      : leaves_(std::max<size_t>((slots + kSlots - 1) / kSlots, 1)),
        places_(leaves_ * kSlots),
        shift_(slots <= kPaddedSlots ? kPaddedShift : 0),
        words_(std::make_unique<kv::Atomic<uint64_t>[]>(leaves_ << shift_)),
        sweep_(leaves_) {
    for (size_t leaf = 0; leaf < leaves_; ++leaf) {
      // relaxed: whoever constructs a thing hands it to others.
      Word(leaf).store(leaf_word::ParkedState(leaf_word::kAll), std::memory_order_relaxed);
    }
  }

  // The slots that there were if the last word were full.
  size_t places() const { return places_; }

  static size_t LeafOf(uint32_t slot) { return slot / kSlots; }
  kv::Atomic<uint64_t>& WordOf(uint32_t slot) const { return Word(LeafOf(slot)); }

  void Mark(uint32_t slot) { sweep_.Mark(LeafOf(slot)); }

  // Blocks up to `most` slots that are ready. hand_out(first, taken, done) is told of some of one
  // word, whose first slot is `first`, when `done` have been taken before; it says how many.
  template <typename F>
  size_t Take(size_t most, F hand_out) {
    return sweep_.Pop(
        most,
        [&](size_t leaf, uint64_t within, size_t done) -> Sweep::Taken {
          bool nothing = false;
          const uint64_t taken = TakeOf(leaf, within, most - done, &nothing);
          if (taken == 0) return {.nothing = nothing};
          const size_t count = hand_out(static_cast<uint32_t>(leaf * kSlots), taken, done);
          return {.count = count, .behind = static_cast<size_t>(std::bit_width(taken))};
        },
        [this](size_t leaf) { return HasSome(leaf); });
  }

  bool Empty() const {
    for (size_t leaf = 0; leaf < leaves_; ++leaf) {
      if (HasSome(leaf)) return false;
    }
    return true;
  }

  static constexpr size_t BypassBound(size_t slots, size_t takers) {
    return Sweep::BypassBound(slots, takers);
  }

 private:
  static constexpr size_t kSlots = leaf_word::kSlots;
  static constexpr size_t kPaddedSlots = 4096;
  static constexpr size_t kPaddedShift = 3;
  static_assert(sizeof(uint64_t) << kPaddedShift == kv::kCacheLineBytes);
  using Sweep = LeafSweep<kSlots>;

  kv::Atomic<uint64_t>& Word(size_t leaf) const { return words_[leaf << shift_]; }

  // seq_cst: either this look sees that a slot is ready, or whoever made it so sees what the caller
  // changed before it looked.
  bool HasSome(size_t leaf) const {
    return leaf_word::TakeableOf(Word(leaf).load(std::memory_order_seq_cst)) != 0;
  }

  // The lowest slots within a mask that are ready, as many as there is room for.
  uint64_t TakeOf(size_t leaf, uint64_t within, size_t room, bool* nothing) {
    // relaxed: what it does not see HasSome does.
    uint64_t word = Word(leaf).load(std::memory_order_relaxed);
    *nothing = leaf_word::TakeableOf(word) == 0;
    for (;;) {
      uint64_t taken = leaf_word::TakeableOf(word) & within;
      if (room < kSlots) {
        while (leaf_word::CountOf(taken) > room) taken ^= std::bit_floor(taken);
      }
      if (taken == 0) return 0;
      // acquire: pairs with the releases of those who made the slots ready, of those who found them
      // ready, and of the runs before.
      if (Word(leaf).compare_exchange_weak(
              word, word ^ (leaf_word::Ready(taken) | leaf_word::Blocked(taken)),
              std::memory_order_acquire, std::memory_order_relaxed)) {
        return taken;
      }
    }
  }

  const size_t leaves_;
  const size_t places_;
  const size_t shift_;  // from one leaf to the next: 1 << shift_ words
  const std::unique_ptr<kv::Atomic<uint64_t>[]> words_;
  Sweep sweep_;
};

}  // namespace coord

#endif  // COORD_SLOT_LEAVES_H_
