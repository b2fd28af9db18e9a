// Removes keys by their prefix, whoever wrote them: what runs that were cut off have left, and what
// a replay wrote.
//
// The server's database is scanned as a whole (SCAN with MATCH), beside which others go on working.
// A key that comes while it is scanned may stay.
//
// Thread safety: that of the connection. Complexity: linear in all keys of the database.
// For: clean-up where the plan is not known. Not for: what a LoadPlan knows, which CleanupSource
// removes at the driver's speed.
#ifndef BENCH_REMOTE_LOAD_CLEANUP_H_
#define BENCH_REMOTE_LOAD_CLEANUP_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "clients/connection.h"

namespace bench::remote {

// How many were removed from the one node that the connection leads to; of a cluster, each primary
// has to be asked. kInvalidArgument: an empty prefix, which every key has.
absl::StatusOr<uint64_t> RemovePrefix(clients::Connection* connection, std::string_view prefix);

// The pattern of SCAN that matches what begins with `prefix`, byte for byte.
std::string PatternOf(std::string_view prefix);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_CLEANUP_H_
