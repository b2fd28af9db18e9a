#include "bench/remote_watch/outages.h"

#include <algorithm>

#include "fmt/format.h"

namespace bench::remote_watch {
namespace {

// Messages may have counts in them, and a gap may be long.
constexpr size_t kMostErrors = 8;

}  // namespace

void Outages::NoteSteps(const ProbeResult& probe, Gap* gap) {
  for (size_t i = 0; i < kSteps; ++i) {
    std::optional<clients::Deadline>& since = down_since_[i];
    if (!probe.Works(i)) {
      if (!since.has_value()) since = probe.begin;
    } else if (since.has_value()) {
      gap->down[i] += probe.end - *since;
      since.reset();
    }
    const StepResult& step = probe.steps[i];
    if (step.outcome != StepResult::Outcome::kFailed) continue;
    ++gap->failures[i];
    std::string error = fmt::format("{}: {}", kStepNames[i], step.error);
    const bool known = gap->errors.contains(error);
    if (!known && gap->errors.size() >= kMostErrors) error = "others";
    ++gap->errors[error];
  }
}

Outages::Change Outages::Note(const ProbeResult& probe) {
  const bool was_down = is_down();
  ++probes_;
  last_end_ = probe.end;
  if (probe.Ok() && !was_down) return Change::kNone;
  if (!was_down) gaps_.push_back({.begin = probe.begin});
  Gap& gap = gaps_.back();
  gap.end = probe.end;
  NoteSteps(probe, &gap);
  if (probe.Ok()) {
    gap.over = true;
    return Change::kUp;
  }
  ++failed_;
  ++gap.probes;
  return was_down ? Change::kNone : Change::kDown;
}

void Outages::Finish() {
  if (!is_down()) return;
  Gap& gap = gaps_.back();
  for (size_t i = 0; i < kSteps; ++i) {
    if (down_since_[i].has_value()) gap.down[i] += last_end_ - *down_since_[i];
    down_since_[i].reset();
  }
}

clients::Nanoseconds Outages::TotalDown() const {
  clients::Nanoseconds total{0};
  for (const Gap& gap : gaps_) total += gap.length();
  return total;
}

clients::Nanoseconds Outages::TotalDown(Step step) const {
  clients::Nanoseconds total{0};
  for (const Gap& gap : gaps_) total += gap.down[static_cast<size_t>(step)];
  return total;
}

const Gap* Outages::Longest() const {
  const auto longest = std::max_element(gaps_.begin(), gaps_.end(), [](const Gap& a, const Gap& b) {
    return a.length() < b.length();
  });
  return longest == gaps_.end() ? nullptr : &*longest;
}

}  // namespace bench::remote_watch
