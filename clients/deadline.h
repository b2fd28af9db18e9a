// Deadlines: the instant by which something has to be over, however many waits it takes.
//
// Why not time-outs: a time-out for each wait lets a server that sends a byte now and then keep a
// caller for ever.
//
// Thread safety: pure functions.
#ifndef CLIENTS_DEADLINE_H_
#define CLIENTS_DEADLINE_H_

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>

namespace clients {

using Nanoseconds = std::chrono::nanoseconds;
using Deadline = std::chrono::steady_clock::time_point;

inline Deadline Now() { return std::chrono::steady_clock::now(); }

// A time without end is cut, since the sum would overflow.
inline Deadline After(Nanoseconds time) {
  constexpr Nanoseconds kYear = std::chrono::hours(24 * 365);
  return Now() + std::min(time, kYear);
}

inline bool IsOver(Deadline deadline) { return Now() >= deadline; }

// For poll(2) and epoll_wait(2): rounded up, so that nobody spins through the last millisecond.
inline int PollMillis(Deadline deadline) {
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(deadline - Now()).count();
  return static_cast<int>(std::clamp<int64_t>(rest, 0, std::numeric_limits<int>::max()));
}

// Waits until `events` (POLLIN, POLLOUT) or an error are there. False when the deadline came first.
inline bool PollUntil(int fd, short events, Deadline deadline) {
  while (true) {
    pollfd polled{.fd = fd, .events = events, .revents = 0};
    const int ready = ::poll(&polled, 1, PollMillis(deadline));
    if (ready > 0) return true;
    if (IsOver(deadline)) return false;
    // Anything but an interruption shows itself in the call that this one waits for.
    if (ready < 0 && errno != EINTR) return true;
  }
}

}  // namespace clients

#endif  // CLIENTS_DEADLINE_H_
