// SlotStates under each fence: no registration is lost, nothing runs twice at once, in every
// interleaving. The queue is one flag a slot, which is all that the states ask for.
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/asymmetric_fence.h"
#include "coord/fence_concept.h"
#include "coord/interleaving_testing.h"
#include "coord/slot_states.h"
#include "coord/symmetric_fence.h"
#include "gtest/gtest.h"
#include "kv/base/atomic.h"
#include "kv/testing/interleaving/barrier.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace coord {
namespace {

using interleaving::Mailbox;
using interleaving::NoFence;
using interleaving::RefusedBarrier;
using kv::testing::interleaving::Explore;
using kv::testing::interleaving::kPlan;
using kv::testing::interleaving::kSeesRaces;
using kv::testing::interleaving::OrdersReport;
using kv::testing::interleaving::Program;
using kv::testing::interleaving::Report;
using kv::testing::interleaving::SurvivingOrders;
using kv::testing::interleaving::Trial;

using ModelledAsymmetricFence = AsymmetricFenceBy<kv::testing::interleaving::ProcessBarrier>;

// One slot, its mailbox, and a queue with room for one entry.
template <Fence F>
class Subject {
 public:
  void Send(Trial& trial, Index index) {
    mailbox_.Send();
    Register(trial, index);
  }

  void Register(Trial& trial, Index index) { Push(trial, states_.Register(index, fence_)); }

  void Push(Trial& trial, SlotStates::Answer answer) {
    if (!answer.push) return;
    // relaxed: the queue gives no order of its own here.
    trial.Expect(!entry_.exchange(true, std::memory_order_relaxed), "one entry at most");
  }

  // Runs the slot if it is queued; the run ends in `next`.
  bool Drain(Trial& trial, Phase next = Phase::kIdle) {
    if (!entry_.exchange(false, std::memory_order_relaxed)) return false;
    const std::optional<Index> taken = states_.Take(0);
    if (!taken.has_value()) return false;
    fence_.Heavy();
    (*taken == index_ ? mailbox_ : next_mailbox_).Run();
    Push(trial, states_.Finish(*taken, next));
    return true;
  }

  // When the threads are through: what is queued still is run.
  void Settle(Trial& trial) {
    while (Drain(trial)) {
    }
  }

