// Ours: a coordinator of ours as a ReadySet, by its parts.
//
// Thread safety: the coordinator's.
#ifndef BENCH_COORD_OURS_H_
#define BENCH_COORD_OURS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "bench/coord/ready_set.h"
#include "coord/coordinator.h"
#include "coord/result.h"

namespace bench {

template <typename Parts>
class Ours {
 public:
  static constexpr std::string_view kName = Parts::kName;

  explicit Ours(size_t slots) : coordinator_({.slots = slots}) {
    while (const auto index = coordinator_.AddSlot()) indices_.push_back(*index);
  }

  Index At(uint32_t slot) const { return indices_[slot]; }
  bool Register(Index index) { return coordinator_.Register(index) == coord::Outcome::kQueued; }
  size_t RegisterBatch(std::span<const Index> indices) {
    return coordinator_.RegisterBatch(indices);
  }
  size_t Drain(size_t max, std::vector<Index>* out) { return coordinator_.Drain(max, out); }
  void Finish(Index index) { coordinator_.Finish(index, completed_); }
  void FinishBatch(std::span<const Index> indices) { coordinator_.FinishBatch(indices); }
  void FinishAgain(Index index) { coordinator_.Finish(index, yielded_); }
  void Wait() { coordinator_.Wait(); }
  void Shutdown() { coordinator_.Shutdown(); }

 private:
  const coord::Result completed_ = coord::Completed{};
  const coord::Result yielded_ = coord::Yielded{};
  coord::Coordinator<Parts> coordinator_;
  std::vector<Index> indices_;
};

}  // namespace bench

#endif  // BENCH_COORD_OURS_H_
