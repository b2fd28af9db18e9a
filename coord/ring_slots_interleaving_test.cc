// RingSlots: what all slots promise, and that whoever goes to sleep overlooks nothing, in every
// interleaving; with a kernel that has the barrier, and with one that refuses it.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "coord/adaptive.h"
#include "coord/index.h"
#include "coord/interleaving_testing.h"
#include "coord/outcome.h"
#include "coord/per_thread_rings.h"
#include "coord/ring_slots.h"
#include "coord/slot_word.h"
#include "coord/slots_concept.h"
#include "coord/slots_interleaving_testing.h"
#include "coord/work_stealing.h"
#include "gtest/gtest.h"
#include "kv/base/atomic.h"
#include "kv/testing/interleaving/barrier.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace coord {
namespace {

using interleaving::RefusedBarrier;
using interleaving::SlotsPrograms;
using kv::testing::interleaving::ExpectEveryOrderNeeded;
using kv::testing::interleaving::FirstFailure;
using kv::testing::interleaving::kBriefPlan;
using kv::testing::interleaving::kPlan;
using kv::testing::interleaving::Program;
using kv::testing::interleaving::Trial;

template <Slots S>
struct Case {
  using Slots = S;
  using Trial = kv::testing::interleaving::Trial;
  using Program = kv::testing::interleaving::Program;
};

// A ring for each thread; that which more threads share is for queues_interleaving_test.cc.
using Rings = PerThreadRingsOf<5>;
using Granted = RingSlots<StoreLoadFenceBy<kv::testing::interleaving::ProcessBarrier>, Rings>;
using Refused = RingSlots<StoreLoadFenceBy<RefusedBarrier>, Rings>;

template <Slots S>
using Body = std::function<void(S&, Index)>;

// Whoever makes a slot ready and then looks who sleeps, beside one who goes to sleep and then looks
// what is ready: one of them sees the other.
template <Slots S>
Program Sleeps(std::string name, Body<S> before, Body<S> makes_ready) {
  return {std::move(name), [before, makes_ready](Trial& trial) {
            S slots{1};
            const Index index = *slots.Add();
            before(slots, index);
            kv::Atomic<int> asleep{0};
            bool sees_nobody = false;
            bool sees_nothing = false;
            trial.Run({[&] {
                         makes_ready(slots, index);
                         // relaxed: the fence of the slots is what is looked at.
                         sees_nobody = asleep.load(std::memory_order_relaxed) == 0;
                       },
                       [&] {
                         asleep.store(1, std::memory_order_relaxed);
                         sees_nothing = slots.Empty();
                       }});
            trial.Expect(!sees_nobody || !sees_nothing, "one of them sees the other");
          }};
}

template <Slots S>
std::vector<Program> SleepPrograms() {
  const Body<S> nothing = [](S&, Index) {};
  const Body<S> registers = [](S& s, Index i) { s.Register(i); };
  const Body<S> in_a_batch = [](S& s, Index i) { s.RegisterBatch(std::array{i}); };
  const Body<S> begins = [](S& s, Index i) {
    s.Register(i);
    std::array<Index, 1> taken;
    s.Take(taken);
  };
  // The entry of the second registration is popped while the slot runs.
  const Body<S> begins_and_is_registered = [begins](S& s, Index i) {
    begins(s, i);
    begins(s, i);
  };
  const Body<S> waits = [begins](S& s, Index i) {
    begins(s, i);
    s.Finish(i, Phase::kAwaitsTime);
  };
  return {
      Sleeps<S>("a registration beside a look", nothing, registers),
      Sleeps<S>("one in a batch beside a look", nothing, in_a_batch),
      Sleeps<S>("a run that yields beside a look", begins,
                [](S& s, Index i) { s.Finish(i, Phase::kReady); }),
      Sleeps<S>("a run that was notified beside a look", begins_and_is_registered,
                [](S& s, Index i) { s.Finish(i, Phase::kIdle); }),
      Sleeps<S>("a time that has come beside a look", waits, [](S& s, Index i) { s.Fire(i); }),
  };
}

// A registration beside the end of a run: one of the two says that the slot is ready, so that
// somebody is told.
Program SaysThatItIsReady() {
  return {"a registration beside the end of a run", [](Trial& trial) {
            Granted slots{1};
            const Index index = *slots.Add();
            slots.Register(index);
            std::array<Index, 1> taken;
            slots.Take(taken);
            Outcome registered = Outcome::kStale;
            Outcome finished = Outcome::kStale;
            trial.Run({[&] { registered = slots.Register(index); },
                       [&] { finished = slots.Finish(index, Phase::kIdle); }});
            trial.Expect(registered == Outcome::kQueued || finished == Outcome::kQueued,
                         "one of them says so");
          }};
}

// Two slots in rings of two: each is popped as often as it was pushed, whoever pops.
Program PopsEachOnce(std::string name, bool again) {
  return {std::move(name), [again](Trial& trial) {
            Rings rings(2);
            std::array<int, 2> pops{};  // no atomics: of the threads that have popped the slot
            kv::Atomic<int> to_push{-1};
            int pushed = -1;
            const auto pop = [&] {
              std::array<uint32_t, 1> popped;
              if (rings.Pop(popped) == 0) return;
              ++pops[popped[0]];
              // release: pairs with the load below.
              if (again) to_push.store(static_cast<int>(popped[0]), std::memory_order_release);
            };
            const auto push = [&] {
              for (const uint32_t slot : {0u, 1u}) {
                rings.PushBatch<std::memory_order_release>({&slot, 1});
              }
              // acquire: pairs with the store above.
              pushed = to_push.load(std::memory_order_acquire);
              const auto slot = static_cast<uint32_t>(pushed);
              if (pushed >= 0) rings.PushBatch<std::memory_order_release>({&slot, 1});
            };
            if (again) {
              trial.Run({push, pop, pop});
            } else {
              push();
              trial.Run({pop, pop});
            }
            std::array<uint32_t, 4> rest;
            const size_t count = rings.Pop(rest);
            for (const uint32_t slot : std::span(rest).first(count)) ++pops[slot];
            for (int slot = 0; slot < 2; ++slot) {
              const int times = pops[static_cast<size_t>(slot)];
              trial.Expect(times == (slot == pushed ? 2 : 1), "as often as pushed");
            }
          }};
}

TEST(RingSlotsInterleavingTest, TwoThreads) {
  EXPECT_EQ(FirstFailure(kPlan, SlotsPrograms<Case<Granted>>(2)), "");
  EXPECT_EQ(FirstFailure(kPlan, {SaysThatItIsReady(), PopsEachOnce("two pop", false),
                                 PopsEachOnce("again", true)}),
            "");
}

TEST(RingSlotsInterleavingTest, ThreeThreads) {
  EXPECT_EQ(FirstFailure(kBriefPlan, SlotsPrograms<Case<Granted>>(3)), "");
}

TEST(RingSlotsInterleavingTest, WhereWorkersTakeTheirOwnFirst) {
  using Stealing = RingSlots<StoreLoadFenceBy<kv::testing::interleaving::ProcessBarrier>,
                             WorkStealingOver<Rings>>;
  EXPECT_EQ(FirstFailure(kBriefPlan, SlotsPrograms<Case<Stealing>>(2)), "");
  EXPECT_EQ(FirstFailure(kPlan, SleepPrograms<Stealing>()), "");
}

TEST(RingSlotsInterleavingTest, WhereOneRegistrantHasABitmap) {
  using Adapting =
      RingSlots<StoreLoadFenceBy<kv::testing::interleaving::ProcessBarrier>, AdaptiveOver<Rings>>;
  EXPECT_EQ(FirstFailure(kBriefPlan, SlotsPrograms<Case<Adapting>>(2)), "");
  EXPECT_EQ(FirstFailure(kPlan, SleepPrograms<Adapting>()), "");
}

TEST(RingSlotsInterleavingTest, WhereTheKernelRefusesTheBarrier) {
  EXPECT_EQ(FirstFailure(kBriefPlan, SlotsPrograms<Case<Refused>>(2)), "");
  ExpectEveryOrderNeeded(kPlan, SleepPrograms<Refused>(), /*kept=*/{}, {"StoreLoadFenceBy::"});
}

TEST(RingSlotsInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  std::vector<Program> programs = SlotsPrograms<Case<Granted>>(2);
  for (Program& program : SleepPrograms<Granted>()) programs.push_back(std::move(program));
  for (Program& program : SlotsPrograms<Case<Granted>>(3)) {
    if (program.name == "two drains of a slot that is queued again") {
      programs.push_back(std::move(program));
    }
  }
  programs.push_back(SaysThatItIsReady());
  programs.push_back(PopsEachOnce("two pop", false));
  programs.push_back(PopsEachOnce("two pop, and one pushes what was popped", true));
  ExpectEveryOrderNeeded(
      kBriefPlan, programs,
      {
          // The fence in Take does as well.
          "RingSlots::Begin load acquire #2 -> relaxed",
          // It takes a slot that waits, runs and waits again between look and exchange.
          "RingSlots::Abandon compare_exchange acq_rel -> release",
      },
      // The gate has a test of its own, and so have the rings, but for the order of this one store.
      {"RingSlots::", "kv::", "OwnerRing::Publish store release"});
}

}  // namespace
}  // namespace coord
