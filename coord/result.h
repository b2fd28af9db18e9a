// Result: how the run of a slot ended, and so when it is to run again.
//
//   Completed   done; with ready_hint it knows of more to do, and is queued again at once
//   Yielded     not done, but others shall have their turn: queued again behind them
//   Suspended   waits for something:
//                 Signal     for the next registration
//                 After      for a time to pass; registrations meanwhile are served then
//                 Capacity   for Coordinator::Resume; registrations meanwhile are served then
//   Failed      with an error; with retry_after it runs again when that has passed, without it at
//               the next registration
//   Stopped     never runs again
//
// A registration that came during the run is not lost: after Completed, after a Failed that does
// not retry, and where a Signal is waited for, it queues the slot at once; Stopped alone drops it.
//
// Thread safety: values.
#ifndef COORD_RESULT_H_
#define COORD_RESULT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "absl/status/status.h"

namespace coord {

struct Completed {
  bool ready_hint = false;
};

struct Yielded {};

// Why a slot waits. To the coordinator they are all the same; its metrics tell them apart.
enum class SuspendReason : uint8_t { kBackpressure, kAwaitsExternal, kRateLimit, kOther };
inline constexpr size_t kSuspendReasons = 4;

struct Signal {};
struct After {
  std::chrono::nanoseconds duration{0};
};
struct Capacity {};

struct Suspended {
  SuspendReason reason = SuspendReason::kOther;
  std::variant<Signal, After, Capacity> resume_on = Signal{};
};

struct Failed {
  absl::Status error;
  std::optional<std::chrono::nanoseconds> retry_after = std::nullopt;
};

struct Stopped {};

using Result = std::variant<Completed, Yielded, Suspended, Failed, Stopped>;

}  // namespace coord

#endif  // COORD_RESULT_H_
