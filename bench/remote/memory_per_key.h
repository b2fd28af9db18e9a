// What a key costs in a server's memory: what the whole server grew by, over the keys that came,
// and beside it what the server itself says of some of them (MEMORY USAGE).
//
// The first counts all that a key needs, tables and the allocator's slack included, and with it
// whatever else happened meanwhile: buffers of clients, keys of others. The second leaves out the
// growth of the tables, and estimates collections by some of their elements. Where they are far
// apart, few keys were written, or somebody else is at work.
//
// Thread safety: pure functions. Complexity: SCAN over at most kMostScans parts of each node.
#ifndef BENCH_REMOTE_MEMORY_PER_KEY_H_
#define BENCH_REMOTE_MEMORY_PER_KEY_H_

#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/remote/server_info.h"
#include "clients/connection.h"

namespace bench::remote {

struct MemoryPerKey {
  double keys = 0;         // that came
  double grown_bytes = 0;  // used_memory, a key
  // Mean of MEMORY USAGE over `sampled` keys; none where the server refuses it.
  std::optional<double> usage_bytes;
  int sampled = 0;
};

// nullopt: no keys came.
std::optional<MemoryPerKey> MemoryGrown(const ServerFigures& before, const ServerFigures& after);

struct UsageSample {
  double mean_bytes = 0;
  int keys = 0;
};

// Of up to `most` keys that begin with `prefix`, from primaries, in the order in which SCAN meets
// them, which is by hash. kNotFound: none was met.
absl::StatusOr<UsageSample> SampleUsage(std::vector<clients::Connection>& nodes,
                                        std::string_view prefix, int most = 100);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_MEMORY_PER_KEY_H_
