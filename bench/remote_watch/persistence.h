// The persistence test: what a server has lost of what it had acknowledged when its process is
// killed, for each way of keeping data.
//
// A round starts a new local server, writes numbered values through one pipeline as fast as that
// allows, kills the server at a random moment (kill -9), starts it again on the same files, reads
// every key, and counts (recovery.h).
//
// What it does not show: a loss of power. What a process has given to the kernel outlives the
// process, so an append-only file that is synced once a second loses little or nothing here and up
// to a second or two of writes there; and whether a disk keeps what it says it has synced, nobody
// can see from here.
//
// Thread safety: to be called from the main thread, which starts the servers (clients/local).
#ifndef BENCH_REMOTE_WATCH_PERSISTENCE_H_
#define BENCH_REMOTE_WATCH_PERSISTENCE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/remote_watch/policies.h"

namespace bench::remote_watch {

struct PersistencePlan {
  std::vector<const Policy*> policies;
  int rounds = 3;
  size_t pipeline = 16;    // writes in flight
  double min_seconds = 2;  // it is killed between these two
  double max_seconds = 4;
  size_t keys = 100'000;
  size_t value_bytes = 100;
  uint64_t seed = 42;
  std::string program;                             // of the server (clients/local/server.h)
  std::atomic<uint64_t>* progress = nullptr;       // writes acknowledged; may be null
  const std::atomic<bool>* interrupted = nullptr;  // no further round; may be null
};

struct RoundResult {
  const Policy* policy = nullptr;
  int round = 0;
  uint64_t writes = 0;  // sent
  uint64_t acknowledged = 0;
  uint64_t lost = 0;
  uint64_t holes = 0;         // of those lost: older than something that is there
  double killed_after = 0;    // seconds of writing
  double lost_window_ms = 0;  // from the answer to the oldest write that is lost, to the kill
  double restart_ms = 0;      // until it answers again with all its data
  double ops_per_second = 0;
};

// All rounds, policy by policy. `before` and `after` are called around each. An error: a server did
// not start, or did not answer as one, or a write was refused.
absl::StatusOr<std::vector<RoundResult>> RunPersistence(
    const PersistencePlan& plan, const std::function<void(const Policy& policy, int round)>& before,
    const std::function<void(const RoundResult& result)>& after);

// Whether a policy that promises each write has lost one.
bool BrokePromise(const std::vector<RoundResult>& results);

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_PERSISTENCE_H_
