// When requests are to be sent: planned times that do not wait for replies (open loop), or none at
// all (closed loop), in which each connection sends the next request when one of its is answered.
//
//   closed    as fast as replies come, `pipeline` in flight on each connection
//   constant  `rate` a second, evenly spaced
//   ramp      from `rate` to `end_rate` a second, linearly over `seconds`
//   recorded  when each request says (Request::at_nanos), `speed` times as fast
//   burst     `rate` a second for `burst_seconds`, then `rest_rate` for `rest_seconds`, again and
//   again
//
// Thread safety: a const Schedule may be used by any thread. Complexity: constant.
#ifndef BENCH_REMOTE_SCHEDULE_H_
#define BENCH_REMOTE_SCHEDULE_H_

#include <cstdint>

namespace bench::remote {

enum class Pace : uint8_t { kClosed, kConstant, kRamp, kBurst, kRecorded };

struct Schedule {
  Pace pace = Pace::kClosed;
  double rate = 0;      // requests a second, of all threads together
  double end_rate = 0;  // kRamp
  double seconds = 0;   // kRamp: how long it rises or falls; then end_rate goes on
  double burst_seconds = 0;
  double rest_seconds = 0;
  double rest_rate = 0;
  double speed = 1;  // kRecorded
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_SCHEDULE_H_
