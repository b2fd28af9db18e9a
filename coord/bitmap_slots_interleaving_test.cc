// BitmapSlots under each fence: what all slots promise, and that nothing which is ready is
// overlooked, in every interleaving.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "coord/asymmetric_fence.h"
#include "coord/bitmap_slots.h"
#include "coord/index.h"
#include "coord/interleaving_testing.h"
#include "coord/slot_word.h"
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
using interleaving::SlotsPrograms;
using kv::testing::interleaving::ExpectEveryOrderNeeded;
using kv::testing::interleaving::Explore;
using kv::testing::interleaving::FirstFailure;
using kv::testing::interleaving::kBriefPlan;
using kv::testing::interleaving::kPlan;
using kv::testing::interleaving::Program;
using kv::testing::interleaving::Trial;

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

using S = BitmapSlots<SymmetricFence>;

// Two leaves, of which a few slots are in use.
struct Leaves {
  static constexpr uint32_t kLow = 1, kLow2 = 2, kBusy = 17, kHigh = 20;

  Leaves() {
    for (Index& index : all) index = *slots.Add();
  }
  void Register(uint32_t slot) { slots.Register(all[slot]); }
  void RegisterBoth() { slots.RegisterBatch(std::array<Index, 2>{all[kLow], all[kHigh]}); }
  size_t Take(size_t most) {
    std::array<Index, 4> taken;
    const size_t count = slots.Take(std::span(taken).first(most));
    for (const Index index : std::span(taken).first(count)) ++runs[index.slot];
    return count;
  }
  void Run(size_t most, Phase next) {
    std::array<Index, 4> taken;
    const size_t count = slots.Take(std::span(taken).first(most));
    for (const Index index : std::span(taken).first(count)) slots.Finish(index, next);
  }

  S slots{32};
  std::array<Index, 32> all;
  std::array<int, 32> runs{};  // no atomics
  kv::Atomic<int> asleep{0};
};

using Body = void (*)(Leaves&);

// Each slot of `slots` is taken once, and soon: the first leaf has its mark, and is not passed over
// for the sake of a slot of the other leaf that is always there.
Program Takes(std::string name, Body before, std::vector<Body> bodies,
              std::vector<uint32_t> slots) {
  return {std::move(name), [before, bodies, slots = std::move(slots)](Trial& trial) {
            Leaves leaves;
            before(leaves);
            std::vector<std::function<void()>> threads;
            for (const auto body : bodies) threads.push_back([body, &leaves] { body(leaves); });
            trial.Run(std::move(threads));
            leaves.Register(Leaves::kBusy);
            size_t met = 0;
            for (size_t i = 0; i <= slots.size() && met < slots.size(); ++i) {
              leaves.Take(1);
              if (leaves.runs[Leaves::kBusy] > 0) {
                leaves.runs[Leaves::kBusy] = 0;
                leaves.slots.Finish(leaves.all[Leaves::kBusy], Phase::kReady);
              }
              met = 0;
              for (const uint32_t slot : slots) met += static_cast<size_t>(leaves.runs[slot]);
            }
            for (const uint32_t slot : slots) {
              trial.Expect(leaves.runs[slot] == 1, "each slot once, and soon");
            }
          }};
}

// Whoever makes a slot ready and then looks who sleeps, beside one who goes to sleep and then looks
// what is ready: one of them sees the other.
Program Sleeps(std::string name, Body before, Body makes_ready, bool takes) {
  return {std::move(name), [before, makes_ready, takes](Trial& trial) {
            Leaves leaves;
            before(leaves);
            bool sees_nobody = false;
            bool sees_nothing = false;
            trial.Run({[&] {
                         makes_ready(leaves);
                         sees_nobody = leaves.asleep.load(std::memory_order_seq_cst) == 0;
                       },
                       [&] {
                         leaves.asleep.store(1, std::memory_order_seq_cst);
                         sees_nothing = takes ? leaves.Take(4) == 0 : leaves.slots.Empty();
                       }});
            trial.Expect(!sees_nobody || !sees_nothing, "one of them sees the other");
          }};
}

