#include "bench/remote/drive/schedule.h"

#include <algorithm>
#include <cmath>

#include "kv/base/status.h"

namespace bench::remote {
namespace {

// Three decades: longer than any run, and far from the end of 64 bits.
constexpr double kMostSeconds = 1e9;

bool IsPositive(double value) { return std::isfinite(value) && value > 0; }
bool IsNotNegative(double value) { return std::isfinite(value) && value >= 0; }

// When `requests` have come by a rate that changes evenly from `rate` by `slope` a second. The
// form of the quadratic formula that subtracts no neighbours.
double SecondsOfRamp(double requests, double rate, double slope) {
  if (requests <= 0) return 0;
  const double rate_then = std::sqrt(std::max(0.0, rate * rate + 2 * slope * requests));
  return 2 * requests / (rate + rate_then);
}

Schedule InWarmup(const Schedule& schedule) {
  if (schedule.pace != Pace::kRamp) return schedule;
  return {.pace = Pace::kConstant, .rate = schedule.rate};
}

}  // namespace

absl::Status CheckSchedule(const Schedule& schedule) {
  switch (schedule.pace) {
    case Pace::kClosed:
      return absl::OkStatus();
    case Pace::kConstant:
      if (!IsPositive(schedule.rate)) return kv::Invalid("a constant rate is positive");
      return absl::OkStatus();
    case Pace::kRamp:
      if (!IsNotNegative(schedule.rate) || !IsNotNegative(schedule.end_rate) ||
          schedule.rate + schedule.end_rate <= 0) {
        return kv::Invalid("a ramp leads from one rate to another, and one of them is positive");
      }
      if (!IsPositive(schedule.seconds)) return kv::Invalid("a ramp takes a positive time");
      return absl::OkStatus();
    case Pace::kBurst:
      if (!IsPositive(schedule.rate) || !IsPositive(schedule.burst_seconds)) {
        return kv::Invalid("a burst has a positive rate and takes a positive time");
      }
      if (!IsNotNegative(schedule.rest_rate) || !IsNotNegative(schedule.rest_seconds)) {
        return kv::Invalid("the rest between bursts has no negative rate or time");
      }
      return absl::OkStatus();
    case Pace::kRecorded:
      if (!IsPositive(schedule.speed)) return kv::Invalid("the speed of a replay is positive");
      return absl::OkStatus();
  }
  return kv::Invalid("no such pace");
}

double Timetable::SecondsAt(double request) const {
  switch (schedule_.pace) {
    case Pace::kRamp: {
      const double in_ramp = (schedule_.rate + schedule_.end_rate) / 2 * schedule_.seconds;
      if (request < in_ramp) {
        const double slope = (schedule_.end_rate - schedule_.rate) / schedule_.seconds;
        return SecondsOfRamp(request, schedule_.rate, slope);
      }
      if (schedule_.end_rate <= 0) return kMostSeconds;
      return schedule_.seconds + (request - in_ramp) / schedule_.end_rate;
    }
    case Pace::kBurst: {
      const double in_burst = schedule_.rate * schedule_.burst_seconds;
      const double in_rest = schedule_.rest_rate * schedule_.rest_seconds;
      const double periods = std::floor(request / (in_burst + in_rest));
      const double before = periods * (schedule_.burst_seconds + schedule_.rest_seconds);
      const double rest = std::max(0.0, request - periods * (in_burst + in_rest));
      if (rest < in_burst || in_rest <= 0) return before + rest / schedule_.rate;
      return before + schedule_.burst_seconds + (rest - in_burst) / schedule_.rest_rate;
    }
    default:
      return request / schedule_.rate;
  }
}

uint64_t Timetable::At(uint64_t request) const {
  // The warm-up of a ramp that begins at nothing.
  if (schedule_.pace == Pace::kConstant && schedule_.rate <= 0) return kNever;
  const double seconds = SecondsAt(static_cast<double>(request));
  if (seconds >= kMostSeconds) return kNever;
  return static_cast<uint64_t>(std::llround(seconds * 1e9));
}

uint64_t Timetable::CountBefore(uint64_t nanos) const {
  if (At(0) >= nanos) return 0;
  // Request `first` is planned before, and `last` is not.
  uint64_t first = 0;
  uint64_t last = 1;
  while (last < kNever / 4 && At(last) < nanos) {
    first = last;
    last *= 2;
  }
  while (last - first > 1) {
    const uint64_t middle = first + (last - first) / 2;
    (At(middle) < nanos ? first : last) = middle;
  }
  return last;
}

PlannedTimes::PlannedTimes(const Schedule& schedule, uint64_t warmup_nanos, uint64_t requests,
                           int thread, int threads)
    : warmup_(InWarmup(schedule)),
      run_(schedule),
      warmup_nanos_(warmup_nanos),
      warmup_requests_(warmup_.CountBefore(warmup_nanos)),
      run_requests_(requests),
      thread_(thread),
      threads_(threads),
      request_(static_cast<uint64_t>(thread)) {
  Find();
}

void PlannedTimes::Advance() {
  request_ += static_cast<uint64_t>(threads_);
  Find();
}

void PlannedTimes::Find() {
  if (in_warmup_ && request_ >= warmup_requests_) {
    in_warmup_ = false;
    request_ = static_cast<uint64_t>(thread_);
  }
  next_ = Planned();
}

uint64_t PlannedTimes::Planned() const {
  if (in_warmup_) return warmup_.At(request_);
  if (request_ >= run_requests_) return Timetable::kNever;
  const uint64_t at = run_.At(request_);
  return at == Timetable::kNever ? at : warmup_nanos_ + at;
}

uint64_t PlannedTimes::RunCountBefore(uint64_t nanos) const {
  if (nanos <= warmup_nanos_) return 0;
  return ShareOf(std::min(run_requests_, run_.CountBefore(nanos - warmup_nanos_)), thread_,
                 threads_);
}

}  // namespace bench::remote
