// Metrics: what a coordinator has done since it was made; and Tally, which counts it.
//
// Thread safety: Metrics is a value. Tally: any thread; All() is not a snapshot, but exact when
// nothing runs beside it. To count takes a load and a store (counters.h).
#ifndef COORD_METRICS_H_
#define COORD_METRICS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "coord/counters.h"
#include "coord/result.h"

namespace coord {

struct Metrics {
  uint64_t registrations = 0;  // that made a slot ready
  uint64_t duplicates = 0;     // of slots that were to run anyway, or were told so while running
  uint64_t stale = 0;          // registrations and ends of runs whose index was over
  uint64_t refused = 0;        // registrations of stopped slots, or behind Shutdown
  uint64_t withdrawn = 0;      // by Unregister
  uint64_t drained = 0;        // runs handed out
  uint64_t empty_drains = 0;   // that handed out none
  uint64_t requeued = 0;       // runs whose slot was ready again at their end
  uint64_t failures = 0;       // runs that ended in Failed
  uint64_t parks = 0;          // waits that found nothing to do
  uint64_t wakes = 0;          // waiters notified
  uint64_t timer_fires = 0;    // slots that became ready because their time had come
  std::array<uint64_t, kSuspendReasons> suspensions{};

  uint64_t suspended(SuspendReason reason) const {
    return suspensions[static_cast<size_t>(reason)];
  }
};

enum class Count : uint8_t {
  kRegistrations,
  kDuplicates,
  kStale,
  kRefused,
  kWithdrawn,
  kDrained,
  kEmptyDrains,
  kRequeued,
  kFailures,
  kParks,
  kWakes,
  kTimerFires,
  kSuspensions,  // the first of one for each reason
};

class Tally {
 public:
  void Add(Count count, uint64_t amount = 1) { counters_.Add(count, amount); }
  void AddSuspension(SuspendReason reason) { counters_.Add(Of(static_cast<size_t>(reason))); }

  Metrics All() const {
    Metrics all{.registrations = counters_.Sum(Count::kRegistrations),
                .duplicates = counters_.Sum(Count::kDuplicates),
                .stale = counters_.Sum(Count::kStale),
                .refused = counters_.Sum(Count::kRefused),
                .withdrawn = counters_.Sum(Count::kWithdrawn),
                .drained = counters_.Sum(Count::kDrained),
                .empty_drains = counters_.Sum(Count::kEmptyDrains),
                .requeued = counters_.Sum(Count::kRequeued),
                .failures = counters_.Sum(Count::kFailures),
                .parks = counters_.Sum(Count::kParks),
                .wakes = counters_.Sum(Count::kWakes),
                .timer_fires = counters_.Sum(Count::kTimerFires)};
    for (size_t i = 0; i < kSuspendReasons; ++i) all.suspensions[i] = counters_.Sum(Of(i));
    return all;
  }

 private:
  static Count Of(size_t reason) {
    return static_cast<Count>(static_cast<size_t>(Count::kSuspensions) + reason);
  }

  Counters<Count, static_cast<size_t>(Count::kSuspensions) + kSuspendReasons> counters_;
};

}  // namespace coord

#endif  // COORD_METRICS_H_
