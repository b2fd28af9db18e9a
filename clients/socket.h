// Sockets: names looked up, and connections made, before a deadline; and listening on loopback.
//
// A name is looked up each time, so that a server that has moved is found again. getaddrinfo has no
// time-out, so a name is looked up in a thread of its own, which is left behind when it is late; a
// numeric address is not.
//
// Errors: kUnavailable (no such host, refused, no such socket), kDeadlineExceeded; never kNotFound,
// which is the answer for an absent key (errors.h). They name the server.
//
// Thread safety: pure functions. Each address of a name is tried in turn, with an equal part of
// the time that is left.
#ifndef CLIENTS_SOCKET_H_
#define CLIENTS_SOCKET_H_

#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/deadline.h"
#include "clients/url.h"

namespace clients {

// A file descriptor that is closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

// All TCP addresses of `node`, in the system's order.
absl::StatusOr<std::vector<Address>> Resolve(const HostPort& node, Deadline deadline);

// What stands for Resolve in tests, or where names are found in another way.
using Resolver =
    std::function<absl::StatusOr<std::vector<Address>>(const HostPort& node, Deadline deadline)>;

// Connected and non-blocking; over TCP without delay (TCP_NODELAY) and with keep-alive.
absl::StatusOr<Fd> ConnectTcp(const HostPort& node, const Resolver& resolver, Deadline deadline);
absl::StatusOr<Fd> ConnectUnix(const std::string& path, Deadline deadline);

struct Listener {
  Fd fd;
  uint16_t port = 0;
};

// On a free port of the loopback interface. `flags`: SOCK_NONBLOCK or none.
absl::StatusOr<Listener> ListenOnLoopback(int flags = 0);

}  // namespace clients

#endif  // CLIENTS_SOCKET_H_
