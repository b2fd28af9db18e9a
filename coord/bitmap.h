// BitmapQueue: a bit for each slot, and above them a mark for each word of bits.
//
//   marks    1 0 1 …        one bit for 64 leaves, so one word for 4096 slots: "look there"
//            │   └────┐
//   leaves   word 0   word 1   word 2 …      one bit a slot
//                       ▲
//                     cursor                 where the next Pop begins
//
// Invariants:
//   1. The leaves alone say what is queued. Push sets a bit, Pop clears it: each is one step.
//   2. A mark without a bit costs a look, and who looks takes it away. A bit without a mark is
//      found by a Pop that finds nothing else, since that looks at every leaf; and by one in
//      kThoroughEvery turns of the cursor, which follows no marks at all. So no thread that stops
//      between bit and mark can hide a slot for longer than that.
//   3. The cursor counts on for ever, slot by slot, and only forward. A Pop begins there, takes
//      what it meets, and moves the cursor behind it. So a worker hands out each place at most once
//      a turn, whoever else is slow.
//
// The bypass bound follows from 3. With one popper, no slot is handed out twice before the cursor
// has come round, so all others go first at most once. With several, a mark may be missing while
// another popper takes it away, and the cursor passes for up to kThoroughEvery turns; and each of
// them may hand out a place for itself that others have handed out already.
//
// For: many registrants; slots of which a good part is ready; batches of neighbouring slots.
// Not for: first in, first out. A few ready slots among millions that nothing marks: an empty Pop
// looks at all leaves, a cache line for 512 slots.
//
// Thread safety: any thread; lock-free. Complexity: Push one read-modify-write and a load, or two;
// PushBatch the same for each run of slots of one leaf. Pop one for each leaf and one for the
// cursor. Up to kPaddedSlots each leaf has a cache line of its own.
#ifndef COORD_BITMAP_H_
#define COORD_BITMAP_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "coord/ready_queue_concept.h"
#include "kv/base/atomic.h"
#include "kv/base/thread_stripe.h"

namespace coord {

class BitmapQueue {
 public:
  static constexpr std::string_view kName = "bitmap";

  explicit BitmapQueue(size_t slots)
      : leaves_(std::max<size_t>((slots + kBits - 1) / kBits, 1)),
        stride_(slots <= kPaddedSlots ? kv::kCacheLineBytes / sizeof(uint64_t) : 1),
        bits_(std::make_unique<kv::Atomic<uint64_t>[]>(leaves_ * stride_)),
        marks_(std::make_unique<kv::Atomic<uint64_t>[]>((leaves_ + kBits - 1) / kBits)) {}

  void Push(uint32_t slot) { Set(slot / kBits, uint64_t{1} << slot % kBits); }

  void PushBatch(std::span<const uint32_t> slots) {
    for (size_t i = 0; i < slots.size();) {
      const size_t leaf = slots[i] / kBits;
      uint64_t bits = 0;
      for (; i < slots.size() && slots[i] / kBits == leaf; ++i) {
        bits |= uint64_t{1} << slots[i] % kBits;
      }
      Set(leaf, bits);
    }
  }

  size_t Pop(std::span<uint32_t> out) {
    if (out.empty()) return 0;
    // relaxed: a thread sees the cursor go forward, and its own changes of it; that is enough for
    // invariant 3.
    const uint64_t start = cursor_.load(std::memory_order_relaxed);
    const bool thorough = start / (leaves_ * kBits) % kThoroughEvery == kThoroughEvery - 1;
    const size_t count = Sweep(start, thorough, out);
    return count > 0 || thorough ? count : Sweep(start, /*thorough=*/true, out);
  }

  bool Empty() const {
    for (size_t leaf = 0; leaf < leaves_; ++leaf) {
      // seq_cst: pairs with the same in Set, as in Take.
      if (Leaf(leaf).load(std::memory_order_seq_cst) != 0) return false;
    }
    return true;
  }

  static constexpr size_t BypassBound(size_t slots, size_t poppers) {
    return poppers <= 1 ? slots - 1 : poppers * (kThoroughEvery + 2) * slots;
  }

 private:
  static constexpr size_t kBits = 64;
  static constexpr size_t kPaddedSlots = 4096;
  static constexpr uint64_t kThoroughEvery = 16;

  kv::Atomic<uint64_t>& Leaf(size_t leaf) const { return bits_[leaf * stride_]; }
  kv::Atomic<uint64_t>& Marks(size_t leaf) const { return marks_[leaf / kBits]; }
  static uint64_t MarkOf(size_t leaf) { return uint64_t{1} << leaf % kBits; }

