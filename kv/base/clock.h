// Time as a policy: engines read the clock through a Clock part, so that tests can turn it.
//
// A Clock gives two readings that must not be mixed:
//   MonotonicNanos()  nanoseconds since some fixed point; never goes back; for durations.
//   UnixMillis()      wall-clock milliseconds since 1970-01-01 UTC; may jump; for expiry only.
//
// Thread safety: both functions may be called from any thread.
#ifndef KV_BASE_CLOCK_H_
#define KV_BASE_CLOCK_H_

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>

namespace kv {

template <typename C>
concept Clock = std::copyable<C> && requires(const C& clock) {
  { clock.MonotonicNanos() } -> std::same_as<uint64_t>;
  { clock.UnixMillis() } -> std::same_as<uint64_t>;
};

struct SystemClock {
  uint64_t MonotonicNanos() const {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                     std::chrono::steady_clock::now().time_since_epoch())
                                     .count());
  }
  uint64_t UnixMillis() const {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                     std::chrono::system_clock::now().time_since_epoch())
                                     .count());
  }
};

static_assert(Clock<SystemClock>);

// A clock that stands still until it is told to move. Copies share one time.
class ManualClock {
 public:
  // relaxed throughout: a reading orders nothing but itself.
  uint64_t MonotonicNanos() const { return time_->nanos.load(std::memory_order_relaxed); }
  uint64_t UnixMillis() const {
    return MonotonicNanos() / 1'000'000 + time_->jumped_millis.load(std::memory_order_relaxed);
  }
  void AdvanceMillis(uint64_t millis) {
    time_->nanos.fetch_add(millis * 1'000'000, std::memory_order_relaxed);
  }
  // The wall clock is set, to any time; MonotonicNanos() stays as it is.
  void SetUnixMillis(uint64_t millis) {
    time_->jumped_millis.store(millis - MonotonicNanos() / 1'000'000, std::memory_order_relaxed);
  }

 private:
  struct Time {
    // A plausible date, so that an expiry of 1 is in the past here too.
    std::atomic<uint64_t> nanos = 1'700'000'000'000'000'000;
    std::atomic<uint64_t> jumped_millis = 0;  // modulo 2^64, for jumps back
  };
  std::shared_ptr<Time> time_ = std::make_shared<Time>();
};

static_assert(Clock<ManualClock>);

}  // namespace kv

#endif  // KV_BASE_CLOCK_H_
