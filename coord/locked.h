// LockedQueue: a ring under a mutex; first in, first out. The reference that the others are
// compared with.
//
// For: a few hundred thousand registrations a second, strict order.
// Not for: several threads that register all the time.
//
// Thread safety: any thread. Complexity: a lock, and constant time a slot; 4 bytes a slot.
#ifndef COORD_LOCKED_H_
#define COORD_LOCKED_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "coord/ready_queue_concept.h"

namespace coord {

class LockedQueue {
 public:
  static constexpr std::string_view kName = "locked";

  explicit LockedQueue(size_t slots) : ring_(std::max<size_t>(slots, 1)) {}

  void Push(uint32_t slot) { PushBatch({&slot, 1}); }

  void PushBatch(std::span<const uint32_t> slots) {
    const std::lock_guard lock(mutex_);
    for (const uint32_t slot : slots) {
      ring_[tail_] = slot;
      tail_ = After(tail_);
    }
    size_ += slots.size();
  }

  size_t Pop(std::span<uint32_t> out) {
    const std::lock_guard lock(mutex_);
    const size_t count = std::min(out.size(), size_);
    for (uint32_t& slot : out.first(count)) {
      slot = ring_[head_];
      head_ = After(head_);
    }
    size_ -= count;
    return count;
  }

  bool Empty() const {
    const std::lock_guard lock(mutex_);
    return size_ == 0;
  }

  static constexpr size_t BypassBound(size_t, size_t) { return 0; }

 private:
  size_t After(size_t place) const { return place + 1 == ring_.size() ? 0 : place + 1; }

  mutable std::mutex mutex_;
  std::vector<uint32_t> ring_;  // this and what follows: guarded by mutex_
  size_t head_ = 0;
  size_t tail_ = 0;
  size_t size_ = 0;
};

static_assert(ReadyQueue<LockedQueue>);

}  // namespace coord

#endif  // COORD_LOCKED_H_
