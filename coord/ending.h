// Ending: what the result of a run means for its slot.
//
// Thread safety: a pure function.
#ifndef COORD_ENDING_H_
#define COORD_ENDING_H_

#include <chrono>
#include <variant>

#include "coord/result.h"
#include "coord/slot_word.h"

namespace coord {

struct Ending {
  Phase next = Phase::kIdle;
  std::chrono::nanoseconds delay{0};  // where next is kAwaitsTime
};

// `goes_on`: slots that would like to run again may. After a shutdown they do not.
inline Ending EndingOf(const Result& result, bool goes_on) {
  const Ending again{goes_on ? Phase::kReady : Phase::kIdle};
  if (const auto* completed = std::get_if<Completed>(&result)) {
    return completed->ready_hint ? again : Ending{Phase::kIdle};
  }
  if (std::holds_alternative<Yielded>(result)) return again;
  if (const auto* suspended = std::get_if<Suspended>(&result)) {
    if (const auto* after = std::get_if<After>(&suspended->resume_on)) {
      return {Phase::kAwaitsTime, after->duration};
    }
    const bool capacity = std::holds_alternative<Capacity>(suspended->resume_on);
    return {capacity ? Phase::kAwaitsCapacity : Phase::kAwaitsSignal};
  }
  if (const auto* failed = std::get_if<Failed>(&result)) {
    if (!failed->retry_after.has_value()) return {Phase::kIdle};
    return {Phase::kAwaitsTime, *failed->retry_after};
  }
  return {Phase::kStopped};
}

}  // namespace coord

#endif  // COORD_ENDING_H_
