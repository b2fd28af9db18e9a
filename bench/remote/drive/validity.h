// Whether the result of a run may be believed. What may not is never averaged in; each reason names
// the figure and its limit.
//
// A run is invalid when
//   a thread that drives used over 95 % of a core (spinning left out), so that the generator may
//     have been what was measured. In closed loop a server that was as busy excuses that: then both
//     were at their limit. A server whose CPU time nobody knows excuses nothing.
//   the schedule slipped: over 0.1 % of the requests were sent over a millisecond late though a
//     connection had room, or some were never sent
//   fewer reads hit than the load implies, by over a percentage point and over what chance explains
//   there were error replies, wrong replies or lost requests
//   a latency was beyond what the histograms hold
//   nothing was answered
//
// Thread safety: pure functions. Complexity: the operations.
#ifndef BENCH_REMOTE_DRIVE_VALIDITY_H_
#define BENCH_REMOTE_DRIVE_VALIDITY_H_

#include <optional>
#include <string>
#include <vector>

#include "bench/remote/drive/drive.h"

namespace bench::remote {

// What is known of a run beside its result.
struct Expectation {
  std::optional<double> hit_ratio;  // that the load implies, 0..1; of its reads
  bool errors_allowed = false;      // error replies, wrong replies and lost requests
  // CPU time over wall time of the server's busiest thread, or of its process where it has one; of
  // a cluster, of the busiest node.
  std::optional<double> server_cpu_share;
};

// Nothing: it may be believed.
std::vector<std::string> WhyInvalid(const DrivePlan& plan, const DriveResult& result,
                                    const Expectation& expectation);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DRIVE_VALIDITY_H_
