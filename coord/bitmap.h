// BitmapQueue: a bit for each slot, in leaves of 64, and above them what leads to those that have
// any (leaf_sweep.h). Push sets a bit, Pop clears it: each is one step, and the bits alone say what
// is queued.
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

#include "coord/leaf_sweep.h"
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
        sweep_(leaves_) {}

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
    return sweep_.Pop(
        out.size(),
        [this, out](size_t leaf, uint64_t within, size_t done) {
          return Take(leaf, within, out.subspan(done));
        },
        [this](size_t leaf) { return HasSome(leaf); });
  }

  bool Empty() const {
    for (size_t leaf = 0; leaf < leaves_; ++leaf) {
      if (HasSome(leaf)) return false;
    }
    return true;
  }

  static constexpr size_t BypassBound(size_t slots, size_t poppers) {
    return Sweep::BypassBound(slots, poppers);
  }

 private:
  static constexpr size_t kBits = 64;
  static constexpr size_t kPaddedSlots = 4096;
  using Sweep = LeafSweep<kBits>;

  kv::Atomic<uint64_t>& Leaf(size_t leaf) const { return bits_[leaf * stride_]; }

  // seq_cst: pairs with the same in Set: either this look sees the bits, or whoever pushed them
  // sees what the caller changed before it looked.
  bool HasSome(size_t leaf) const { return Leaf(leaf).load(std::memory_order_seq_cst) != 0; }

  void Set(size_t leaf, uint64_t bits) {
    // release: pairs with the acquire in Take. seq_cst as well: it stands in one order with the
    // looks of Pop and Empty, and with what the caller or Mark load next.
    Leaf(leaf).fetch_or(bits, std::memory_order_seq_cst);
    sweep_.Mark(leaf);
  }

  // The lowest bits of the leaf within a mask, as many as there is room for.
  Sweep::Taken Take(size_t leaf, uint64_t within, std::span<uint32_t> out) {
    // relaxed: what it does not see HasSome does.
    const uint64_t seen = Leaf(leaf).load(std::memory_order_relaxed);
    uint64_t wanted = seen & within;
    if (wanted == 0) return {.nothing = seen == 0};
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
    return {.count = count, .behind = count > 0 ? out[count - 1] % kBits + 1 : 0};
  }

  const size_t leaves_;
  const size_t stride_;  // from one leaf to the next, in words
  const std::unique_ptr<kv::Atomic<uint64_t>[]> bits_;
  Sweep sweep_;
};

static_assert(ReadyQueue<BitmapQueue>);

}  // namespace coord

#endif  // COORD_BITMAP_H_
