// A watch: two probers, one fresh and one staying (prober.h), on a server, or on each range of
// slots of a cluster, each in a thread of its own, while the caller's thread tells what happens.
//
// Thread safety: Watch is called from one thread, which also runs the planned actions: a local
// server has to be started by the thread that outlives it (clients/local/process.h).
#ifndef BENCH_REMOTE_WATCH_WATCH_H_
#define BENCH_REMOTE_WATCH_WATCH_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/remote_watch/event_log.h"
#include "bench/remote_watch/prober.h"
#include "clients/deadline.h"
#include "clients/dialer.h"

namespace bench::remote_watch {

// What is done to the server while it is watched.
struct PlannedAction {
  clients::Nanoseconds at{0};  // since the beginning
  std::string text;            // for the events
  std::function<absl::Status()> run;
};

struct WatchPlan {
  // connect_timeout is that of the step, command_timeout that of each other one.
  clients::ConnectOptions server;
  clients::Nanoseconds interval = std::chrono::milliseconds(100);
  clients::Nanoseconds duration{0};  // 0: until it is interrupted
  size_t keys = size_t{1} << 16;     // of each prober: so many writes are remembered
  bool keep_keys = false;
  // How long the end may wait for a server that is down, to read back what it acknowledged.
  clients::Nanoseconds verify_within = std::chrono::seconds(10);
  size_t most_ranges = 16;                         // of a cluster; those beyond are not watched
  std::vector<PlannedAction> actions;              // in the order of their moments
  const std::atomic<bool>* interrupted = nullptr;  // may be null
};

struct Observer {
  std::function<void(const Event& event, clients::Deadline begin)> on_event;
  std::function<void(const Live& live, clients::Nanoseconds elapsed)> on_tick;  // a few a second
};

struct WatchResult {
  clients::Deadline begin;
  clients::Nanoseconds length{0};
  std::vector<std::unique_ptr<Prober>> probers;
  std::vector<Event> events;
  std::vector<std::string> notes;

  // Acknowledged writes that were lost or rolled back, and those that could not be read back.
  uint64_t Lost() const;
  uint64_t Unverified() const;
  // A planned action that failed; the watch ended then.
  absl::Status action_failed;
};

// An error: it could not start, since the server does not answer or is not what the URL says.
absl::StatusOr<WatchResult> Watch(const WatchPlan& plan, const Observer& observer);

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_WATCH_H_
