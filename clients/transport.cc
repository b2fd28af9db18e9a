#include "clients/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

#include "clients/errors.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace clients {
namespace {

constexpr std::string_view kClosed = "the server closed the connection";

int TlsSize(size_t size) {
  return static_cast<int>(std::min<size_t>(size, std::numeric_limits<int>::max()));
}

}  // namespace

absl::StatusOr<Moved> Transport::Read(char* bytes, size_t size) {
  if (session_ != nullptr) {
    ERR_clear_error();
    return TlsMoved(SSL_read(session_.get(), bytes, TlsSize(size)));
  }
  const ssize_t received = ::recv(fd_.get(), bytes, size, 0);
  if (received > 0) return Moved{.bytes = static_cast<size_t>(received)};
  if (received == 0) return Lost(peer_, kClosed);
  if (errno == EAGAIN || errno == EINTR) return Moved{.wait_for = POLLIN};
  return Lost(peer_, fmt::format("connection lost: {}", std::generic_category().message(errno)));
}

absl::StatusOr<Moved> Transport::Write(std::string_view bytes) {
  if (session_ != nullptr) {
    ERR_clear_error();
    return TlsMoved(SSL_write(session_.get(), bytes.data(), TlsSize(bytes.size())));
  }
  const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return Moved{.bytes = static_cast<size_t>(sent)};
  if (errno == EAGAIN || errno == EINTR) return Moved{.wait_for = POLLOUT};
  return Lost(peer_, fmt::format("connection lost: {}", std::generic_category().message(errno)));
}

absl::StatusOr<Moved> Transport::TlsMoved(int result) {
  if (result > 0) return Moved{.bytes = static_cast<size_t>(result)};
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Moved{.wait_for = POLLIN};
    case SSL_ERROR_WANT_WRITE:
      return Moved{.wait_for = POLLOUT};
    case SSL_ERROR_ZERO_RETURN:
      return Lost(peer_, kClosed);
    case SSL_ERROR_SYSCALL:
      return Lost(peer_, fmt::format("connection lost: {}",
                                     errno == 0 ? "the server closed the connection"
                                                : std::generic_category().message(errno)));
    default:
      return Lost(peer_, fmt::format("connection lost: TLS: {}", TlsError()));
  }
}

absl::Status Transport::HandshakeError(int result) const {
  const int error = SSL_get_error(session_.get(), result);
  const long verified = SSL_get_verify_result(session_.get());
  if (error == SSL_ERROR_SSL && verified != X509_V_OK) {
    return absl::UnauthenticatedError(fmt::format("{}: the server's certificate is refused: {}",
                                                  peer_, X509_verify_cert_error_string(verified)));
  }
  if (error == SSL_ERROR_SSL) {
    const unsigned long code = ERR_peek_error();
    const bool lost = ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    const std::string reason = TlsError();
    if (!lost) {
      return absl::FailedPreconditionError(
          fmt::format("{}: TLS handshake failed: {} (is this a port without TLS?)", peer_, reason));
    }
  }
  return Lost(peer_,
              "the server closed the connection during the TLS handshake (is this a port "
              "without TLS?)");
}

absl::Status Transport::StartTls(std::shared_ptr<const TlsContext> tls, const std::string& host,
                                 Deadline deadline) {
  KV_ASSIGN_OR_RETURN(session_, tls->NewSession(fd_.get(), host));
  tls_ = std::move(tls);
  while (true) {
    ERR_clear_error();
    const int result = SSL_do_handshake(session_.get());
    if (result == 1) return absl::OkStatus();
    const int error = SSL_get_error(session_.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      return HandshakeError(result);
    }
    const short wait_for = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    if (!PollUntil(fd_.get(), wait_for, deadline)) return TimedOut(peer_, "TLS handshake");
  }
}

}  // namespace clients
