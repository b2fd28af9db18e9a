// A Redis or Valkey server before the lab: what //bench:redis has beside the other bench binaries,
// its flags and how its store is opened.
//
// The store is one database of the server. A fresh store is that database emptied, so one that has
// keys is refused unless --flush allows it; the lab's own keys are removed at the end. Without a
// URL a local server is started for the run, without persistence, and ended with it.
//
// Latencies are those of the blocking client (clients/redis_engine.h), a round trip for each call.
// For: a server beside embedded engines, at the same workloads. Not for: how much load a server
// takes, which wants many requests in flight (//bench:remote).
//
// Thread safety: none; the main thread starts the server.
#ifndef BENCH_REDIS_SUBJECT_H_
#define BENCH_REDIS_SUBJECT_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/plan.h"
#include "clients/dialer.h"
#include "clients/local/server.h"
#include "clients/redis_engine.h"
#include "clients/url.h"
#include "kv/contract/options.h"

namespace bench {

struct RedisFlags {
  std::optional<clients::Url> url;
  std::string server;  // of a local one (clients/local/server.h)
  bool flush = false;
};

// Takes its own flags out of `arguments`, the program's name not among them, and leaves the lab's.
absl::StatusOr<RedisFlags> TakeRedisFlags(std::vector<std::string>* arguments);

// What --help says of them.
std::string RedisHelp();

class RedisStore {
 public:
  // Starts the server, or tries the one of the URL.
  static absl::StatusOr<RedisStore> Start(const RedisFlags& flags);

  // With the server's version in the descriptor.
  Capabilities capabilities() const;

  // Options::create_if_missing false: on what is there. Otherwise on an empty database.
  absl::StatusOr<std::unique_ptr<clients::RedisEngine>> Open(const kv::Options& options);

  // Removes what the lab has written, at the end.
  absl::Status Clean();

 private:
  RedisStore() = default;

  absl::Status Empty();

  clients::ConnectOptions options_;
  std::unique_ptr<clients::local::Server> server_;  // null: the URL's
  std::string version_;
  bool flush_ = false;
  bool ours_ = false;  // the database was empty, or was emptied, when the lab began with it
};

}  // namespace bench

#endif  // BENCH_REDIS_SUBJECT_H_
