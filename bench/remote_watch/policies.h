// How a local server keeps its data, by the names of this program's flags.
//
//   none       it does not
//   rdb        save 1 1: a snapshot at most every second, while anything changes
//   everysec   append-only file, appendfsync everysec
//   always     append-only file, appendfsync always: the only one that promises each write
//
// Thread safety: pure functions.
// Source: redis.conf, "SNAPSHOTTING" and "APPEND ONLY MODE".
#ifndef BENCH_REMOTE_WATCH_POLICIES_H_
#define BENCH_REMOTE_WATCH_POLICIES_H_

#include <span>
#include <string>
#include <string_view>

#include "clients/local/server.h"

namespace bench::remote_watch {

struct Policy {
  std::string_view name;
  std::string_view description;
  bool keeps_all = false;  // each acknowledged write survives a crash of the server, it says
  bool append_only = false;
  std::string_view setting;  // "name value..."
};

std::span<const Policy> Policies();
// Null: there is none of this name.
const Policy* FindPolicy(std::string_view name);

// `program` as in clients::local::ServerOptions.
clients::local::ServerOptions ServerOptionsOf(const Policy& policy, const std::string& program);

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_POLICIES_H_
