// EventFd: waiting for a file descriptor, so that a loop on epoll waits for work and for its
// sockets in one call (Linux, eventfd(2)).
//
//   if (coordinator.Arm()) {           nothing to do yet
//     epoll_wait(...);                 fd() is readable once there is
//     coordinator.Disarm();
//   }
//   coordinator.Drain(...);
//
// The descriptor counts: one is added for each notification, and who takes a notification reads one
// off first. So it is readable as long as a notification is there for somebody, and no longer.
// Several loops may share it (EPOLLEXCLUSIVE keeps them from waking together).
//
// For: event loops. Not for: workers that wait for nothing else (park.h is cheaper).
//
// Thread safety: any thread. Complexity: as Park, with a write for each notification and a read for
// each that is taken. A process without a descriptor to spare aborts on construction.
#ifndef COORD_EVENT_FD_H_
#define COORD_EVENT_FD_H_

#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "coord/wait_counts.h"
#include "coord/waiter_concept.h"
#include "kv/base/atomic.h"
#include "kv/base/futex.h"

namespace coord {

class EventFd {
 public:
  static constexpr std::string_view kName = "event_fd";

  EventFd() : fd_(::eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) std::abort();
  }
  EventFd(const EventFd&) = delete;
  EventFd& operator=(const EventFd&) = delete;
  ~EventFd() { ::close(fd_); }

  // For epoll_ctl with EPOLLIN; level-triggered. Nobody else reads or writes it.
  int fd() const { return fd_; }

  void PrepareWait() { counts_.Announce(); }

  // Also behind an epoll_wait.
  void CancelWait() {
    // Who notifies counts first and writes then: there may be something to take before it can be
    // read, for a moment.
    while (!counts_.TryLeave() && !TryRead()) kv::GiveWay();
  }

  void Wait() {
    while (!TryRead()) Poll(nullptr);
  }

  bool WaitFor(std::chrono::nanoseconds longest) {
    const kv::SleepEnd end = kv::EndAfter(longest);
    while (!TryRead()) {
      if (!end.has_value()) {
        Poll(nullptr);
        continue;
      }
      const auto rest = *end - std::chrono::steady_clock::now();
      if (rest.count() <= 0) {
        if (counts_.TryLeave()) return false;
        kv::GiveWay();
        continue;
      }
      const timespec time{.tv_sec = rest.count() / 1'000'000'000,
                          .tv_nsec = rest.count() % 1'000'000'000};
      Poll(&time);
    }
    return true;
  }

  size_t Notify(size_t count) {
    const uint64_t notified = counts_.Notify(count).count;
    // It cannot fail: of 2^64 the counter holds 1023 at most.
    if (notified > 0 && ::write(fd_, &notified, sizeof notified) != sizeof notified) std::abort();
    return notified;
  }
  size_t NotifyAll() { return Notify(std::numeric_limits<size_t>::max()); }

 private:
  // Takes a notification. Each that can be read has been counted.
  bool TryRead() {
    uint64_t one = 0;
    if (::read(fd_, &one, sizeof one) != sizeof one) return false;
    if (!counts_.TryTake()) std::abort();
    return true;
  }

  void Poll(const timespec* longest) {
    pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
    // An interruption or an end of the time is for the caller to find out.
    static_cast<void>(::ppoll(&readable, 1, longest, nullptr));
  }

  const int fd_;
  WaitCounts counts_;
};

static_assert(Waiter<EventFd>);

}  // namespace coord

#endif  // COORD_EVENT_FD_H_
