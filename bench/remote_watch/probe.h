// What one probe came to: which of its steps worked, and what the others failed with.
//
//   connect     a connection that is ready for commands, after the name was looked up again
//   read        GET of the number that was written last
//   write       MSET of the next number, under a key of its own and under the one for the last
//   read back   GET of what was just written
//
// A step is tried when the connection stands, and read back only what was acknowledged.
//
// Thread safety: plain values.
#ifndef BENCH_REMOTE_WATCH_PROBE_H_
#define BENCH_REMOTE_WATCH_PROBE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clients/deadline.h"

namespace bench::remote_watch {

enum class Step : uint8_t { kConnect, kRead, kWrite, kReadBack };
inline constexpr size_t kSteps = 4;
inline constexpr std::array<std::string_view, kSteps> kStepNames = {"connect", "read", "write",
                                                                    "read back"};

struct StepResult {
  enum class Outcome : uint8_t { kNotTried, kWorked, kFailed };
  Outcome outcome = Outcome::kNotTried;
  std::string error;  // where it failed
};

struct ProbeResult {
  clients::Deadline begin;
  clients::Deadline end;
  std::array<StepResult, kSteps> steps;

  StepResult& at(Step step) { return steps[static_cast<size_t>(step)]; }

  // A step that was not tried does not work: something before it has failed.
  bool Works(size_t step) const { return steps[step].outcome == StepResult::Outcome::kWorked; }
  bool Ok() const {
    return std::all_of(steps.begin(), steps.end(), [](const StepResult& step) {
      return step.outcome == StepResult::Outcome::kWorked;
    });
  }
  // nullopt: none has.
  std::optional<size_t> FirstFailed() const {
    for (size_t i = 0; i < kSteps; ++i) {
      if (steps[i].outcome == StepResult::Outcome::kFailed) return i;
    }
    return std::nullopt;
  }
};

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_PROBE_H_
