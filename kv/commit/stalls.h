// How a journal makes its writers wait for background work, and the account of it in Statistics.
//
// Writes run up a debt of time, in proportion to what the work has still to do, so that they meet a
// slope and not a wall; whoever makes room pays it in sleeps that are worth one.
//
// Thread safety: as a journal's: one thread at a time.
// Cost: Due and OweForBytes a comparison each while nothing is owed.
#ifndef KV_COMMIT_STALLS_H_
#define KV_COMMIT_STALLS_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "kv/base/clock.h"

namespace kv {

// `Counters` is a StripedCounters whose enum has kStalls and kStallNanos.
template <Clock ClockPart, typename Counters>
class Stalls {
 public:
  // `counters` outlives it.
  Stalls(ClockPart clock, Counters& counters) : clock_(std::move(clock)), counters_(counters) {}

  void Owe(double nanos) { owed_nanos_ += nanos; }

  // For `bytes` written while the work is behind by `debt`: 0 is not, 1 and more by so much that
  // writes go at 8 MB/s.
  void OweForBytes(uint64_t bytes, double debt) {
    if (debt <= 0) [[likely]] {
      return;
    }
    Owe(static_cast<double>(bytes) * kNanosPerByteAtFullDebt * std::min(debt, 1.0));
  }

  // Whether a sleep is due.
  bool Due() const { return owed_nanos_ >= kShortestSleepNanos; }

  // Sleeps off what is owed, if that is due.
  void Pay() {
    if (!Due()) return;
    Wait([&] {
      std::this_thread::sleep_for(std::chrono::nanoseconds(static_cast<uint64_t>(owed_nanos_)));
      return absl::OkStatus();
    }).IgnoreError();
    owed_nanos_ = 0;
  }

  // Counts the time that `wait()` takes as one stall, and returns its status.
  template <typename WaitFunction>
  absl::Status Wait(WaitFunction&& wait) {
    const uint64_t start = clock_.MonotonicNanos();
    absl::Status status = std::forward<WaitFunction>(wait)();
    counters_.Add(Counters::Id::kStalls);
    counters_.Add(Counters::Id::kStallNanos, clock_.MonotonicNanos() - start);
    return status;
  }

 private:
  static constexpr double kNanosPerByteAtFullDebt = 125;
  static constexpr double kShortestSleepNanos = 1'000'000;

  const ClockPart clock_;
  Counters& counters_;
  double owed_nanos_ = 0;
};

}  // namespace kv

#endif  // KV_COMMIT_STALLS_H_
