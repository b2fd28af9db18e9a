// How the connections of one driving thread come and go: lost ones are dialled again with back-off,
// and in a cluster they follow the slots.
//
// What happens to a connection that was lost:
//   it answered after it was opened   dialled again at once
//   it did not                        with back-off (clients/backoff.h)
//   dialling fails for good, or for reconnect_for since the last reply: an error, which ends the
//   run. What may heal: clients/dialer.h.
// In a cluster each of these, and each MOVED, also asks for the slot map. Connections that were
// lost to a node that serves no slots any more go to the nodes that do, and a node without any gets
// one.
//
// Thread safety: none; dialling itself happens in a thread of its own (dialing.h).
// Complexity: the connections, whenever one of them changes.
#ifndef BENCH_REMOTE_DRIVE_LINKS_H_
#define BENCH_REMOTE_DRIVE_LINKS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/remote/drive/dialing.h"
#include "bench/remote/drive/drive.h"
#include "bench/remote/drive/routes.h"
#include "clients/channel.h"
#include "clients/deadline.h"
#include "clients/dialer.h"
#include "clients/slot_map.h"

namespace bench::remote {

// Where a run goes: the same for all threads.
struct DriveTarget {
  std::shared_ptr<const clients::Dialer> dialer;
  std::optional<clients::SlotMap> slots;  // of a cluster
};

class Links {
 public:
  // The share of one thread, none of them connected.
  Links(const DrivePlan& plan, const DriveTarget& target, int thread);

  Routes& routes() { return routes_; }

  // Waits until it is ready.
  absl::StatusOr<clients::Channel> Dial(size_t number);

  // The connection was lost. `wanted`: there is still something to be sent.
  absl::Status Lost(size_t number, const absl::Status& why, bool wanted, clients::Deadline now);

  // Where an error reply of a cluster sends the oldest command of `link`, which is parked there.
  // nullopt: it is another error, or the command was sent on too often.
  std::optional<size_t> Redirect(const Link& link, std::string_view error, clients::Deadline now);

  // Whether Take has something to do.
  bool has_news() const { return dialing_ != nullptr && dialing_->has_outcomes(); }
  bool is_dialling() const { return dialling_ > 0; }

  struct Ready {
    size_t number = 0;
    clients::Channel channel;
  };
  // Those that were dialled since, to be opened. kUnavailable and so on: a connection will not
  // come back, with its reason.
  absl::Status Take(bool wanted, clients::Deadline now, std::vector<Ready>* ready);

 private:
  Dialing& dialing();
  void Redial(size_t number, clients::Deadline not_before);
  // Sees to it that whoever is needed is dialled.
  void Spread(clients::Deadline now);
  void AskForMap(clients::Deadline now);

  const DriveTarget& target_;
  Routes routes_;
  std::unique_ptr<Dialing> dialing_;  // from the first time that it is needed
  size_t dialling_ = 0;
  bool is_asking_ = false;  // for the map
  clients::Deadline asked_at_;
  size_t turn_ = 0;  // of those who are asked
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DRIVE_LINKS_H_
