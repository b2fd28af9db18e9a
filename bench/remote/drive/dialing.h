// Makes connections beside a thread that drives: dialling waits for names and handshakes, and the
// connections that still stand must not wait with it.
//
// A thread of its own does one thing at a time, in the order in which they may begin. The driving
// thread looks at has_outcomes() in each turn, which costs a load.
//
// Thread safety: one thread asks and takes; the work is done in another. The destructor waits for a
// dial that is under way, for a connect_timeout at most.
#ifndef BENCH_REMOTE_DRIVE_DIALING_H_
#define BENCH_REMOTE_DRIVE_DIALING_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/channel.h"
#include "clients/deadline.h"
#include "clients/dialer.h"
#include "clients/slot_map.h"
#include "clients/url.h"

namespace bench::remote {

// What the first of `nodes` that answers says of its cluster.
absl::StatusOr<clients::SlotMap> AskForSlots(const std::shared_ptr<const clients::Dialer>& dialer,
                                             const std::vector<clients::HostPort>& nodes);

class Dialing {
 public:
  struct Outcome {
    size_t link = 0;
    size_t node = 0;
    absl::StatusOr<clients::Channel> channel;
  };

  explicit Dialing(std::shared_ptr<const clients::Dialer> dialer);
  ~Dialing();

  // `address`: nullopt is the server of the URL.
  void Dial(size_t link, size_t node, std::optional<clients::HostPort> address,
            clients::Deadline not_before);
  // The slot map, from one of these nodes.
  void AskForMap(std::vector<clients::HostPort> nodes, clients::Deadline not_before);

  // acquire: pairs with the release in Do. What is taken is under the mutex in any case.
  bool has_outcomes() const { return has_outcomes_.load(std::memory_order_acquire); }
  std::vector<Outcome> TakeDialled();  // and then TakeMap
  std::optional<absl::StatusOr<clients::SlotMap>> TakeMap();

 private:
  struct Task {
    clients::Deadline not_before;
    size_t link = 0;
    size_t node = 0;
    std::optional<clients::HostPort> address;
    std::vector<clients::HostPort> nodes;  // to be asked for the map; none: dial
  };

  void Add(Task task);
  void Work();
  void Do(const Task& task);

  const std::shared_ptr<const clients::Dialer> dialer_;
  std::atomic<bool> has_outcomes_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;                                  // guarded by mutex_
  std::vector<Task> tasks_;                              // guarded by mutex_
  std::vector<Outcome> dialled_;                         // guarded by mutex_
  std::optional<absl::StatusOr<clients::SlotMap>> map_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DRIVE_DIALING_H_
