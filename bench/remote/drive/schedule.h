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
// Planned times are computed from a request's number and kept nowhere, so that a backlog, however
// long, takes no memory. They are whole nanoseconds: request k of a constant schedule is planned
// k / rate seconds after the first, rounded, and not at the sum of k rounded gaps.
//
// Thread safety: a const Schedule or Timetable may be used by any thread.
// Complexity: Timetable::At constant, CountBefore logarithmic in its result.
#ifndef BENCH_REMOTE_DRIVE_SCHEDULE_H_
#define BENCH_REMOTE_DRIVE_SCHEDULE_H_

#include <cstdint>
#include <limits>

#include "absl/status/status.h"

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

// kInvalidArgument: a rate, time or speed by which nothing could be planned.
absl::Status CheckSchedule(const Schedule& schedule);

// When each request of a constant, ramp or burst schedule is planned.
class Timetable {
 public:
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  // CheckSchedule has passed.
  explicit Timetable(const Schedule& schedule) : schedule_(schedule) {}

  // Nanoseconds from the beginning. Never falls from one request to the next; kNever: the schedule
  // comes to rest before.
  uint64_t At(uint64_t request) const;
  // How many requests are planned before `nanos`.
  uint64_t CountBefore(uint64_t nanos) const;

 private:
  double SecondsAt(double request) const;

  Schedule schedule_;
};

// What one of `threads` threads has of `count` things that are dealt out in turn.
constexpr uint64_t ShareOf(uint64_t count, int thread, int threads) {
  const auto first = static_cast<uint64_t>(thread);
  const auto step = static_cast<uint64_t>(threads);
  return count <= first ? 0 : (count - first - 1) / step + 1;
}

// The planned times of one thread: requests `thread`, `thread + threads`, ... of the warm-up, and
// then of the run, which begins its schedule anew. In a warm-up a ramp stays at its first rate.
class PlannedTimes {
 public:
  // `requests`: of the run, of all threads; kNever: no such limit.
  PlannedTimes(const Schedule& schedule, uint64_t warmup_nanos, uint64_t requests, int thread,
               int threads);

  // Of the next request, in nanoseconds since the beginning of the warm-up. kNever: there is none.
  uint64_t next() const { return next_; }
  void Advance();
  // How many requests of the run, the warm-up not counted, this thread has before that time.
  uint64_t RunCountBefore(uint64_t nanos) const;

 private:
  void Find();
  uint64_t Planned() const;

  Timetable warmup_;
  Timetable run_;
  uint64_t warmup_nanos_;
  uint64_t warmup_requests_;
  uint64_t run_requests_;
  int thread_;
  int threads_;
  bool in_warmup_ = true;
  uint64_t request_;  // of the warm-up, or of the run
  uint64_t next_ = Timetable::kNever;
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DRIVE_SCHEDULE_H_
