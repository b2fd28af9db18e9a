// The command line of //bench:remote: its flags, their defaults, and how they are read.
//
// Thread safety: pure functions.
#ifndef BENCH_REMOTE_FLAGS_H_
#define BENCH_REMOTE_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/remote/drive/schedule.h"
#include "bench/remote/load/options.h"
#include "clients/tls.h"
#include "clients/url.h"

namespace bench::remote {

struct Flags {
  // Where it runs: a URL, or a server of its own.
  std::optional<clients::Url> url;
  std::string server;  // as in clients::local::ServerOptions::program
  std::vector<std::vector<std::string>> server_settings;
  clients::TlsOptions tls;
  double connect_timeout = 2;  // seconds
  double command_timeout = 5;
  double reconnect_timeout = 10;
  std::string label;  // of the rows; empty: what the server calls itself

  // What is sent.
  std::vector<std::string> loads;  // empty: the representative set
  LoadOptions load;
  std::string replay;
  uint64_t replay_limit = 0;  // 0: all of it
  bool skip_bad_lines = false;

  // How it is sent.
  std::vector<int> connections = {50};
  int threads = 1;
  std::vector<int> pipelines = {1};
  Schedule schedule;
  std::optional<double> seconds;
  uint64_t requests = 0;
  std::optional<double> warmup;
  int repetitions = 1;
  double interval = 1;  // seconds

  // Around it.
  bool preload = true;
  bool keep = false;
  bool flush = false;
  bool allow_errors = false;

  // What is told.
  bool operations = false;
  std::string json;
  std::string hdr_log;
};

struct ParsedFlags {
  Flags flags;
  // Set when the program should stop here, after printing `output` (0) or `error` (2).
  std::optional<int> exit_status;
  std::string output;
  std::string error;
};

// `arguments` without the program's name. Relative paths are taken from BUILD_WORKING_DIRECTORY
// where that is set: `bazel run` starts programs in another directory than the user's.
ParsedFlags ParseFlags(const std::vector<std::string>& arguments);

// The text of --list.
std::string LoadList();

}  // namespace bench::remote

#endif  // BENCH_REMOTE_FLAGS_H_
