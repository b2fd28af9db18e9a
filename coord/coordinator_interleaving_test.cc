// The whole coordinator, with queue, waiter and fence: whoever sleeps for ever, or runs beside
// another run, fails the run.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "coord/adaptive.h"
#include "coord/asymmetric_fence.h"
#include "coord/bitmap.h"
#include "coord/bitmap_slots.h"
#include "coord/coordinator.h"
#include "coord/interleaving_testing.h"
#include "coord/park.h"
#include "coord/per_thread_rings.h"
#include "coord/queued_slots.h"
#include "coord/ring.h"
#include "coord/slots_concept.h"
#include "coord/symmetric_fence.h"
#include "coord/work_stealing.h"
#include "coord/worker_pool.h"
#include "gtest/gtest.h"
#include "kv/testing/interleaving/barrier.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace coord {
namespace {

using interleaving::Mailbox;
using interleaving::NoFence;
using kv::testing::interleaving::Explore;
using kv::testing::interleaving::FirstFailure;
using kv::testing::interleaving::kBriefPlan;
using kv::testing::interleaving::kPlan;
using kv::testing::interleaving::Program;
using kv::testing::interleaving::Trial;

using ModelledAsymmetricFence = AsymmetricFenceBy<kv::testing::interleaving::ProcessBarrier>;

// Stands still.
struct StoppedClock {
  uint64_t MonotonicNanos() const { return 0; }
  uint64_t UnixMillis() const { return 0; }
};

template <Slots S>
struct Parts {
  using Slots = S;
  using Waiter = Park;
  using Clock = StoppedClock;
};

template <Slots S>
class Subject {
 public:
  void Send() {
    mailbox_.Send();
    coordinator_.Register(index_);
  }

  // A worker with nobody but registrants to wake it.
  void WorkUntilSeen(uint64_t messages) {
    while (mailbox_.seen() < messages) {
      if (!DrainOnce()) coordinator_.Wait();
    }
  }

  void WorkUntilShutdown() {
    const auto run = [this](Index index) -> Result {
      (index == index_ ? mailbox_ : other_).Run();
      return Completed{};
    };
    coord::WorkUntilShutdown(coordinator_, run);
  }

  bool DrainOnce(const Result& result = Completed{}) {
    std::vector<Index> batch;
    coordinator_.Drain(4, &batch);
    for (const Index index : batch) {
      (index == index_ ? mailbox_ : other_).Run();
      coordinator_.Finish(index, result);
    }
    return !batch.empty();
  }

  Coordinator<Parts<S>> coordinator_{{.slots = 2}};
  const Index index_ = *coordinator_.AddSlot();
  Mailbox mailbox_;
  Mailbox other_;  // of whoever else there is
};

template <Slots T>
std::vector<Program> Programs() {
  using S = Subject<T>;
  return {
      {"a registrant beside a worker",
       [](Trial& trial) {
         S s;
         trial.Run({[&] { s.Send(); }, [&] { s.WorkUntilSeen(1); }});
       }},
      {"of a slot that is queued",
       [](Trial& trial) {
         S s;
         s.Send();
         trial.Run({[&] { s.Send(); }, [&] { s.WorkUntilSeen(2); }});
       }},
      {"a shutdown beside a worker",
       [](Trial& trial) {
         S s;
         trial.Run({[&] { s.coordinator_.Shutdown(); }, [&] { s.WorkUntilShutdown(); }});
       }},
      {"a registration before the shutdown",
       [](Trial& trial) {
         S s;
         trial.Run({[&] {
                      s.Send();
                      s.coordinator_.Shutdown();
                    },
                    [&] { s.WorkUntilShutdown(); }});
         trial.Expect(s.mailbox_.seen() == 1, "it is run");
       }},
      {"a withdrawal beside a worker",
       [](Trial& trial) {
         S s;
         s.Send();
         trial.Run({[&] {
                      s.coordinator_.Unregister(s.index_);
                      s.Send();
                    },
                    [&] { s.WorkUntilSeen(2); }});
       }},
      {"a slot that is used again beside a worker",
       [](Trial& trial) {
         S s;
         s.Send();
         trial.Run({[&] {
                      s.coordinator_.RemoveSlot(s.index_);
                      const Index next = *s.coordinator_.AddSlot();
                      s.other_.Send();
                      s.coordinator_.Register(next);
                      s.coordinator_.Register(s.index_);
                      s.coordinator_.Shutdown();
                    },
                    [&] { s.WorkUntilShutdown(); }});
         trial.Expect(s.other_.seen() == 1, "the second use is run");
       }},
      {"a timer beside one who goes to sleep",
       [](Trial& trial) {
         S s;
         s.Send();
         trial.Run(
             {[&] { s.DrainOnce(Suspended{.resume_on = After{std::chrono::nanoseconds(5)}}); },
              [&] {
                // Whoever sleeps without an end is woken. (With one it is
                // over at once.)
                s.coordinator_.Wait();
              }});
         trial.Expect(s.coordinator_.PhaseOf(s.index_) == Phase::kAwaitsTime, "it waits");
       }},
      {"a registration beside a timer that is set",
       [](Trial& trial) {
         S s;
         s.Send();
         trial.Run({[&] { s.DrainOnce(Suspended{.resume_on = After{}}); }, [&] { s.Send(); }});
         while (s.DrainOnce()) {
         }
         trial.Expect(s.mailbox_.seen() == 2, "every message is seen");
       }},
  };
}

template <Fence F>
using Queued = QueuedSlots<BitmapQueue, F>;

TEST(CoordinatorInterleavingTest, QueuedSymmetric) {
  EXPECT_EQ(FirstFailure(kPlan, Programs<Queued<SymmetricFence>>()), "");
}

TEST(CoordinatorInterleavingTest, QueuedAsymmetric) {
  EXPECT_EQ(FirstFailure(kPlan, Programs<Queued<ModelledAsymmetricFence>>()), "");
}

TEST(CoordinatorInterleavingTest, OverRings) {
  EXPECT_EQ(FirstFailure(kBriefPlan, Programs<QueuedSlots<RingQueue, SymmetricFence>>()), "");
  EXPECT_EQ(FirstFailure(kBriefPlan, Programs<QueuedSlots<PerThreadRings, SymmetricFence>>()), "");
  EXPECT_EQ(FirstFailure(kBriefPlan, Programs<QueuedSlots<WorkStealing, SymmetricFence>>()), "");
  EXPECT_EQ(FirstFailure(kBriefPlan, Programs<QueuedSlots<Adaptive, SymmetricFence>>()), "");
}

TEST(CoordinatorInterleavingTest, BitmapSymmetric) {
  EXPECT_EQ(FirstFailure(kPlan, Programs<BitmapSlots<SymmetricFence>>()), "");
}

TEST(CoordinatorInterleavingTest, BitmapAsymmetric) {
  EXPECT_EQ(FirstFailure(kPlan, Programs<BitmapSlots<ModelledAsymmetricFence>>()), "");
}

template <Slots S>
bool LosesWakeUps() {
  for (const Program& program : Programs<S>()) {
    if (program.name != "of a slot that is queued") continue;
    return Explore(kPlan, program.run).failure.find("every thread waits") != std::string::npos;
  }
  return false;
}

TEST(CoordinatorInterleavingTest, ALoadAloneLosesWakeUps) {
  EXPECT_TRUE(LosesWakeUps<Queued<NoFence>>());
  EXPECT_TRUE(LosesWakeUps<BitmapSlots<NoFence>>());
}

}  // namespace
}  // namespace coord
