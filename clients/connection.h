// One connection to one server, with calls that wait for their replies.
//
//   auto connection = Connection::Open({.url = *ParseUrl("redis://localhost")});
//   auto reply = connection->Run({"GET", key});
//
// A call whose reply does not come whole and in time loses the connection, since a late reply would
// answer the next command; whether the command took effect is then unknown, so it is not repeated.
// The next call makes a new connection first, as does one that finds its connection closed before
// it has sent anything: the host is looked up again, and tries follow each
// other with back-off (backoff.h) for ConnectOptions::reconnect_for. What cannot heal, a password
// say, ends the tries at once. State that a server keeps for a connection (MULTI, WATCH, SELECT by
// hand) ends with it: see reconnections().
//
// Errors: errors.h.
// Thread safety: none; a pool (pool.h) lends connections to threads.
// Complexity: a call is a look whether the connection still stands, one send, one wait and one
// receive where the reply is small.
// For: tools, tests, clients that wait. Not for: load, which wants pipeline.h or event_loop.h.
#ifndef CLIENTS_CONNECTION_H_
#define CLIENTS_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/backoff.h"
#include "clients/channel.h"
#include "clients/command.h"
#include "clients/dialer.h"
#include "clients/reply.h"

namespace clients {

class Connection {
 public:
  // One try, so that a wrong URL is told at once.
  static absl::StatusOr<Connection> Open(const ConnectOptions& options);
  static absl::StatusOr<Connection> Open(std::shared_ptr<const Dialer> dialer);
  // To another node than the URL's.
  static absl::StatusOr<Connection> Open(std::shared_ptr<const Dialer> dialer,
                                         const HostPort& node);

  // The reply to one command; an error reply is an error here.
  absl::StatusOr<Reply> Run(Arguments arguments);
  absl::StatusOr<Reply> Run(std::initializer_list<std::string_view> arguments) {
    return Run(Arguments(arguments.begin(), arguments.size()));
  }
  // The same into a reply whose memory is used again.
  absl::Status Run(Arguments arguments, Reply* reply);

  // Sends formatted commands (command.h) and reads a reply to each; error replies are replies here.
  // `answered` of them came, also where it fails.
  absl::Status Exchange(std::string_view commands, std::span<Reply> replies, size_t* answered);

  // Makes a new connection where it was lost, or where the server has closed it meanwhile.
  absl::Status Restore();

  bool is_connected() const { return channel_.is_open(); }
  // How often a lost connection was made anew.
  uint64_t reconnections() const { return reconnections_; }
  const std::string& peer() const { return peer_; }

 private:
  Connection(std::shared_ptr<const Dialer> dialer, HostPort node, Channel channel);

  absl::StatusOr<Channel> Dial() const;

  std::shared_ptr<const Dialer> dialer_;
  HostPort node_;  // without a host: the URL's
  Channel channel_;
  std::string peer_;
  Backoff backoff_;
  std::string bytes_;  // of the command that is sent; its memory is used again
  uint64_t reconnections_ = 0;
};

}  // namespace clients

#endif  // CLIENTS_CONNECTION_H_
