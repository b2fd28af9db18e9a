// OwnerRing: a ring into which one thread pushes, and from which any takes.
//
//            head              tail
//             ▼                 ▼
//   cells  …  5   3   9   1   7   –   –   …      slots; twice as many cells when there is no room
//             └─ taken next
//
// Invariants:
//   1. The owner alone writes cells and tail, and a cell before the tail that covers it. So what
//      lies between head and tail is there: nobody stands still between a place and its contents.
//   2. The head alone says what is taken. Cells are read before it moves, and its compare-and-
//      exchange says that they stood still: the owner uses a cell again only behind the head.
//   3. Old cells are kept until the end, for threads that read them still: they hold what they held
//      when they were copied, for as long as the head stands there.
//
// Push costs one sequentially consistent store, for the sake of Empty (ready_queue_concept.h),
// which x86-64 does by an exchange: no compare, no retry, and of a line that only the owner writes.
// A plain store and a fence behind it do the same and take longer there.
//
// Thread safety: Push from one thread at a time, who has seen what the one before did; the others
// from any. Lock-free. Complexity: a batch is one store and one for each slot; Take is a compare-
// and-exchange, and a load a slot. 4 bytes a cell, twice at most for what was outgrown.
// Source of the idea: the deque of Chase and Lev (SPAA 2005), of which this is one end: what is
// taken is always the oldest.
#ifndef COORD_OWNER_RING_H_
#define COORD_OWNER_RING_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kv/base/atomic.h"
#include "kv/base/thread_stripe.h"

namespace coord {

class OwnerRing {
 public:
  // How much of what is there Take may take.
  enum class Share { kAll, kHalf };

  // Each of which there is not yet. kPublish: release, for a caller that puts a fence of its own
  // between the push and what it looks at next.
  template <std::memory_order kPublish = std::memory_order_seq_cst>
  void Push(std::span<const uint32_t> slots) {
    // relaxed: it is the owner's.
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail + slots.size() - known_head_ > size_) [[unlikely]]
      MakeRoom(tail, slots.size());
    uint64_t at = tail;
    // relaxed: the store of the tail publishes them.
    for (const uint32_t slot : slots) {
      cells_[at++ & (size_ - 1)].store(slot, std::memory_order_relaxed);
    }
    Publish<kPublish>(at);
  }

  // The same of one.
  template <std::memory_order kPublish = std::memory_order_seq_cst>
  void Push(uint32_t slot) {
    // relaxed, both: as above.
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - known_head_ >= size_) [[unlikely]]
      MakeRoom(tail, 1);
    cells_[tail & (size_ - 1)].store(slot, std::memory_order_relaxed);
    Publish<kPublish>(tail + 1);
  }

  // The oldest, up to as many as `out` has room for. Half is at least one.
  size_t Take(std::span<uint32_t> out, Share share = Share::kAll) {
    if (out.empty()) return 0;
    // relaxed: the exchange sees the newest.
    uint64_t head = head_.load(std::memory_order_relaxed);
    for (;;) {
      // seq_cst: pairs with Push: either this sees the push, or whoever pushed sees what the caller
      // changed before it looked.
      const uint64_t tail = tail_.load(std::memory_order_seq_cst);
      if (head >= tail) return 0;
      const uint64_t there = share == Share::kAll ? tail - head : (tail - head + 1) / 2;
      const auto count = static_cast<size_t>(std::min<uint64_t>(out.size(), there));
      // acquire: pairs with MakeRoom. It is at least as new as the tail.
      const Cells* const cells = shared_.load(std::memory_order_acquire);
      for (size_t i = 0; i < count; ++i) {
        // relaxed: the tail has been acquired, which covers it.
        out[i] = cells->at[(head + i) & (cells->size - 1)].load(std::memory_order_relaxed);
      }
      // relaxed: what was pushed has been acquired by the tail.
      if (head_.compare_exchange_weak(head, head + count, std::memory_order_relaxed)) return count;
    }
  }

  bool Empty() const {
    // relaxed: an older head makes for more than there is.
    const uint64_t head = head_.load(std::memory_order_relaxed);
    // seq_cst: as in Take.
    return head >= tail_.load(std::memory_order_seq_cst);
  }

 private:
  static constexpr size_t kFirst = kv::kModelled ? 1 : 128;

  struct Cells {
    explicit Cells(size_t count)
        : size(count), at(std::make_unique<kv::Atomic<uint32_t>[]>(count)) {}
    const size_t size;  // a power of two
    const std::unique_ptr<kv::Atomic<uint32_t>[]> at;
  };

  template <std::memory_order kPublish>
  void Publish(uint64_t tail) {
    // release: pairs with the acquire of Take. seq_cst as well: it stands in one order with the
    // looks of Take and Empty, and with what the caller loads next.
    tail_.store(tail, kPublish);
  }

  // Looks where the head is by now, and takes more cells if that does not do.
  [[gnu::noinline]] void MakeRoom(uint64_t tail, size_t more) {
    // relaxed: an older head makes for more cells than are needed.
    known_head_ = head_.load(std::memory_order_relaxed);
    const uint64_t wanted = tail - known_head_ + more;
    if (wanted <= size_) return;
    size_t size = std::max(size_, kFirst);
    while (size < wanted) size *= 2;
    auto fresh = std::make_unique<Cells>(size);
    // relaxed, both: the owner wrote the old ones, and publishes the new ones below.
    for (uint64_t at = known_head_; at != tail; ++at) {
      fresh->at[at & (size - 1)].store(cells_[at & (size_ - 1)].load(std::memory_order_relaxed),
                                       std::memory_order_relaxed);
    }
    cells_ = fresh->at.get();
    size_ = size;
    // release: pairs with the acquire of Take.
    shared_.store(fresh.get(), std::memory_order_release);
    all_.push_back(std::move(fresh));
  }

  // The owner's.
  kv::Atomic<uint32_t>* cells_ = nullptr;
  size_t size_ = 0;
  uint64_t known_head_ = 0;  // or further by now
  std::vector<std::unique_ptr<Cells>> all_;
  // Everybody's to read.
  alignas(kv::kCacheLineBytes) kv::Atomic<uint64_t> tail_{0};
  kv::Atomic<Cells*> shared_{nullptr};
  alignas(kv::kCacheLineBytes) kv::Atomic<uint64_t> head_{0};
};

}  // namespace coord

#endif  // COORD_OWNER_RING_H_
