// When one driving thread may send, and how well it kept to that: the times of the run, what is
// left of its share of the requests, planned times, slips, and what it spent awake.
//
// A request belongs to the run when it was planned, or in closed loop handed over, after the
// warm-up. A slip is the time from when a request was planned and there was room for it, whichever
// came later, to when it was sent: the generator's own fault.
//
// A thread that sleeps takes some 30 us to wake up, which a latency then has in it although neither
// server nor network is to blame. So it stays awake where that matters: for the last stretch before
// a planned time, and, while few requests are in flight, for a reply that may come any moment. With
// many, requests wait for each other far longer than for a thread to wake up. Staying awake ends
// after 50 us, is left out where replies take longer than twice that, and counts apart from CPU
// time.
//
// Thread safety: none. Complexity: constant.
#ifndef BENCH_REMOTE_DRIVE_PACING_H_
#define BENCH_REMOTE_DRIVE_PACING_H_

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "bench/remote/drive/drive.h"
#include "bench/remote/drive/schedule.h"
#include "bench/remote/drive/tally.h"
#include "clients/deadline.h"

namespace bench::remote {

inline clients::Nanoseconds TimeOf(double seconds) {
  return clients::Nanoseconds(std::llround(seconds * 1e9));
}

// Lets the calling thread's waits end when they are over, not when it suits the system (the timer
// slack of Linux, 50 us by default).
void WaitPunctually();

class Pacing {
 public:
  Pacing(const DrivePlan& plan, int thread);

  void Begin(clients::Deadline begin);
  // The plan ends here, if it does not end sooner.
  void EndAt(clients::Deadline end);

  bool is_closed() const { return is_closed_; }
  bool is_recorded() const { return is_recorded_; }
  clients::Deadline run_begin() const { return run_begin_; }
  bool IsOfRun(clients::Deadline since) const { return since >= run_begin_; }

  // Closed loop: whether a request may be sent now.
  bool MaySend(clients::Deadline now) const {
    return now < end_ && (now < run_begin_ || left_ > 0);
  }

  // Open loop: when the next request is planned; of a record, whose next request is at `at_nanos`.
  // nullopt: there is none.
  std::optional<clients::Deadline> Next() const;
  std::optional<clients::Deadline> Next(uint64_t at_nanos) const;
  // Whether it is too late for what was not sent.
  bool IsTooLate(clients::Deadline now) const { return now >= give_up_; }

  // A request is sent that was planned, or is handed over, at `since`.
  void Sent(clients::Deadline since) {
    ++sent_in_all_;
    if (!is_closed_ && !is_recorded_) planned_->Advance();
    if (since < run_begin_) return;
    ++sent_;
    --left_;
  }
  uint64_t sent() const { return sent_; }
  uint64_t sent_in_all() const { return sent_in_all_; }
  // Before Sent, in open loop.
  void NoteSlip(clients::Deadline planned, clients::Deadline now);

  // No connection has room for a request whose time has come; one has again.
  void Block() { is_blocked_ = true; }
  void Unblock(clients::Deadline now) {
    if (!is_blocked_) return;
    is_blocked_ = false;
    unblocked_at_ = now;
  }

  // So few requests in flight that a reply waits for this thread, and not behind others.
  static bool IsFew(size_t outstanding) { return outstanding <= kFew; }
  // How long to wait until it is time for a request that is planned then, or until one of
  // `outstanding` replies comes; 0: awake, because it is not worth going to sleep.
  clients::Nanoseconds WaitFor(std::optional<clients::Deadline> planned, size_t outstanding,
                               clients::Deadline now) const;
  // Replies are waited for from now on, the last ones having come, or the first request sent.
  void BeginWait(clients::Deadline now) { waits_from_ = now; }
  // One came. `elsewhere`: from a processor that is not this thread's, so that staying awake takes
  // nothing from who is waited for.
  void EndWait(bool elsewhere, clients::Deadline now) {
    is_awake_ = elsewhere && now - waits_from_ <= kQuickReply;
    waits_from_ = now;
  }
  // A turn in which nothing happened.
  void Spun(clients::Nanoseconds time) {
    if (is_measuring_) spun_ += std::min<clients::Nanoseconds>(time, kLongestSpin);
  }

  // CPU and wall time count from the first call with the warm-up over. Whether it was this one.
  bool Measure(clients::Deadline now);
  // At the end. `source_ended`: there were no more requests than were sent.
  void Report(bool source_ended, ThreadResult* result);

 private:
  static constexpr size_t kFew = 16;
  // A turn in which nothing happens takes a microsecond or two; what takes longer was no spinning,
  // but somebody else on this core.
  static constexpr auto kLongestSpin = std::chrono::microseconds(20);
  // Twice the time of staying awake: as long takes one that comes within that to a sleeper.
  static constexpr auto kQuickReply = std::chrono::microseconds(100);

  const DrivePlan& plan_;
  const bool is_closed_;
  const bool is_recorded_;
  const bool may_spin_;
  std::optional<PlannedTimes> planned_;                   // of an open loop that is not recorded
  clients::Deadline begin_;                               // of the warm-up
  clients::Deadline run_begin_;                           // behind it
  clients::Deadline end_ = clients::Deadline::max();      // of the plan
  clients::Deadline give_up_ = clients::Deadline::max();  // what was not sent by then
  uint64_t left_ = Timetable::kNever;                     // to be sent by this thread
  uint64_t sent_ = 0;                                     // of the run
  uint64_t sent_in_all_ = 0;
  bool is_blocked_ = false;
  clients::Deadline unblocked_at_;
  bool is_awake_ = false;  // for replies
  clients::Deadline waits_from_;
  bool is_measuring_ = false;
  clients::Deadline measured_from_;
  double cpu_before_ = 0;
  clients::Nanoseconds spun_{0};
  uint64_t sent_late_ = 0;
  clients::Nanoseconds worst_slip_{0};
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DRIVE_PACING_H_
