// Turns a row's plan into operations, block by block, for one thread. Knows no engine.
//
// Equal plans and thread numbers give equal operations, except for the numbers of inserted keys
// when several threads insert, and times-to-live, which count from now.
//
// Thread safety: one source a thread; sources of one row share the plan's `next_insert`.
// Cost: 5-60 ns an operation, which rows report as gen_ns.
#ifndef BENCH_OPERATION_SOURCE_H_
#define BENCH_OPERATION_SOURCE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "bench/key_generator.h"
#include "bench/operation.h"
#include "bench/plan.h"
#include "bench/random.h"
#include "bench/value_generator.h"
#include "bench/zipf.h"

namespace bench {

class OperationSource {
 public:
  // The plan must outlive the source.
  OperationSource(const RowPlan& plan, int thread);

  // Replaces the block's operations by the next ones and returns how many of `limit` they use up:
  // one each, or one a key in batches (keys that a preload leaves out included).
  uint64_t Fill(uint64_t limit, OperationBlock* block);

  // The bytes of counter `number` of Layout::kCounters.
  static std::string_view CounterKey(uint64_t number, std::array<char, 16>* buffer);

 private:
  OperationKind NextKind();
  uint64_t NextNumber();
  uint64_t InsertNumber();
  // Writes a key of this layout at `to`, which has key_room_ bytes, and returns it.
  std::string_view WriteKey(uint64_t number, char* to) const;
  bool Expires() const { return workload_.profile != nullptr || workload_.ttl_millis != 0; }
  uint64_t NextExpiry();
  void FillOne(uint64_t batch, size_t index, OperationBlock* block);
  void FillBatch(uint64_t batch, size_t index, OperationBlock* block, Operation* operation);

  const RowPlan& plan_;
  const Workload& workload_;
  Random random_;
  ValueGenerator values_;
  size_t key_room_;
  size_t key_bytes_;
  size_t value_bytes_;
  bool batched_;
  uint64_t position_;  // of sequential and permuted keys
  uint64_t cycle_ = 0;
  uint64_t records_;
  uint64_t now_millis_ = 0;
  std::optional<Zipf> zipf_;
  Permutation permutation_;
  std::array<uint64_t, 6> thresholds_ = {};  // of the mix, scaled to 2^32
};

}  // namespace bench

#endif  // BENCH_OPERATION_SOURCE_H_
