#include "bench/cycle_clock.h"

#include <algorithm>
#include <limits>
#include <vector>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace bench {
namespace {

using std::chrono::steady_clock;

// Whether the counter runs at one rate in every power state (CPUID 0x80000007, EDX bit 8).
bool HasInvariantCounter() {
#if defined(__x86_64__)
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d & (1u << 8)) != 0;
#else
  return false;
#endif
}

}  // namespace

CycleClock::CycleClock() {
  nanos_per_tick_ = 1e9 * static_cast<double>(steady_clock::period::num) /
                    static_cast<double>(steady_clock::period::den);
  use_counter_ = HasInvariantCounter();
  if (use_counter_) {
    const auto begin = steady_clock::now();
    const uint64_t first = Now();
    auto end = begin;
    while (end - begin < std::chrono::milliseconds(20)) end = steady_clock::now();
    const uint64_t ticks = Now() - first;
    nanos_per_tick_ =
        std::chrono::duration<double, std::nano>(end - begin).count() / static_cast<double>(ticks);
  }
  MeasureReading();
}

void CycleClock::MeasureReading() {
  constexpr int kBatches = 32;
  constexpr int kReadings = 256;
  overhead_ticks_ = std::numeric_limits<uint64_t>::max();
  std::vector<uint64_t> steps;
  for (int batch = 0; batch < kBatches; ++batch) {
    const uint64_t first = Now();
    uint64_t last = first;
    for (int i = 0; i < kReadings; ++i) {
      const uint64_t now = Now();
      if (now > last) steps.push_back(now - last);
      last = now;
    }
    overhead_ticks_ = std::min(overhead_ticks_, (last - first) / kReadings);
  }
  if (steps.empty()) return;
  const auto middle = steps.begin() + static_cast<ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  step_ticks_ = *middle;
}

const CycleClock& CycleClock::Get() {
  static const CycleClock clock;
  return clock;
}

}  // namespace bench
