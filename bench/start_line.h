// A start barrier and a stop signal for the threads of one row: all begin at one instant, which the
// thread that starts them knows.
#ifndef BENCH_START_LINE_H_
#define BENCH_START_LINE_H_

#include <atomic>
#include <cstdint>
#include <thread>

#include "bench/cycle_clock.h"

namespace bench {

class StartLine {
 public:
  // Start() waits for `threads` callers of Wait(); further ones are let through.
  explicit StartLine(int threads) : expected_(threads) {}

  // Blocks until Start().
  void Wait() {
    // release pairs with the acquire in Start(): what was built before the line is built.
    ready_.fetch_add(1, std::memory_order_release);
    // acquire pairs with the release in Start().
    started_.wait(false, std::memory_order_acquire);
  }

  // Waits for the threads, lets them go, and returns the time just before.
  uint64_t Start() {
    while (ready_.load(std::memory_order_acquire) < expected_) std::this_thread::yield();
    const uint64_t begin = CycleClock::Get().Now();
    started_.store(true, std::memory_order_release);
    started_.notify_all();
    return begin;
  }

  // relaxed both: a hint to end early; nothing is read through it.
  void Stop() { stopped_.store(true, std::memory_order_relaxed); }
  bool Stopped() const { return stopped_.load(std::memory_order_relaxed); }

 private:
  const int expected_;
  std::atomic<int> ready_ = 0;
  std::atomic<bool> started_ = false;
  std::atomic<bool> stopped_ = false;
};

}  // namespace bench

#endif  // BENCH_START_LINE_H_
