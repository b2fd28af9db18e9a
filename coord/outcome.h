// Outcome, Removal: what became of a call on a slot.
//
// Thread safety: values.
#ifndef COORD_OUTCOME_H_
#define COORD_OUTCOME_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace coord {

enum class Outcome : uint8_t {
  kQueued,   // the slot has become ready by this call
  kMerged,   // what was asked for was so already, or will be without this call
  kStale,    // the index names an earlier use of the slot, or no slot
  kStopped,  // the slot never runs again
  kRefused,  // the coordinator has been shut down
};
inline constexpr size_t kOutcomes = 5;

// How many of the calls of a batch became what.
class Outcomes {
 public:
  size_t& operator[](Outcome outcome) { return counts_[static_cast<size_t>(outcome)]; }
  size_t operator[](Outcome outcome) const { return counts_[static_cast<size_t>(outcome)]; }

 private:
  std::array<size_t, kOutcomes> counts_{};
};

// The end of a slot's use. kRunning: its run is not over, and the end of that will be kStale.
enum class Removal : uint8_t { kStale, kIdle, kRunning };

}  // namespace coord

#endif  // COORD_OUTCOME_H_
