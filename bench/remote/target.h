// The server that is measured: the one of --url, or one of our own that ends with its owner.
//
// Thread safety: none.
#ifndef BENCH_REMOTE_TARGET_H_
#define BENCH_REMOTE_TARGET_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "bench/remote/flags.h"
#include "clients/dialer.h"
#include "clients/local/server.h"

namespace bench::remote {

struct Target {
  clients::ConnectOptions options;
  std::string shown;  // its URL without the password
  std::optional<clients::local::Server> own;
};

// Call it in the main thread: a server of our own ends with the thread that started it.
// Errors: of clients/local/server.h. A server of --url is not asked yet.
absl::StatusOr<Target> OpenTarget(const Flags& flags);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_TARGET_H_