  SlotStates states_{1};
  F fence_;
  const Index index_ = states_.Add(0);
  Mailbox mailbox_;
  Mailbox next_mailbox_;  // of whoever uses the slot next
  kv::Atomic<bool> entry_{false};
  int parcel_ = 0;  // no atomic
};

// Runs `bodies`, settles, and looks at what was made of it.
template <Fence F>
Program Threads(std::string name, std::vector<std::function<void(Subject<F>&, Trial&)>> bodies,
                std::function<void(Subject<F>&, Trial&)> before,
                std::function<void(Subject<F>&, Trial&)> behind) {
  return {std::move(name), [=](Trial& trial) {
            Subject<F> subject;
            before(subject, trial);
            std::vector<std::function<void()>> threads;
            for (const auto& body : bodies) {
              threads.push_back([&subject, &trial, &body] { body(subject, trial); });
            }
            trial.Run(std::move(threads));
            subject.Settle(trial);
            behind(subject, trial);
          }};
}

template <Fence F>
std::vector<Program> Programs() {
  using S = Subject<F>;
  using Body = std::function<void(S&, Trial&)>;
  const Body nothing = [](S&, Trial&) {};
  const Body queued = [](S& s, Trial& trial) { s.Send(trial, s.index_); };
  const Body waits = [](S& s, Trial& trial) {
    s.Send(trial, s.index_);
    s.Drain(trial, Phase::kAwaitsTime);
  };
  const Body waits_for_capacity = [](S& s, Trial& trial) {
    s.Send(trial, s.index_);
    s.Drain(trial, Phase::kAwaitsCapacity);
  };
  const Body sends = [](S& s, Trial& trial) { s.Send(trial, s.index_); };
  const Body drains = [](S& s, Trial& trial) { s.Drain(trial); };
  const Body drains_twice = [](S& s, Trial& trial) {
    s.Drain(trial);
    s.Drain(trial);
  };
  const Body awaits_signal = [](S& s, Trial& trial) { s.Drain(trial, Phase::kAwaitsSignal); };
  const Body yields = [](S& s, Trial& trial) {
    s.Drain(trial, Phase::kReady);
    s.Drain(trial);
  };
  const auto sees = [](uint64_t messages) -> Body {
    return [messages](S& s, Trial& trial) {
      trial.Expect(s.mailbox_.seen() == messages, "the last run sees every message");
    };
  };
  return {
      Threads<F>("a registration beside a drain", {sends, drains}, nothing, sees(1)),
      Threads<F>("of a slot that is queued", {sends, drains}, queued, sees(2)),
      Threads<F>("of a slot that is queued, by two", {sends, drains, sends}, queued, sees(3)),
      Threads<F>("two drains of a slot that is queued again", {sends, drains, drains_twice}, queued,
                 sees(2)),
      Threads<F>("of a slot that then awaits a signal", {sends, awaits_signal}, queued, sees(2)),
      Threads<F>("of a slot that yields", {sends, yields, drains}, queued, sees(2)),
      Threads<F>("two registrations of a slot that is running or about to",
                 {[](S& s, Trial& trial) {
                    s.Send(trial, s.index_);
                    s.Send(trial, s.index_);
                  },
                  drains},
                 queued, sees(3)),
      Threads<F>("of a slot that awaits its time",
                 {sends,
                  [](S& s, Trial& trial) {
                    s.Push(trial, s.states_.Fire(s.index_));
                    s.Drain(trial);
                  }},
                 waits, sees(2)),
      // What was sent while it awaited capacity is seen once there is.
      Threads<F>("of a slot that awaits capacity",
                 {sends,
                  [](S& s, Trial& trial) {
                    s.Push(trial, s.states_.Resume(s.index_));
                    s.Drain(trial);
                  }},
                 waits_for_capacity, sees(2)),
      // There is capacity (a message stands for it), and the run may or may not have seen it.
      Threads<F>("capacity beside the run that finds none",
                 {[](S& s, Trial& trial) {
                    s.mailbox_.Send();
                    s.Push(trial, s.states_.Resume(s.index_));
                  },
                  [](S& s, Trial& trial) { s.Drain(trial, Phase::kAwaitsCapacity); }},
                 queued, sees(2)),
      Threads<F>("a withdrawal beside a drain",
                 {[](S& s, Trial&) { s.states_.Unregister(s.index_); }, drains}, queued,
                 [](S& s, Trial& trial) {
                   trial.Expect(s.states_.PhaseOf(s.index_) == Phase::kIdle, "it is idle");
                   s.Send(trial, s.index_);
                   s.Settle(trial);
                   trial.Expect(s.mailbox_.seen() == 2, "and can be registered");
                 }),
      Threads<F>("a withdrawal and a registration beside a drain",
                 {[](S& s, Trial& trial) {
                    s.states_.Unregister(s.index_);
                    s.Send(trial, s.index_);
                  },
                  drains},
                 queued, sees(2)),
      Threads<F>("a slot that is used again beside a drain of its first use",
                 {[](S& s, Trial& trial) {
                    s.states_.Remove(s.index_);
                    const Index next = s.states_.Add(0);
                    s.next_mailbox_.Send();
                    s.Push(trial, s.states_.Register(next, s.fence_));
                  },
                  drains},
                 queued,
                 [](S& s, Trial& trial) {
                   trial.Expect(s.next_mailbox_.seen() == 1, "the second use runs");
                   trial.Expect(!s.states_.PhaseOf(s.index_).has_value(), "the first is over");
                 }),
      Threads<F>(
          "a late registration of a slot that is used again",
          {sends,
           [](S& s, Trial&) {
             s.states_.Remove(s.index_);
             s.states_.Add(0);
           },
           drains},
          nothing,
          [](S& s, Trial& trial) {
            trial.Expect(s.states_.PhaseOf({0, 2}) == Phase::kIdle, "the second use is idle");
            trial.Expect(s.next_mailbox_.seen() == 0, "and was not run");
          }),
      {"ordinary memory, by whoever makes the slot ready",
       [](Trial& trial) {
         S subject;
         trial.Run({[&] {
                      subject.parcel_ = 7;
                      subject.Register(trial, subject.index_);
                    },
                    [&] {
                      if (!subject.Drain(trial)) return;
                      trial.Expect(subject.parcel_ == 7, "the parcel");
                    }});
       }},
      // Whoever is the last to use what the slot had frees it.
      {"the end of a slot beside its last run",
       [](Trial& trial) {
         S subject;
         subject.Send(trial, subject.index_);
         struct Parts {
           int of_runs = 0;
           int of_owner = 0;
         };
         Parts* const parts = new Parts;
         const auto ends = [&] {
           ++parts->of_owner;
           if (subject.states_.Remove(subject.index_) == SlotStates::Removal::kIdle) delete parts;
         };
         const auto runs = [&] {
           subject.entry_.store(false, std::memory_order_relaxed);
           const std::optional<Index> taken = subject.states_.Take(0);
           if (!taken.has_value()) return;
           ++parts->of_runs;
           const auto answer = subject.states_.Finish(*taken, Phase::kIdle);
           if (answer.outcome == Outcome::kStale) delete parts;
         };
         trial.Run({ends, runs});
       }},
  };
}

void ExpectAllRight(const std::vector<Program>& programs) {
  for (const Program& program : programs) {
    const Report report = Explore(kPlan, program.run);
    EXPECT_EQ(report.failure, "") << program.name;
    EXPECT_TRUE(report.complete) << program.name;
  }
}

TEST(SlotStatesInterleavingTest, ALoadAloneLosesWakeUps) {
  bool lost = false;
  for (const Program& program : Programs<NoFence>()) {
    if (program.name != "of a slot that is queued") continue;
    lost = Explore(kPlan, program.run).failure.find("every message") != std::string::npos;
  }
  EXPECT_TRUE(lost);
}

TEST(SlotStatesInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  const OrdersReport report = SurvivingOrders(kPlan, Programs<SymmetricFence>());
  EXPECT_EQ(report.failure, "");
  if (!kSeesRaces) GTEST_SKIP() << "without ThreadSanitizer, which sees what is freed too early";
  EXPECT_EQ(report.survivors, (std::vector<std::string>{}));
}

// Its own orders are those of the compiler; what the states need they need for SymmetricFence, and
// for ordinary memory.
TEST(SlotStatesInterleavingTest, WithTheBarrierOfTheRunner) {
  ExpectAllRight(Programs<ModelledAsymmetricFence>());
}

TEST(SlotStatesInterleavingTest, WhereTheKernelRefusesTheBarrier) {
  ExpectAllRight(Programs<AsymmetricFenceBy<RefusedBarrier>>());
}

}  // namespace
}  // namespace coord
