// Timers: at most one for each slot, in a binary heap under a lock; the soonest deadline can be
// read without it.
//
// Who sets a timer that has become the soonest has to wake those who sleep until a later one. The
// deadline is stored before the setter looks who sleeps, and a sleeper announces itself before it
// loads the deadline, all sequentially consistent: so one of the two sees the other.
//
// A timer is not taken back: it fires for an index, and where the slot does not wait any longer the
// index is stale. A later use of the slot replaces it, so there are never more timers than slots.
//
// For: back-off and time-outs of background work, some thousands. Not for: millions of time-outs
// that mostly never fire (a timing wheel: Varghese and Lauck, 1987).
//
// Thread safety: any thread. Complexity: Set and each timer that is due: logarithmic; NextDeadline:
// a load.
#ifndef COORD_TIMERS_H_
#define COORD_TIMERS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "coord/index.h"
#include "kv/base/atomic.h"
#include "kv/base/shard_lock.h"

namespace coord {

class Timers {
 public:
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  explicit Timers(size_t slots) : places_(slots, kNowhere) { heap_.reserve(slots); }

  // The soonest, in the clock's nanoseconds; kNever: none.
  uint64_t NextDeadline() const {
    // seq_cst: pairs with the store in Publish.
    return next_.load(std::memory_order_seq_cst);
  }

  // Whether it has become the soonest.
  bool Set(Index index, uint64_t deadline) {
    const std::lock_guard lock(lock_);
    size_t place = places_[index.slot];
    if (place == kNowhere) {
      place = heap_.size();
      heap_.push_back({deadline, index});
    } else if (IsLater(heap_[place].index.generation, index.generation)) {
      return false;  // the setter was slow, and the slot has found another use
    } else {
      heap_[place] = {deadline, index};
    }
    Settle(place);
    return Publish();
  }

  // Appends those whose deadline is not behind `now`, the soonest first.
  void PopDue(uint64_t now, std::vector<Index>* due) {
    const std::lock_guard lock(lock_);
    while (!heap_.empty() && heap_[0].deadline <= now) {
      due->push_back(heap_[0].index);
      places_[heap_[0].index.slot] = kNowhere;
      const Timer last = heap_.back();
      heap_.pop_back();
      if (heap_.empty()) break;
      heap_[0] = last;
      Settle(0);
    }
    Publish();
  }

 private:
  struct Timer {
    uint64_t deadline = 0;
    Index index;
  };
  static constexpr size_t kNowhere = std::numeric_limits<size_t>::max();

  // Generations wrap around.
  static bool IsLater(uint32_t left, uint32_t right) {
    return static_cast<int32_t>(left - right) > 0;
  }

  // Whether it has become sooner.
  bool Publish() {
    const uint64_t deadline = heap_.empty() ? kNever : heap_[0].deadline;
    // relaxed: the lock orders stores. seq_cst: pairs with the load in NextDeadline.
    const uint64_t before = next_.load(std::memory_order_relaxed);
    if (deadline != before) next_.store(deadline, std::memory_order_seq_cst);
    return deadline < before;
  }

  // Moves the timer at `place` to where it belongs.
  void Settle(size_t place) {
    while (place > 0 && heap_[place].deadline < heap_[(place - 1) / 2].deadline) {
      std::swap(heap_[place], heap_[(place - 1) / 2]);
      Note(place);
      place = (place - 1) / 2;
    }
    for (size_t child = 2 * place + 1; child < heap_.size(); child = 2 * place + 1) {
      if (child + 1 < heap_.size() && heap_[child + 1].deadline < heap_[child].deadline) ++child;
      if (heap_[place].deadline <= heap_[child].deadline) break;
      std::swap(heap_[place], heap_[child]);
      Note(place);
      place = child;
    }
    Note(place);
  }
  void Note(size_t place) { places_[heap_[place].index.slot] = place; }

  // A std::mutex may not be held where the model changes threads, which it does at each atomic.
  kv::ShardLock lock_;
  std::vector<Timer> heap_;     // guarded by lock_
  std::vector<size_t> places_;  // of each slot's timer in the heap; guarded by lock_
  kv::Atomic<uint64_t> next_{kNever};
};

}  // namespace coord

#endif  // COORD_TIMERS_H_
