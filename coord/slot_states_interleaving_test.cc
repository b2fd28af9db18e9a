// SlotStates under each fence: no registration is lost, nothing runs twice at once, in every
// interleaving. The queue beside the states is one flag, which is all that they ask for.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coord/asymmetric_fence.h"
#include "coord/fence_concept.h"
#include "coord/interleaving_testing.h"
#include "coord/queued_slots.h"
#include "coord/ready_queue_concept.h"
#include "coord/slot_states.h"
#include "coord/slots_concept.h"
#include "coord/slots_interleaving_testing.h"
#include "coord/symmetric_fence.h"
#include "gtest/gtest.h"
#include "kv/base/atomic.h"
#include "kv/testing/interleaving/barrier.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace coord {
namespace {

using interleaving::NoFence;
using interleaving::RefusedBarrier;
using interleaving::SlotsPrograms;
using kv::testing::interleaving::ExpectEveryOrderNeeded;
using kv::testing::interleaving::Explore;
using kv::testing::interleaving::FirstFailure;
using kv::testing::interleaving::kPlan;
using kv::testing::interleaving::Program;

using ModelledAsymmetricFence = AsymmetricFenceBy<kv::testing::interleaving::ProcessBarrier>;

template <Slots S>
struct Case {
  using Slots = S;
  using Trial = kv::testing::interleaving::Trial;
  using Program = kv::testing::interleaving::Program;
};

bool LosesWakeUps(const std::vector<Program>& programs) {
  for (const Program& program : programs) {
    if (program.name != "of a slot that is queued") continue;
    return Explore(kPlan, program.run).failure.find("every message") != std::string::npos;
  }
  return false;
}

// Room for one entry, and no order of its own.
class OneEntry {
 public:
  static constexpr std::string_view kName = "one entry";
  explicit OneEntry(size_t) {}
  void Push(uint32_t) {
    if (entry_.exchange(true, std::memory_order_relaxed)) std::abort();  // a slot is in it twice
  }
  void PushBatch(std::span<const uint32_t>) { Push(0); }
  size_t Pop(std::span<uint32_t> out) {
    if (!entry_.exchange(false, std::memory_order_relaxed)) return 0;
    out[0] = 0;
    return 1;
  }
  bool Empty() const { return !entry_.load(std::memory_order_relaxed); }
  static constexpr size_t BypassBound(size_t, size_t) { return 0; }

 private:
  kv::Atomic<bool> entry_{false};
};

template <Fence F>
using Subject = QueuedSlots<OneEntry, F>;

TEST(SlotStatesInterleavingTest, ALoadAloneLosesWakeUps) {
  EXPECT_TRUE(LosesWakeUps(SlotsPrograms<Case<Subject<NoFence>>>(2)));
}

TEST(SlotStatesInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  std::vector<Program> programs = SlotsPrograms<Case<Subject<SymmetricFence>>>(2);
  for (Program& program : SlotsPrograms<Case<Subject<SymmetricFence>>>(3)) {
    programs.push_back(std::move(program));
  }
  ExpectEveryOrderNeeded(kPlan, programs,
                         {
                             // Of the free slots: no program has two threads there.
                             "ShardLock::lock compare_exchange acquire -> relaxed",
                             "ShardLock::unlock update release -> relaxed",
                         });
}

// Its own orders are those of the compiler; what the states need they need for SymmetricFence, and
// for ordinary memory.
TEST(SlotStatesInterleavingTest, WithTheBarrierOfTheRunner) {
  using S = Subject<ModelledAsymmetricFence>;
  EXPECT_EQ(FirstFailure(kPlan, SlotsPrograms<Case<S>>(2)), "");
  EXPECT_EQ(FirstFailure(kPlan, SlotsPrograms<Case<S>>(3)), "");
}

TEST(SlotStatesInterleavingTest, WhereTheKernelRefusesTheBarrier) {
  using S = Subject<AsymmetricFenceBy<RefusedBarrier>>;
  EXPECT_EQ(FirstFailure(kPlan, SlotsPrograms<Case<S>>(2)), "");
  EXPECT_EQ(FirstFailure(kPlan, SlotsPrograms<Case<S>>(3)), "");
}

}  // namespace
}  // namespace coord