std::vector<Program> LeafPrograms() {
  const auto nothing = [](Leaves&) {};
  const auto low = [](Leaves& s) { s.Register(Leaves::kLow); };
  const auto low2 = [](Leaves& s) { s.Register(Leaves::kLow2); };
  const auto lows = [](Leaves& s) {
    s.Register(Leaves::kLow);
    s.Register(Leaves::kLow2);
  };
  const auto both = [](Leaves& s) { s.RegisterBoth(); };
  const auto high_beside_a_mark = [](Leaves& s) {
    s.Register(Leaves::kLow);
    s.Run(1, Phase::kIdle);
    s.Register(Leaves::kHigh);
  };
  const auto take = [](Leaves& s) { s.Take(1); };
  const auto take_twice = [](Leaves& s) {
    s.Take(1);
    s.Take(1);
  };
  const auto take_many = [](Leaves& s) { s.Take(4); };
  const auto running = [](Leaves& s) {
    s.Register(Leaves::kHigh);
    s.Take(1);
  };
  const auto notified = [](Leaves& s) {
    s.Register(Leaves::kHigh);
    s.Take(1);
    s.Register(Leaves::kHigh);
  };
  const auto waiting = [](Leaves& s) {
    s.Register(Leaves::kHigh);
    s.Run(1, Phase::kAwaitsTime);
  };
  const auto registers = [](Leaves& s) { s.Register(Leaves::kHigh); };
  const auto yields = [](Leaves& s) { s.slots.Finish(s.all[Leaves::kHigh], Phase::kReady); };
  const auto ends_in_batch = [](Leaves& s) {
    s.slots.FinishBatch(std::array<Index, 1>{s.all[Leaves::kHigh]});
  };
  const auto fires = [](Leaves& s) { s.slots.Fire(s.all[Leaves::kHigh]); };
  const auto registers_in_batch = [](Leaves& s) {
    s.slots.RegisterBatch(std::array<Index, 1>{s.all[Leaves::kHigh]});
  };
  std::vector<Program> programs = {
      Takes("a registration beside a take", nothing, {low, take}, {Leaves::kLow}),
      Takes("to a leaf that a take empties", low2, {low, take_twice},
            {Leaves::kLow, Leaves::kLow2}),
      Takes("two takes of one leaf", lows, {take, take}, {Leaves::kLow, Leaves::kLow2}),
      Takes("a batch beside a take", nothing, {both, take_many}, {Leaves::kLow, Leaves::kHigh}),
      Takes("to a leaf that is empty but for its mark, beside a take from the other",
            high_beside_a_mark, {low, take}, {Leaves::kLow, Leaves::kHigh}),
      Takes("two to a leaf", nothing, {low, low2}, {Leaves::kLow, Leaves::kLow2}),
  };
  for (const bool takes : {false, true}) {
    const std::string beside = takes ? " beside a take that finds nothing" : " beside a look";
    programs.push_back(Sleeps("a registration" + beside, nothing, registers, takes));
    programs.push_back(Sleeps("one in a batch" + beside, nothing, registers_in_batch, takes));
    programs.push_back(Sleeps("a run that yields" + beside, running, yields, takes));
    programs.push_back(Sleeps("runs that end in a batch" + beside, notified, ends_in_batch, takes));
    programs.push_back(Sleeps("a time that has come" + beside, waiting, fires, takes));
  }
  return programs;
}

TEST(BitmapSlotsInterleavingTest, ALoadAloneLosesWakeUps) {
  EXPECT_TRUE(LosesWakeUps(SlotsPrograms<Case<BitmapSlots<NoFence>>>(2)));
}

TEST(BitmapSlotsInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  std::vector<Program> programs = SlotsPrograms<Case<S>>(2);
  for (Program& program : LeafPrograms()) programs.push_back(std::move(program));
  ExpectEveryOrderNeeded(
      kPlan, programs,
      {
          // Of the mark: see bitmap_interleaving_test.cc.
          "LeafSweep::Mark update release -> relaxed",
          // Of the flag of Resume, which is there to be found by the end of the run. What its
          // caller did before is told by the leaf as well, which Resume changes first: in the
          // model, which executes in order, that change comes before the end of the run.
          "SlotUses::Note compare_exchange acquire -> relaxed",
          "SlotUses::WaitFor compare_exchange acq_rel -> release",
          "SlotUses::Flag compare_exchange release -> relaxed",
      });
}

TEST(BitmapSlotsInterleavingTest, ThreeThreads) {
  EXPECT_EQ(FirstFailure(kBriefPlan, SlotsPrograms<Case<S>>(3)), "");
}

TEST(BitmapSlotsInterleavingTest, WithTheBarrierOfTheRunner) {
  using Asymmetric = BitmapSlots<ModelledAsymmetricFence>;
  EXPECT_EQ(FirstFailure(kPlan, SlotsPrograms<Case<Asymmetric>>(2)), "");
}

}  // namespace
}  // namespace coord
