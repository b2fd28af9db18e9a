// SegmentQueue: an unbounded queue of linked blocks, many producers and consumers, as the source
// document's V1 and V2 have it ("SegQueue").
//
//   head ─► block: 31 places ─► block ─► block ◄─ tail
//           each place: value, state (written, read, to be destroyed)
//
//   index: position << 1 | "there is a block behind this one" (head's only); a block takes 32
//   positions, of which the last is none: who meets it waits until the next block is there.
//
// A place is claimed by a compare-and-exchange of head or tail; the value follows, so a consumer
// may wait for a producer: lock-free it is not. A block is freed by the last who read in it.
//
// Only for comparison. Source: the algorithm of crossbeam's SegQueue.
// Thread safety: any thread; the destructor alone.
#ifndef BENCH_COORD_SEGMENT_QUEUE_H_
#define BENCH_COORD_SEGMENT_QUEUE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

#include "kv/base/thread_stripe.h"

namespace bench {

template <typename T>
class SegmentQueue {
 public:
  SegmentQueue() = default;
  SegmentQueue(const SegmentQueue&) = delete;
  SegmentQueue& operator=(const SegmentQueue&) = delete;
  ~SegmentQueue() {
    while (Pop().has_value()) {
    }
    // relaxed: alone.
    delete head_.block.load(std::memory_order_relaxed);
  }

  void Push(const T& value) {
    std::unique_ptr<Block> next;
    for (;;) {
      Place at = Look(tail_);
      const uint64_t offset = OffsetOf(at.index);
      if (offset == kPlaces) {
        std::this_thread::yield();
        continue;
      }
      if (at.block == nullptr) {
        Begin();
        continue;
      }
      const bool last = offset + 1 == kPlaces;
      if (last && next == nullptr) next = std::make_unique<Block>();
      // seq_cst: stands in one order with the fence in Pop.
      if (!tail_.index.compare_exchange_weak(at.index, at.index + 2, std::memory_order_seq_cst)) {
        continue;
      }
      if (last) Extend(at, next.release());
      Cell& cell = at.block->cells[offset];
      cell.value = value;
      // release: pairs with the acquire in Take.
      cell.state.fetch_or(kWritten, std::memory_order_release);
      return;
    }
  }

  std::optional<T> Pop() {
    for (;;) {
      Place at = Look(head_);
      const uint64_t offset = OffsetOf(at.index);
      uint64_t after = at.index + 2;
      if (offset == kPlaces) {
        std::this_thread::yield();
        continue;
      }
      if ((after & kHasNext) == 0) {
        // seq_cst: what was pushed before the call is seen. relaxed: behind the fence.
        std::atomic_thread_fence(std::memory_order_seq_cst);
        const uint64_t tail = tail_.index.load(std::memory_order_relaxed);
        if (at.index >> 1 == tail >> 1) return std::nullopt;
        if ((at.index >> 1) / kPositions != (tail >> 1) / kPositions) after |= kHasNext;
      }
      if (at.block == nullptr) {
        std::this_thread::yield();
        continue;
      }
      // seq_cst: as in Push.
      if (!head_.index.compare_exchange_weak(at.index, after, std::memory_order_seq_cst)) continue;
      if (offset + 1 == kPlaces) Turn(*at.block, after);
      return Take(at.block, offset);
    }
  }

 private:
  static constexpr uint64_t kPositions = 32;
  static constexpr uint64_t kPlaces = kPositions - 1;
  static constexpr uint64_t kHasNext = 1;
  static constexpr uint32_t kWritten = 1;
  static constexpr uint32_t kRead = 2;
  static constexpr uint32_t kDestroy = 4;

  struct Cell {
    T value{};
    std::atomic<uint32_t> state{0};
  };
  struct Block {
    std::atomic<Block*> next{nullptr};
    std::array<Cell, kPlaces> cells{};
  };
  struct alignas(2 * kv::kCacheLineBytes) End {
    std::atomic<uint64_t> index{0};
    std::atomic<Block*> block{nullptr};
  };
  struct Place {
    uint64_t index = 0;
    Block* block = nullptr;
  };

  static uint64_t OffsetOf(uint64_t index) { return (index >> 1) % kPositions; }

  static Place Look(const End& end) {
    // acquire: pairs with the releases of Begin, Extend and Turn.
    const uint64_t index = end.index.load(std::memory_order_acquire);
    return {index, end.block.load(std::memory_order_acquire)};
  }

  // The first block.
  void Begin() {
    auto first = std::make_unique<Block>();
    Block* none = nullptr;
    // release: pairs with the acquires in Look.
    if (!tail_.block.compare_exchange_strong(none, first.get(), std::memory_order_release,
                                             std::memory_order_relaxed)) {
      return;
    }
    head_.block.store(first.release(), std::memory_order_release);
  }

  void Extend(Place at, Block* next) {
    // release: pairs with the acquires in Look and Turn.
    tail_.block.store(next, std::memory_order_release);
    tail_.index.store(at.index + 4, std::memory_order_release);
    at.block->next.store(next, std::memory_order_release);
  }

  // Moves the head to the next block.
  void Turn(Block& block, uint64_t after) {
    Block* next = nullptr;
    // acquire: pairs with the release in Extend.
    while ((next = block.next.load(std::memory_order_acquire)) == nullptr) {
      std::this_thread::yield();
    }
    uint64_t index = (after & ~kHasNext) + 2;
    // relaxed: whether there is one. release: pairs with the acquires in Look.
    if (next->next.load(std::memory_order_relaxed) != nullptr) index |= kHasNext;
    head_.block.store(next, std::memory_order_release);
    head_.index.store(index, std::memory_order_release);
  }

  static T Take(Block* block, uint64_t offset) {
    Cell& cell = block->cells[offset];
    // acquire: pairs with the release in Push.
    while ((cell.state.load(std::memory_order_acquire) & kWritten) == 0) {
      std::this_thread::yield();
    }
    const T value = cell.value;
    if (offset + 1 == kPlaces) {
      Destroy(block, 0);
      // acq_rel: the last reader frees the block behind all others.
    } else if ((cell.state.fetch_or(kRead, std::memory_order_acq_rel) & kDestroy) != 0) {
      Destroy(block, offset + 1);
    }
    return value;
  }

  // Frees the block, or leaves that to the first from `begin` on who is still reading.
  static void Destroy(Block* block, uint64_t begin) {
    for (uint64_t i = begin; i + 1 < kPlaces; ++i) {
      std::atomic<uint32_t>& state = block->cells[i].state;
      // acquire, acq_rel: as in Take.
      if ((state.load(std::memory_order_acquire) & kRead) == 0 &&
          (state.fetch_or(kDestroy, std::memory_order_acq_rel) & kRead) == 0) {
        return;
      }
    }
    delete block;
  }

  End head_;
  End tail_;
};

}  // namespace bench

#endif  // BENCH_COORD_SEGMENT_QUEUE_H_
