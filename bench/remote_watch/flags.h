// The command line of //bench:remote_watch: its flags, their defaults, and how they are read.
//
// Thread safety: pure functions.
#ifndef BENCH_REMOTE_WATCH_FLAGS_H_
#define BENCH_REMOTE_WATCH_FLAGS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/remote_watch/policies.h"
#include "clients/tls.h"
#include "clients/url.h"

namespace bench::remote_watch {

struct Flags {
  std::optional<clients::Url> url;  // nullopt: a local server
  std::string server;               // of a local one: "redis", "valkey"; empty: whichever there is
  clients::TlsOptions tls;
  std::string json;

  // The watch.
  double interval_seconds = 0.1;
  double duration_seconds = 0;  // 0: until it is interrupted, or kDemonstrationSeconds
  double connect_timeout_seconds = 1;
  double timeout_seconds = 1;
  size_t keys = 0;  // 0: the part's own default
  bool keep_keys = false;

  // The persistence test.
  bool persistence = false;
  std::vector<const Policy*> policies;  // empty: all that keep data; of a local watch: everysec
  int rounds = 3;
  size_t pipeline = 16;
  double write_seconds = 4;
  size_t value_size = 100;
  uint64_t seed = 42;
};

inline constexpr double kDemonstrationSeconds = 10;

struct ParsedFlags {
  Flags flags;
  // Set when the program should stop here, after printing `output` (0) or `error` (2).
  std::optional<int> exit_status;
  std::string output;
  std::string error;
};

// `arguments` without the program's name. Relative paths are taken from BUILD_WORKING_DIRECTORY
// where that is set, as in bench/flags.h.
ParsedFlags ParseFlags(const std::vector<std::string>& arguments);

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_FLAGS_H_
