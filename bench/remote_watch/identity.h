// Who answers: a server's process, version and role, from its INFO; and what has changed when
// another one answers under the same address.
//
// Thread safety: pure functions. Complexity: linear in the text.
// Source: the page of INFO; Valkey keeps redis_version for old clients, and has its own beside it.
#ifndef BENCH_REMOTE_WATCH_IDENTITY_H_
#define BENCH_REMOTE_WATCH_IDENTITY_H_

#include <string>
#include <string_view>
#include <vector>

namespace bench::remote_watch {

// What a server does not say is empty.
struct Identity {
  std::string run_id;   // of the process: new with each start
  std::string version;  // "Redis 7.0.15", "Valkey 8.0.1"
  std::string role;     // "primary", "replica"

  friend bool operator==(const Identity&, const Identity&) = default;
};

// Of the sections "server" and "replication", or of all.
Identity ParseIdentity(std::string_view info);

// One sentence for each change; what either does not say has not changed.
std::vector<std::string> ChangesOf(const Identity& before, const Identity& after);

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_IDENTITY_H_
