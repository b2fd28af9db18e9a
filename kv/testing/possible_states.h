// What a store may show when some of its writes have failed: such a write is there or it is not,
// whole, and what is found after the next Open may differ from what was seen before.
//
// A write that was acknowledged is applied to every state that was possible; one that failed adds
// the states with it to those without. Where the composition is not durable on return, a crash may
// also bring back any state since the last call that made everything durable.
//
// Cost: two states for each write that failed, so a test stops after a few.
// Thread safety: none.
#ifndef KV_TESTING_POSSIBLE_STATES_H_
#define KV_TESTING_POSSIBLE_STATES_H_

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kv/testing/crash_history.h"
#include "kv/testing/stage.h"

namespace kv::testing {

class PossibleStates {
 public:
  explicit PossibleStates(bool durable_on_return) : durable_on_return_(durable_on_return) {}

  void Succeeded(const CrashStep& step) {
    Remember();
    for (Contents& state : states_) Apply(step, &state);
    RemoveDuplicates(&states_);
    if (step.Syncs()) since_.clear();
  }

  void Failed(const CrashStep& step) {
    Remember();
    const std::vector<Contents> without = states_;
    for (Contents state : without) {
      if (step.kind == CrashStepKind::kBulkLoad) {  // a prefix of its entries
        WriteBatch::ForEach(step.writes.Bytes(), 0, [&](const Record& record) {
          Apply(record, &state);
          states_.push_back(state);
        });
      } else {
        Apply(step, &state);
        states_.push_back(std::move(state));
      }
    }
    RemoveDuplicates(&states_);
  }

  // The store was opened again without a crash. Closed well, it has everything; otherwise it may
  // have lost what a crash may lose.
  void Reopened(bool closed_well) {
    if (!closed_well) {
      states_.insert(states_.end(), since_.begin(), since_.end());
      RemoveDuplicates(&states_);
    }
    since_.clear();
  }

  size_t size() const { return states_.size(); }

  // While the store is open.
  bool Allows(const Contents& found) const { return Contains(states_, found); }
  bool Allows(std::string_view key, const std::optional<std::string>& found) const {
    return std::any_of(states_.begin(), states_.end(), [&](const Contents& state) {
      const auto it = state.find(key);
      return found ? it != state.end() && it->second == *found : it == state.end();
    });
  }
  // After a kill or a power loss, and an Open.
  bool AllowsAfterCrash(const Contents& found) const {
    return Contains(states_, found) || Contains(since_, found);
  }

 private:
  static bool Contains(const std::vector<Contents>& states, const Contents& found) {
    return std::find(states.begin(), states.end(), found) != states.end();
  }

  static void RemoveDuplicates(std::vector<Contents>* states) {
    std::sort(states->begin(), states->end());
    states->erase(std::unique(states->begin(), states->end()), states->end());
  }

  static void Apply(const Record& record, Contents* state) {
    if (record.kind == RecordKind::kTombstone) {
      state->erase(std::string(record.key));
    } else {
      (*state)[std::string(record.key)] = record.value;
    }
  }

  static void Apply(const CrashStep& step, Contents* state) {
    if (step.kind == CrashStepKind::kDeleteRange) {
      const auto end = step.end.empty() ? state->end() : state->lower_bound(step.end);
      state->erase(state->lower_bound(step.begin), end);
      return;
    }
    WriteBatch::ForEach(step.writes.Bytes(), 0,
                        [&](const Record& record) { Apply(record, state); });
  }

  void Remember() {
    if (durable_on_return_) return;
    since_.insert(since_.end(), states_.begin(), states_.end());
    RemoveDuplicates(&since_);
  }

  const bool durable_on_return_;
  std::vector<Contents> states_ = {Contents()};
  std::vector<Contents> since_;  // what was possible since everything was last durable
};

}  // namespace kv::testing

#endif  // KV_TESTING_POSSIBLE_STATES_H_
