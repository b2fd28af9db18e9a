// Wake to run: from the call that registers a slot to the beginning of its run, in a worker that
// had nothing to do before. `num` registrations, one at a time, the next when the worker
// has been asleep for a while; the latencies are the result. Operations a second are 1 / mean.
//
// What is not measured: a worker that is busy, several workers.
#ifndef BENCH_COORD_WAKE_H_
#define BENCH_COORD_WAKE_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/coord/ready_set.h"
#include "bench/cycle_clock.h"
#include "bench/micro/micro.h"

namespace bench {

// Long enough for every worker to fall asleep.
inline constexpr std::chrono::microseconds kRest{100};

template <WaitingSet S>
absl::StatusOr<MicroResult> WakeToRun(const MicroPlan& plan) {
  const CycleClock& clock = CycleClock::Get();
  S set(1);
  const Index slot = set.At(0);
  // seq_cst throughout: what they order takes microseconds.
  std::atomic<uint64_t> sent{0};
  std::atomic<uint64_t> runs{0};
  std::atomic<bool> ends{false};
  MicroResult result;
  std::thread worker([&] {
    std::vector<Index> batch;
    while (!ends) {
      batch.clear();
      if (set.Drain(1, &batch) == 0) {
        set.Wait();
        continue;
      }
      const uint64_t now = clock.Now();
      const uint64_t ticks = clock.Elapsed(sent, now);
      result.nanos.Record(static_cast<uint64_t>(clock.ToNanos(ticks)));
      set.Finish(batch.front());
      ++runs;
    }
  });
  for (uint64_t i = 0; i < plan.num; ++i) {
    std::this_thread::sleep_for(kRest);
    sent = clock.Now();
    set.Register(slot);
    while (runs == i) std::this_thread::yield();
  }
  ends = true;
  set.Shutdown();
  worker.join();
  result.operations = plan.num;
  result.seconds = result.nanos.Mean() * 1e-9 * static_cast<double>(plan.num);
  return result;
}

}  // namespace bench

#endif  // BENCH_COORD_WAKE_H_
