// What is written before a load, and removed behind it.
#include <algorithm>
#include <atomic>
#include <utility>

#include "bench/remote/load/load_source.h"
#include "bench/remote/load/reply_judge.h"

namespace bench::remote {
namespace {

// Requests of which each has ten elements, or fewer in the last.
uint64_t RequestsFor(uint64_t elements) {
  return elements == 0 ? 1 : (elements + kKeysOfGroup - 1) / kKeysOfGroup;
}

uint16_t KeyArgument(const Operation& operation) { return operation.space == Space::kNone ? 0 : 1; }

std::vector<Space> SpacesOf(const Load& load) {
  std::vector<Space> spaces;
  for (const Operation* const operation : OperationsOf(load)) {
    if (std::find(spaces.begin(), spaces.end(), operation->space) == spaces.end()) {
      spaces.push_back(operation->space);
    }
  }
  return spaces;
}

// Whether something must be there for the load to find.
bool Finds(const Load& load, Space space) {
  for (const Step& step : load.steps) {
    for (const auto& [name, finds] :
         {std::pair{step.operation, step.reads}, std::pair{step.undo, true},
          std::pair{step.then, step.reads}}) {
      if (!name.empty() && finds && FindOperation(name)->space == space) return true;
    }
  }
  return false;
}

}  // namespace

std::vector<PreloadSource::Stage> PreloadSource::StagesOf(const LoadPlan& plan) {
  std::vector<Stage> stages;
  if (!plan.load->preloads) return stages;
  for (const Space space : SpacesOf(*plan.load)) {
    const Operation* const fill = FillOperation(space);
    // The index comes with the records.
    if (fill == nullptr || space == Space::kIndex || !Finds(*plan.load, space)) continue;
    Stage stage = {.operation = fill, .numbers = plan.keys};
    if (space == Space::kGroup) stage.number_step = kKeysOfGroup;
    if (space == Space::kList || space == Space::kHash || space == Space::kSet ||
        space == Space::kSortedSet) {
      stage.elements = plan.elements;
    }
    stages.push_back(stage);
    // YCSB's insert adds to the index, whether anything scans it or not.
    if (space == Space::kRecord) {
      stages.push_back({.operation = FillOperation(Space::kIndex), .numbers = plan.keys});
    }
  }
  return stages;
}

uint64_t PreloadRequests(const LoadPlan& plan) {
  uint64_t requests = 0;
  for (const auto& stage : PreloadSource::StagesOf(plan)) {
    requests += stage.numbers / stage.number_step * RequestsFor(stage.elements);
  }
  return requests;
}

PreloadSource::PreloadSource(const LoadPlan& plan, int thread)
    : plan_(plan),
      stages_(StagesOf(plan)),
      // Other values than the load's own.
      builder_(plan, SplitMix64(static_cast<uint64_t>(thread))),
      thread_(static_cast<uint64_t>(thread)),
      number_(thread_) {}

Request PreloadSource::Next() {
  while (stage_ < stages_.size()) {
    const Stage& stage = stages_[stage_];
    const uint64_t number = number_ * stage.number_step;
    if (number >= stage.numbers) {
      ++stage_;
      number_ = thread_;
      continue;
    }
    Target target = {.number = number, .element = element_};
    if (stage.elements > 0) target.at_most = stage.elements - element_;
    element_ += kKeysOfGroup;
    if (element_ >= stage.elements) {
      element_ = 0;
      number_ += static_cast<uint64_t>(plan_.threads);
    }
    return {.operation = static_cast<uint16_t>(stage_),
            .key_argument = KeyArgument(*stage.operation),
            .arguments = builder_.Build(*stage.operation, target),
            .subject = number};
  }
  return {};
}

Outcome PreloadSource::Judge(uint16_t operation, uint64_t, const clients::Reply& reply) const {
  return JudgeForm(*stages_[operation].operation, reply);
}

std::string_view PreloadSource::OperationName(uint16_t operation) const {
  return stages_[operation].operation->name;
}

CleanupSource::CleanupSource(const LoadPlan& plan, int thread)
    : plan_(plan),
      builder_(plan, static_cast<uint64_t>(thread)),
      thread_(static_cast<uint64_t>(thread)),
      number_(thread_) {
  // relaxed: the sources that insert have ended.
  const uint64_t records = plan.next_record->load(std::memory_order_relaxed);
  for (const Space space : SpacesOf(*plan.load)) {
    Stage stage = {.space = space, .numbers = plan.keys};
    if (space == Space::kNone) continue;
    if (space == Space::kGroup) stage.number_step = kKeysOfGroup;
    if (space == Space::kRecord) stage.numbers = records;
    if (space != Space::kIndex) stages_.push_back(stage);
    // One key, whatever the number of records.
    if (space == Space::kRecord) stages_.push_back({.space = Space::kIndex, .numbers = 1});
  }
}

Request CleanupSource::Next() {
  while (stage_ < stages_.size()) {
    const Stage& stage = stages_[stage_];
    const uint64_t number = number_ * stage.number_step;
    if (number >= stage.numbers) {
      ++stage_;
      number_ = thread_;
      continue;
    }
    number_ += static_cast<uint64_t>(plan_.threads);
    return {.operation = 0,
            .key_argument = 1,
            .arguments = builder_.Build(*RemoveOperation(stage.space), {.number = number})};
  }
  return {};
}

Outcome CleanupSource::Judge(uint16_t, uint64_t, const clients::Reply& reply) const {
  return JudgeForm(*RemoveOperation(Space::kString), reply);
}

}  // namespace bench::remote
