// Makes connections that are ready for commands: looks the host up, connects, starts TLS, tells
// the server who is there (AUTH) and which database is meant (SELECT), and sees by PING that it is
// a Redis server at all. All of it within one time, with the last three in one round trip.
//
// Errors (errors.h) name the server:
//   kUnavailable          no such host, refused, lost, LOADING, too many clients: may heal
//   kDeadlineExceeded     any part was late: may heal
//   kUnauthenticated      user and password, or the server's certificate
//   kPermissionDenied     protected mode, or the user may not even PING
//   kFailedPrecondition   not a Redis server, or TLS on one side only
//
// Thread safety: a const Dialer may be used by any thread.
#ifndef CLIENTS_DIALER_H_
#define CLIENTS_DIALER_H_

#include <chrono>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/backoff.h"
#include "clients/channel.h"
#include "clients/deadline.h"
#include "clients/socket.h"
#include "clients/tls.h"
#include "clients/url.h"

namespace clients {

struct ConnectOptions {
  Url url;
  TlsOptions tls;  // where the URL asks for TLS

  // For all that makes a connection ready.
  Nanoseconds connect_timeout = std::chrono::seconds(2);
  // From a call to the last of its replies.
  Nanoseconds command_timeout = std::chrono::seconds(5);
  // How long a call on a lost connection tries to make a new one, beside its own time. 0: once.
  Nanoseconds reconnect_for = std::chrono::seconds(10);
  BackoffOptions backoff;  // between those tries

  Resolver resolver = Resolve;
};

class Dialer {
 public:
  // kInvalidArgument: the URL is not one that ParseUrl gives, a time is not positive, or a file of
  // TLS cannot be read.
  static absl::StatusOr<std::shared_ptr<const Dialer>> Create(const ConnectOptions& options);

  // To the one server of the URL, or the first node of a cluster.
  absl::StatusOr<Channel> Dial() const;
  // To another node, as the same user and in the same manner.
  absl::StatusOr<Channel> Dial(const HostPort& node) const;

  const ConnectOptions& options() const { return options_; }

 private:
  explicit Dialer(const ConnectOptions& options) : options_(options) {}

  absl::Status Handshake(Channel* channel, Deadline deadline) const;

  ConnectOptions options_;
  std::shared_ptr<const TlsContext> tls_;  // null without TLS
};

// Whether trying again later may help.
inline bool MayHeal(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace clients

#endif  // CLIENTS_DIALER_H_