  void Set(size_t leaf, uint64_t bits) {
    // release: pairs with the acquire in Take. seq_cst as well: it stands in one order with the
    // looks of Take, Empty and Unmark, and with what the caller or this function load next.
    Leaf(leaf).fetch_or(bits, std::memory_order_seq_cst);
    // seq_cst: either this sees that Unmark has taken the mark, or Unmark sees the bits.
    if ((Marks(leaf).load(std::memory_order_seq_cst) & MarkOf(leaf)) == 0) {
      // release: pairs with the acquiring part of Unmark, which then sees the bits.
      Marks(leaf).fetch_or(MarkOf(leaf), std::memory_order_release);
    }
  }

  void Unmark(size_t leaf) {
    // relaxed: a hint (invariant 2). A look at every leaf shall not write to every mark.
    if ((Marks(leaf).load(std::memory_order_relaxed) & MarkOf(leaf)) == 0) return;
    // seq_cst, both: see Set.
    Marks(leaf).fetch_and(~MarkOf(leaf), std::memory_order_seq_cst);
    if (Leaf(leaf).load(std::memory_order_seq_cst) != 0) {
      // relaxed: whoever takes it away again looks at the bits, which are older.
      Marks(leaf).fetch_or(MarkOf(leaf), std::memory_order_relaxed);
    }
  }

  // How many leaves from `leaf` on have no mark, as far as one word of marks tells.
  size_t Unmarked(size_t leaf) const {
    // relaxed: a hint (invariant 2).
    const uint64_t marks = Marks(leaf).load(std::memory_order_relaxed) >> leaf % kBits;
    if (marks != 0) return static_cast<size_t>(std::countr_zero(marks));
    return std::min(kBits - leaf % kBits, leaves_ - leaf);
  }

  // One turn from `start` on: the first leaf from its bit on, the others, the first up to its bit.
  size_t Sweep(uint64_t start, bool thorough, std::span<uint32_t> out) {
    const uint64_t high = ~uint64_t{0} << start % kBits;
    size_t leaf = start / kBits % leaves_;
    size_t count = 0;
    for (size_t turned = 0; turned <= leaves_ && count < out.size();) {
      size_t steps = thorough ? 0 : Unmarked(leaf);
      if (steps == 0) {
        const uint64_t within = turned == 0 ? high : turned == leaves_ ? ~high : ~uint64_t{0};
        const size_t taken = Take(leaf, within, out.subspan(count));
        count += taken;
        if (taken > 0) Advance(start - start % kBits + turned * kBits + out[count - 1] % kBits + 1);
        steps = 1;
      }
      turned += steps;
      leaf += steps;
      if (leaf == leaves_) leaf = 0;
    }
    return count;
  }

  // The lowest bits of the leaf within a mask, as many as there is room for.
  size_t Take(size_t leaf, uint64_t within, std::span<uint32_t> out) {
    // seq_cst: pairs with the same in Set: either this look sees the bits, or whoever pushed them
    // sees what the caller changed before it looked.
    const uint64_t seen = Leaf(leaf).load(std::memory_order_seq_cst);
    if (seen == 0) Unmark(leaf);
    uint64_t wanted = seen & within;
    if (wanted == 0) return 0;
    while (static_cast<size_t>(std::popcount(wanted)) > out.size()) {
      wanted ^= std::bit_floor(wanted);
    }
    // acquire: pairs with the release in Set.
    uint64_t taken = Leaf(leaf).fetch_and(~wanted, std::memory_order_acquire) & wanted;
    size_t count = 0;
    for (; taken != 0; taken &= taken - 1) {
      out[count++] =
          static_cast<uint32_t>(leaf * kBits + static_cast<size_t>(std::countr_zero(taken)));
    }
    return count;
  }

  void Advance(uint64_t to) {
    // relaxed: see Pop.
    uint64_t seen = cursor_.load(std::memory_order_relaxed);
    while (seen < to && !cursor_.compare_exchange_weak(seen, to, std::memory_order_relaxed)) {
    }
  }

  const size_t leaves_;
  const size_t stride_;  // from one leaf to the next, in words
  const std::unique_ptr<kv::Atomic<uint64_t>[]> bits_;
  const std::unique_ptr<kv::Atomic<uint64_t>[]> marks_;
  alignas(kv::kCacheLineBytes) kv::Atomic<uint64_t> cursor_{0};
};

static_assert(ReadyQueue<BitmapQueue>);

}  // namespace coord

#endif  // COORD_BITMAP_H_
