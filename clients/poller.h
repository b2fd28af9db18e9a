// A poller: which of many sockets can be read or written (Linux, epoll(7), level-triggered).
//
// A socket that is closed leaves by itself.
//
// Thread safety: none. Errors: kUnavailable with the system's reason.
// Complexity: Wait: the sockets that are ready; the others a system call, where anything changes.
#ifndef CLIENTS_POLLER_H_
#define CLIENTS_POLLER_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/deadline.h"
#include "clients/socket.h"

namespace clients {

// What a socket is waited for: reading always, and writing at times.
struct Interest {
  bool wanted_write = false;
  bool known_write = false;  // what the system was told
};

class Poller {
 public:
  struct Ready {
    size_t number = 0;
  };

  static absl::StatusOr<Poller> Create();

  // A socket to read, by which number it is to be known.
  absl::Status Add(int fd, size_t number);
  // Tells the system, where that is news.
  absl::Status Change(int fd, size_t number, Interest* interest);
  // Those that are ready, into `ready`; none when `longest` was over first, or a signal came.
  absl::Status Wait(Nanoseconds longest, std::vector<Ready>* ready);

 private:
  explicit Poller(Fd epoll) : epoll_(std::move(epoll)) {}

  absl::Status Control(int operation, int fd, size_t number, uint32_t events);

  Fd epoll_;
  bool has_nanoseconds_ = true;  // the system has epoll_pwait2
};

}  // namespace clients

#endif  // CLIENTS_POLLER_H_
