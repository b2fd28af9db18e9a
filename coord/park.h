// Park: a worker without work sleeps at once (an event count on a futex).
//
// For: work that comes seldom, more workers than processors.
// Not for: work that comes every few microseconds, since to wake a thread takes some 30 of them
// (spin_then_park.h).
//
// Thread safety: any thread. Complexity: one read-modify-write to announce oneself and one to
// leave, and a system call to sleep. Notify: a load, or one read-modify-write, and a system call
// where somebody sleeps.
#ifndef COORD_PARK_H_
#define COORD_PARK_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "coord/wait_counts.h"
#include "coord/waiter_concept.h"
#include "kv/base/futex.h"

namespace coord {

class Park {
 public:
  static constexpr std::string_view kName = "park";

  void PrepareWait() { counts_.Announce(); }
  void CancelWait() {
    while (!counts_.TryLeave() && !counts_.TryTake()) {
    }
  }

  void Wait() {
    while (!TryWait()) Sleep(std::nullopt);
  }

  bool WaitFor(std::chrono::nanoseconds longest) {
    const kv::SleepEnd end = kv::EndAfter(longest);
    while (!TryWait()) {
      if (!Sleep(end) && counts_.TryLeave()) return false;
    }
    return true;
  }

  size_t Notify(size_t count) {
    const WaitCounts::Notified notified = counts_.Notify(count);
    const size_t sleepers = std::min(notified.count, notified.asleep);
    if (sleepers > 0) kv::FutexWake(counts_.word(), sleepers);
    return notified.count;
  }
  size_t NotifyAll() { return Notify(std::numeric_limits<size_t>::max()); }

  // Whether the wait is over; for those who would rather look again than sleep.
  bool TryWait() { return counts_.TryTake(); }

 private:
  // False when the time was over.
  bool Sleep(kv::SleepEnd end) {
    const std::optional<uint32_t> word = counts_.FallAsleep();
    if (!word.has_value()) return true;
    const bool in_time = kv::FutexWait(counts_.word(), *word, end);
    counts_.WakeUp();
    return in_time;
  }

  WaitCounts counts_;
};

static_assert(Waiter<Park>);

}  // namespace coord

#endif  // COORD_PARK_H_
