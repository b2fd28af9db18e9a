#include "bench/remote/drive/pacing.h"

#include <sys/prctl.h>
#include <time.h>

#include <thread>

namespace bench::remote {
namespace {

// The longest wait, after which it is seen whether to stop.
constexpr auto kLongestWait = std::chrono::milliseconds(20);
// A core that sleeps takes some 30 us to wake up, so the last stretch is spent awake.
constexpr clients::Nanoseconds kAwake = std::chrono::microseconds(50);
constexpr clients::Nanoseconds kLate = std::chrono::milliseconds(1);

// CPU time of the calling thread.
double CpuSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double Seconds(clients::Nanoseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

void WaitPunctually() { ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

// Staying awake takes a core, so only where one is left: the server may be on this machine.
Pacing::Pacing(const DrivePlan& plan, int thread)
    : plan_(plan),
      is_closed_(plan.schedule.pace == Pace::kClosed),
      is_recorded_(plan.schedule.pace == Pace::kRecorded),
      may_spin_(static_cast<unsigned>(plan.threads) < std::thread::hardware_concurrency()) {
  const uint64_t requests = plan.requests > 0 ? plan.requests : Timetable::kNever;
  if (!is_closed_ && !is_recorded_) {
    planned_.emplace(plan.schedule, static_cast<uint64_t>(TimeOf(plan.warmup_seconds).count()),
                     requests, thread, plan.threads);
  } else if (plan.requests > 0) {
    left_ = ShareOf(requests, thread, plan.threads);
  }
}

void Pacing::Begin(clients::Deadline begin) {
  begin_ = begin;
  run_begin_ = begin + TimeOf(plan_.warmup_seconds);
  if (plan_.seconds > 0) EndAt(run_begin_ + TimeOf(plan_.seconds));
}

void Pacing::EndAt(clients::Deadline end) {
  if (end >= end_) return;
  end_ = end;
  give_up_ = end + plan_.server.command_timeout;
}

std::optional<clients::Deadline> Pacing::Next() const {
  if (planned_->next() == Timetable::kNever) return std::nullopt;
  const clients::Deadline at = begin_ + clients::Nanoseconds(planned_->next());
  return at < end_ ? std::optional(at) : std::nullopt;
}

std::optional<clients::Deadline> Pacing::Next(uint64_t at_nanos) const {
  const double nanos = static_cast<double>(at_nanos) / plan_.schedule.speed;
  const clients::Deadline at = begin_ + clients::Nanoseconds(std::llround(nanos));
  if (at >= end_ || (at >= run_begin_ && left_ == 0)) return std::nullopt;
  return at;
}

void Pacing::NoteSlip(clients::Deadline planned, clients::Deadline now) {
  if (planned < run_begin_) return;
  const clients::Nanoseconds slip = now - std::max(planned, unblocked_at_);
  if (slip > kLate) ++sent_late_;
  worst_slip_ = std::max(worst_slip_, slip);
}

clients::Nanoseconds Pacing::WaitFor(std::optional<clients::Deadline> planned, size_t outstanding,
                                     clients::Deadline now) const {
  const bool may_come = outstanding > 0 && IsFew(outstanding) && now - waits_from_ < kAwake;
  if (may_spin_ && is_awake_ && may_come) return clients::Nanoseconds(0);
  if (!planned.has_value() || is_blocked_) return kLongestWait;
  clients::Nanoseconds rest = *planned - now;
  if (may_spin_) rest -= kAwake;
  return std::clamp<clients::Nanoseconds>(rest, clients::Nanoseconds(0), kLongestWait);
}

bool Pacing::Measure(clients::Deadline now) {
  if (is_measuring_ || now < run_begin_) return false;
  is_measuring_ = true;
  measured_from_ = now;
  cpu_before_ = CpuSeconds();
  return true;
}

void Pacing::Report(bool source_ended, ThreadResult* result) {
  if (is_measuring_) {
    result->spun_seconds = Seconds(spun_);
    result->cpu_seconds = std::max(0.0, CpuSeconds() - cpu_before_ - result->spun_seconds);
    result->wall_seconds = Seconds(clients::Now() - measured_from_);
  }
  result->sent_late = sent_late_;
  result->worst_slip_nanos = static_cast<uint64_t>(worst_slip_.count());
  result->planned = 0;
  if (is_closed_) return;
  result->planned = sent_;
  if (is_recorded_ || source_ended) return;
  const bool has_end = end_ < clients::Deadline::max();
  result->planned = planned_->RunCountBefore(
      has_end ? static_cast<uint64_t>((end_ - begin_).count()) : Timetable::kNever);
}

}  // namespace bench::remote
