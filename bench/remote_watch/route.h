// The way of a probe to its server: one connection to the server of a URL, or to the node of a
// cluster that serves one slot. It follows what a client follows, and repeats nothing.
//
//   Connect   looks the name up and connects. Of a cluster: asks for the map of slots, the URL's
//             hosts first and then the nodes known so far, each for a quarter of the time, and
//             connects to the slot's owner.
//   Run       one command, within the time-out of one. MOVED and ASK are followed. An error reply
//             is a reply; an error is that the connection is lost, and then it is closed.
//
// Thread safety: none. Errors: those of clients/errors.h.
#ifndef BENCH_REMOTE_WATCH_ROUTE_H_
#define BENCH_REMOTE_WATCH_ROUTE_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/channel.h"
#include "clients/command.h"
#include "clients/dialer.h"
#include "clients/reply.h"
#include "clients/slot_map.h"

namespace bench::remote_watch {

// As a client dials, and as one that asks a node where the slots are, while others may know as
// well.
struct Dialers {
  static absl::StatusOr<Dialers> Create(const clients::ConnectOptions& options);

  std::shared_ptr<const clients::Dialer> dialer;
  std::shared_ptr<const clients::Dialer> asking;
};

class Route {
 public:
  // To the server of the URL, or, with a slot, to the owner of that.
  Route(Dialers dialers, std::optional<uint16_t> slot)
      : dialers_(std::move(dialers)), slot_(slot) {}

  absl::Status Connect();
  absl::Status Run(clients::Arguments arguments, clients::Reply* reply);
  absl::Status Run(std::initializer_list<std::string_view> arguments, clients::Reply* reply) {
    return Run(clients::Arguments(arguments.begin(), arguments.size()), reply);
  }
  void Close() { channel_ = clients::Channel(); }

  bool is_connected() const { return channel_.is_open(); }
  const std::string& peer() const { return channel_.peer(); }
  uint64_t redirections() const { return redirections_; }

 private:
  absl::Status ConnectToOwner();
  absl::Status ConnectBy(const clients::HostPort& node);
  absl::Status Follow(const clients::Redirection& redirection, clients::Reply* reply);

  clients::Deadline CommandDeadline() const {
    return clients::After(dialers_.dialer->options().command_timeout);
  }

  Dialers dialers_;
  std::optional<uint16_t> slot_;
  clients::Channel channel_;
  clients::HostPort node_;                // of a cluster: where the channel leads
  std::vector<clients::HostPort> known_;  // nodes of the last map
  std::string bytes_;                     // of the command; its memory is used again
  uint64_t redirections_ = 0;
};

// The map of slots of the cluster, by the first of `nodes` that answers.
absl::StatusOr<clients::SlotMap> FindSlots(const Dialers& dialers,
                                           const std::vector<clients::HostPort>& nodes);

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_ROUTE_H_
