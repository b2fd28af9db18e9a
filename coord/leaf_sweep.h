// LeafSweep: leads takers round words of bits ("leaves", of kBits slots each) past those that have
// nothing.
//
//   marks    1 0 1 …        one bit a leaf: "look there"
//            │   └────┐
//   leaves   word 0   word 1   word 2 …      the user's
//                       ▲
//                     cursor                 where the next Pop begins
//
// Invariants:
//   1. The leaves alone say what there is.
//   2. A mark without anything in the leaf costs a look, and who looks takes it away, together with
//      others that it has come past. A leaf that has something and no mark is found by a Pop that
//      finds nothing else, since that looks at every leaf; and by one in kThoroughEvery turns of
//      the cursor, which follows no marks at all. So no thread that stops between the leaf and its
//      mark can hide a slot for longer than that.
//   3. The cursor counts on for ever, slot by slot, and only forward. A Pop begins there, takes
//      what it meets, and moves the cursor behind that. So a thread hands out each place at most
//      once a turn, whoever else is slow.
//
// A bypass bound follows from 3. With one taker, no slot is handed out twice before the cursor has
// come round, so all others go first at most once. With several, a mark may be missing while
// another taker takes it away, and the cursor passes for up to kThoroughEvery turns; and each of
// them may hand out a place for itself that others have handed out already.
//
// Thread safety: any thread; lock-free. Complexity: Mark a load, or a read-modify-write too; Pop a
// load for each kBits leaves that are passed over, and a read-modify-write of the cursor.
#ifndef COORD_LEAF_SWEEP_H_
#define COORD_LEAF_SWEEP_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "kv/base/atomic.h"
#include "kv/base/thread_stripe.h"

namespace coord {

template <size_t kBits>  // slots of a leaf
class LeafSweep {
 public:
  // What was taken of a leaf.
  struct Taken {
    size_t count = 0;
    size_t behind = 0;     // the place in the leaf behind the last one
    bool nothing = false;  // there was none, in all of the leaf
  };

  explicit LeafSweep(size_t leaves)
      : leaves_(leaves),
        marks_(std::make_unique<kv::Atomic<uint64_t>[]>((leaves + kMarks - 1) / kMarks)) {}

  // Behind what gave the leaf something, which was sequentially consistent.
  void Mark(size_t leaf) {
    // seq_cst: either this sees that Unmark has taken the mark, or Unmark sees the leaf.
    if ((Marks(leaf).load(std::memory_order_seq_cst) & MarkOf(leaf)) == 0) {
      // release: pairs with the acquiring part of Unmark, which then sees the leaf.
      Marks(leaf).fetch_or(MarkOf(leaf), std::memory_order_release);
    }
  }

  // Up to `most` slots, of which take(leaf, within, done) takes some behind the first `done`: of
  // those within a mask the lowest, as many as there is still room for. has_some(leaf) looks at a
  // leaf, sequentially consistently: a Pop that hands out nothing has done so with each of them.
  template <typename T, typename H>
  size_t Pop(size_t most, T take, H has_some) {
    if (most == 0) return 0;
    // relaxed: a thread sees the cursor go forward, and its own changes of it; that is enough for
    // invariant 3.
    const uint64_t start = cursor_.load(std::memory_order_relaxed);
    bool thorough = start / (leaves_ * kBits) % kThoroughEvery == kThoroughEvery - 1;
    for (;;) {
      const size_t count = Sweep(start, thorough, most, take, has_some);
      if (count > 0 || thorough) return count;
      thorough = true;
    }
  }

  static constexpr size_t BypassBound(size_t slots, size_t takers) {
    return takers <= 1 ? slots - 1 : takers * (kThoroughEvery + 2) * slots;
  }

 private:
  static constexpr size_t kMarks = 64;  // of a word
  static constexpr uint64_t kThoroughEvery = 16;

  kv::Atomic<uint64_t>& Marks(size_t leaf) const { return marks_[leaf / kMarks]; }
  static uint64_t MarkOf(size_t leaf) { return uint64_t{1} << leaf % kMarks; }

  // How many leaves from `leaf` on have no mark, as far as one word of marks tells.
  size_t Unmarked(size_t leaf) const {
    // relaxed: a hint (invariant 2).
    const uint64_t marks = Marks(leaf).load(std::memory_order_relaxed) >> leaf % kMarks;
    if (marks != 0) return static_cast<size_t>(std::countr_zero(marks));
    return std::min(kMarks - leaf % kMarks, leaves_ - leaf);
  }

  // How many leaves from `leaf` on have nothing, up to the last. Where they are many, looking at
  // them is all that a Pop does.
  template <typename H>
  size_t Empty(size_t leaf, H& has_some) const {
    size_t count = 0;
    while (leaf + count < leaves_ && !has_some(leaf + count)) ++count;
    return count;
  }

  // One turn from `start` on: the first leaf from its slot on, the others, the first up to it.
  template <typename T, typename H>
  size_t Sweep(uint64_t start, bool thorough, size_t most, T& take, H& has_some) {
    const uint64_t high = ~uint64_t{0} << start % kBits;
    uint64_t end = start;
    size_t leaf = start / kBits % leaves_;
    size_t count = 0;
    uint64_t empty = 0;  // leaves that have nothing, of those with marks in one word
    for (size_t turned = 0; turned <= leaves_ && count < most;) {
      size_t steps = thorough ? Empty(leaf, has_some) : Unmarked(leaf);
      if (steps == 0) {
        const uint64_t within = turned == 0 ? high : turned == leaves_ ? ~high : ~uint64_t{0};
        const Taken taken = take(leaf, within, count);
        count += taken.count;
        if (taken.count > 0) end = start - start % kBits + turned * kBits + taken.behind;
        if (taken.nothing) empty |= MarkOf(leaf);
        steps = 1;
      }
      turned += steps;
      const size_t next = leaf + steps == leaves_ ? 0 : leaf + steps;
      if (empty != 0 && next / kMarks != leaf / kMarks) {
        Unmark(leaf, std::exchange(empty, 0), has_some);
      }
      leaf = next;
    }
    if (empty != 0) Unmark(leaf, empty, has_some);
    if (count > 0) Advance(end);
    return count;
  }

  // Of leaves that have nothing, whose marks are in one word with that of `leaf`.
  template <typename H>
  void Unmark(size_t leaf, uint64_t empty, H& has_some) {
    // relaxed: a hint (invariant 2). A look at every leaf shall not write to every mark.
    empty &= Marks(leaf).load(std::memory_order_relaxed);
    if (empty == 0) return;
    // seq_cst: see Mark.
    Marks(leaf).fetch_and(~empty, std::memory_order_seq_cst);
    uint64_t filled = 0;
    for (; empty != 0; empty &= empty - 1) {
      const auto place = static_cast<size_t>(std::countr_zero(empty));
      if (has_some(leaf - leaf % kMarks + place)) filled |= uint64_t{1} << place;
    }
    // relaxed: whoever takes them away again looks at the leaves, which are older.
    if (filled != 0) Marks(leaf).fetch_or(filled, std::memory_order_relaxed);
  }

  void Advance(uint64_t to) {
    // relaxed: see Pop.
    uint64_t seen = cursor_.load(std::memory_order_relaxed);
    while (seen < to && !cursor_.compare_exchange_weak(seen, to, std::memory_order_relaxed)) {
    }
  }

  const size_t leaves_;
  const std::unique_ptr<kv::Atomic<uint64_t>[]> marks_;
  alignas(kv::kCacheLineBytes) kv::Atomic<uint64_t> cursor_{0};
};

}  // namespace coord

#endif  // COORD_LEAF_SWEEP_H_
