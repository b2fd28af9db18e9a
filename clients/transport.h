// A connected socket, plain or under TLS, that never blocks.
//
// A call moves what it can and says what to wait for when that is nothing. Under TLS a read may
// have to wait until the socket can be written, and the other way round; and bytes may be waiting
// in the session that no poll sees: read until there is something to wait for, then poll.
//
// Errors are kUnavailable when the connection is lost (the other side closed it, or reset it), and
// name the server. A closed socket raises no signal.
//
// Thread safety: none. Complexity: a system call for each call.
#ifndef CLIENTS_TRANSPORT_H_
#define CLIENTS_TRANSPORT_H_

#include <poll.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/deadline.h"
#include "clients/socket.h"
#include "clients/tls.h"

namespace clients {

struct Moved {
  size_t bytes = 0;
  short wait_for = 0;  // POLLIN or POLLOUT, when nothing was moved
};

class Transport {
 public:
  Transport() = default;
  Transport(Fd fd, std::string peer) : fd_(std::move(fd)), peer_(std::move(peer)) {}

  // The handshake. kUnauthenticated: the certificate is not trusted, or does not name the host.
  // kFailedPrecondition: the server does not speak TLS.
  absl::Status StartTls(std::shared_ptr<const TlsContext> tls, const std::string& host,
                        Deadline deadline);

  absl::StatusOr<Moved> Read(char* bytes, size_t size);
  absl::StatusOr<Moved> Write(std::string_view bytes);

  int fd() const { return fd_.get(); }
  bool is_open() const { return fd_.get() >= 0; }
  bool is_tls() const { return session_ != nullptr; }
  const std::string& peer() const { return peer_; }

 private:
  // What a call that returned `result` has come to.
  absl::StatusOr<Moved> TlsMoved(int result);
  absl::Status HandshakeError(int result) const;

  Fd fd_;
  std::string peer_;
  std::shared_ptr<const TlsContext> tls_;
  TlsContext::Session session_;  // gone before the socket
};

}  // namespace clients

#endif  // CLIENTS_TRANSPORT_H_
