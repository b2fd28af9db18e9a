// A clock cheap enough for operations of under a microsecond: the processor's time-stamp counter
// (x86-64 with an invariant one), else std::chrono::steady_clock.
//
// Ticks are turned into nanoseconds by a factor measured once against steady_clock. A reading costs
// OverheadNanos(), which recorders subtract. Some processors advance the counter in steps (10 ns on
// AMD Zen 4): no latency is finer than StepNanos().
//
// Reads are not fenced: the processor may move a reading by a few instructions, which is within the
// overhead. Thread safety: all functions may be called from any thread.
#ifndef BENCH_CYCLE_CLOCK_H_
#define BENCH_CYCLE_CLOCK_H_

#include <chrono>
#include <cstdint>
#include <string_view>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace bench {

class CycleClock {
 public:
  // The clock of this machine, calibrated at the first call (20 ms).
  static const CycleClock& Get();

  uint64_t Now() const {
#if defined(__x86_64__)
    if (use_counter_) [[likely]]
      return __rdtsc();
#endif
    return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }

  double NanosPerTick() const { return nanos_per_tick_; }
  double OverheadNanos() const { return static_cast<double>(overhead_ticks_) * nanos_per_tick_; }
  double StepNanos() const { return static_cast<double>(step_ticks_) * nanos_per_tick_; }
  std::string_view Name() const { return use_counter_ ? "tsc" : "steady_clock"; }

  double ToNanos(uint64_t ticks) const { return static_cast<double>(ticks) * nanos_per_tick_; }
  double ToSeconds(uint64_t ticks) const { return ToNanos(ticks) * 1e-9; }
  uint64_t FromSeconds(double seconds) const {
    return static_cast<uint64_t>(seconds * 1e9 / nanos_per_tick_);
  }
  // The ticks between two readings without the cost of reading; 0 if the clock stepped back.
  uint64_t Elapsed(uint64_t begin, uint64_t end) const {
    return end > begin + overhead_ticks_ ? end - begin - overhead_ticks_ : 0;
  }

 private:
  CycleClock();
  void MeasureReading();

  bool use_counter_ = false;
  double nanos_per_tick_ = 1;
  uint64_t overhead_ticks_ = 0;
  uint64_t step_ticks_ = 1;
};

}  // namespace bench

#endif  // BENCH_CYCLE_CLOCK_H_
