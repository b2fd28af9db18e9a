// Each lock-free queue in every interleaving: each slot once and in order with its push, nothing
// overlooked, whoever stands still in the middle of a push. (bitmap_interleaving_test.cc has what
// is the bitmap's own.)
//
// In the model the first of growing rings has one cell, and two threads have a ring of their own.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coord/adaptive.h"
#include "coord/bitmap.h"
#include "coord/growing_ring.h"
#include "coord/per_thread_rings.h"
#include "coord/ready_queue_concept.h"
#include "coord/ring.h"
#include "coord/work_stealing.h"
#include "gtest/gtest.h"
#include "kv/base/atomic.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace coord {
namespace {

using kv::testing::interleaving::ExpectEveryOrderNeeded;
using kv::testing::interleaving::Explore;
using kv::testing::interleaving::FirstFailure;
using kv::testing::interleaving::kBriefPlan;
using kv::testing::interleaving::kPlan;
using kv::testing::interleaving::Plan;
using kv::testing::interleaving::Program;
using kv::testing::interleaving::Trial;

// A queue of three slots, or of A and B alone.
template <ReadyQueue Q>
class QueueSubject {
 public:
  static constexpr uint32_t kA = 0, kB = 1, kC = 2;
  static constexpr size_t kSlots = 3;

  explicit QueueSubject(Trial& trial, size_t slots = kSlots) : trial_(trial), queue_(slots) {}

  void Push(uint32_t slot) {
    ++written_[slot];
    queue_.Push(slot);
  }
  void PushBoth(uint32_t one, uint32_t other) {
    ++written_[one];
    ++written_[other];
    queue_.PushBatch(std::array<uint32_t, 2>{one, other});
  }

  // What is popped, in its order.
  std::vector<uint32_t> Pop(size_t most) {
    std::array<uint32_t, kSlots> out{};
    const size_t count = queue_.Pop(std::span(out).first(most));
    for (const uint32_t slot : std::span(out).first(count)) {
      trial_.Expect(++read_[slot] == written_[slot], "once for each push, and in order with it");
    }
    return {out.begin(), out.begin() + static_cast<ptrdiff_t>(count)};
  }

  // Of the only thread that pops, behind a push of its own.
  void MustPop() { trial_.Expect(!Pop(1).empty(), "what was pushed before is not overlooked"); }

  void PopAndPushAgain() {
    for (const uint32_t slot : Pop(1)) Push(slot);
  }

  // Of the only thread that pops, beside pushes of B and then of C.
  void PopInOrder() {
    bool c_first = false;
    bool b_seen = false;
    for (size_t i = 0; i < kSlots; ++i) {
      for (const uint32_t slot : Pop(1)) {
        b_seen |= slot == kB;
        c_first |= slot == kC && !b_seen;
      }
    }
    trial_.Expect(!c_first, "first in, first out");
  }

  void PushAndLookForSleeper(uint32_t slot) {
    Push(slot);
    sees_nobody_ = asleep_.load(std::memory_order_seq_cst) == 0;
  }
  void SleepIfEmpty() {
    asleep_.store(1, std::memory_order_seq_cst);
    sees_nothing_ = queue_.Empty();
  }
  void SleepIfPopFindsNothing() {
    asleep_.store(1, std::memory_order_seq_cst);
    sees_nothing_ = Pop(kSlots).empty();
  }

  // When the threads are through: nothing is lost, and nothing is left.
  void Settle() {
    trial_.Expect(!sees_nobody_ || !sees_nothing_, "one of them sees the other");
    while (!Pop(kSlots).empty()) {
    }
    trial_.Expect(queue_.Empty(), "it is empty");
    trial_.Expect(read_ == written_, "each push is popped");
  }

 private:
  Trial& trial_;
  Q queue_;
  std::array<int, kSlots> written_{};
  std::array<int, kSlots> read_{};
  kv::Atomic<int> asleep_{0};
  bool sees_nobody_ = false;
  bool sees_nothing_ = false;
};

// Programs for a queue that keeps the order of pushes, or for one that does not.
template <ReadyQueue Q>
std::vector<Program> QueuePrograms(bool ordered) {
  using S = QueueSubject<Q>;
  using Body = std::function<void(S&)>;
  std::vector<Program> programs;
  const auto add = [&programs](const std::string& name, const Body& before,
                               const std::vector<Body>& bodies) {
    programs.push_back({std::string(Q::kName) + ": " + name, [before, bodies](Trial& trial) {
                          S subject(trial);
                          before(subject);
                          std::vector<std::function<void()>> threads;
                          for (const Body& body : bodies) {
                            threads.push_back([&subject, &body] { body(subject); });
                          }
                          trial.Run(std::move(threads));
                          subject.Settle();
                        }});
  };
  const Body nothing = [](S&) {};
  const Body push_a = [](S& s) { s.Push(S::kA); };
  const Body push_ab = [](S& s) { s.PushBoth(S::kA, S::kB); };
  const Body pop = [](S& s) { s.Pop(1); };
  const Body pop_all = [](S& s) { s.Pop(S::kSlots); };
  const Body again = [](S& s) { s.PopAndPushAgain(); };
  const Body again_twice = [](S& s) {
    s.PopAndPushAgain();
    s.PopAndPushAgain();
  };
  const Body push_b_and_pop = [](S& s) {
    s.Push(S::kB);
    s.MustPop();
  };
  const Body push_c_and_pop = [](S& s) {
    s.Push(S::kC);
    s.MustPop();
  };
  add("a push beside a pop", nothing, {push_a, pop});
  add("two pops", push_ab, {pop, pop_all});
  add("pops that push again", push_ab, {again_twice, again});
  add("a push beside pops", push_ab, {[](S& s) { s.Push(S::kC); }, pop_all, pop});
  add("a push behind one that stands still", nothing, {push_a, push_b_and_pop});
  add("a push behind a batch that stands still", nothing, {push_ab, push_c_and_pop});
  // So often that cells are used again.
  add("a whole turn of a ring beside a pop", push_a,
      {[](S& s) {
         for (int i = 0; i < 4; ++i) s.PopAndPushAgain();
       },
       pop});
  add("a batch beside a pop that pushes again", [](S& s) { s.Push(S::kC); },
      {push_ab, again_twice});
  // Each from a thread that has a number of its own.
  const Body sleep = [](S& s) { s.SleepIfEmpty(); };
  const Body sleep_with_pop = [](S& s) { s.SleepIfPopFindsNothing(); };
  const Body push_and_look = [](S& s) { s.PushAndLookForSleeper(S::kC); };
  add("a push beside one who sleeps", nothing, {push_and_look, sleep});
  add("the same with a pop", nothing, {push_and_look, sleep_with_pop});
  add("the same, the other way round", nothing, {sleep, push_and_look});
  add("the same, with a pop", nothing, {sleep_with_pop, push_and_look});
  // Of a thread that has pushed before.
  const Body push_pop_push_and_look = [](S& s) {
    s.Push(S::kA);
    s.Pop(1);
    s.PushAndLookForSleeper(S::kC);
  };
  add("another push beside one who sleeps", nothing, {push_pop_push_and_look, sleep});
  add("another push beside one who sleeps, with a pop", nothing,
      {push_pop_push_and_look, sleep_with_pop});
  add("a second push beside one who sleeps", nothing, {push_a, sleep_with_pop, push_and_look});
  add("a push behind a batch, beside one who sleeps", nothing, {push_ab, sleep, push_and_look});
  // Whoever stands still with A, B comes before C.
  if (ordered) {
    add("the order of two pushes beside a third", nothing,
        {push_a,
         [](S& s) {
           s.Push(S::kB);
           s.Push(S::kC);
         },
         [](S& s) { s.PopInOrder(); }});
  }
  return programs;
}

// A push behind two others that stand still: many interleavings, for once.
template <ReadyQueue Q>
Program PushBehindTwo() {
  using S = QueueSubject<Q>;
  return {std::string(Q::kName) + ": a push behind two that stand still", [](Trial& trial) {
            S s(trial);
            trial.Run({[&] { s.Push(S::kA); }, [&] { s.Push(S::kB); },
                       [&] {
                         s.Push(S::kC);
                         s.MustPop();
                       }});
            s.Settle();
          }};
}

// As many cells as slots: a push that was passed over waits for no pop, and takes no cell that is
// in use.
template <ReadyQueue Q>
Program NoRoomToSpare() {
  using S = QueueSubject<Q>;
  return {std::string(Q::kName) + ": no room to spare", [](Trial& trial) {
            S s(trial, 2);
            trial.Run({[&] { s.Push(S::kA); },
                       [&] {
                         s.Push(S::kB);
                         s.Pop(1);
                       },
                       [&] { s.PopAndPushAgain(); }});
            s.Settle();
          }};
}

TEST(RingInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  std::vector<Program> programs = QueuePrograms<RingQueue>(true);
  programs.push_back(NoRoomToSpare<RingQueue>());
  // A weakened ring may look for its head without end: few steps tell.
  Plan plan = kPlan;
  plan.most_steps = 500;
  ExpectEveryOrderNeeded(plan, programs);
}

TEST(GrowingRingInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(
      kBriefPlan, QueuePrograms<GrowingRing>(true),
      {
          // That a push elsewhere comes behind the closing, whoever closed it. In the model, where
          // sequentially consistent operations have one order in time, it does anyway.
          "TicketRing::ReserveOrClose load acquire -> relaxed",
          "TicketRing::ReserveOrClose failed compare_exchange acquire -> relaxed",
      },
      // The test of the ring that it is made of has the others.
      {"GrowingRing::", "TicketRing::ReserveOrClose"});
}

TEST(PerThreadRingsInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(kBriefPlan, QueuePrograms<PerThreadRings>(false),
                         {
                             // As that of ReserveOrClose.
                             "PerThreadRingsOf::Activate load acquire -> relaxed",
                         },
                         {"PerThreadRingsOf::", "OwnerRing::"});
}

TEST(PerThreadRingsInterleavingTest, LosesNothing) {
  EXPECT_EQ(FirstFailure(kPlan, QueuePrograms<PerThreadRings>(false)), "");
}

TEST(WorkStealingInterleavingTest, LosesNothing) {
  EXPECT_EQ(FirstFailure(kPlan, QueuePrograms<WorkStealing>(false)), "");
}

TEST(AdaptiveInterleavingTest, LosesNothing) {
  EXPECT_EQ(FirstFailure(kPlan, QueuePrograms<Adaptive>(false)), "");
}

// The ring that stops at a cell which is not published, as bounded queues commonly do.
class StopsAtAGap {
 public:
  static constexpr std::string_view kName = "stops at a gap";
  explicit StopsAtAGap(size_t) {}
  void Push(uint32_t slot) {
    cells_[tail_.fetch_add(1, std::memory_order_seq_cst)].store(slot + 1);
  }
  void PushBatch(std::span<const uint32_t> slots) {
    for (const uint32_t slot : slots) Push(slot);
  }
  size_t Pop(std::span<uint32_t> out) {
    uint64_t head = head_.load(std::memory_order_seq_cst);
    for (;;) {
      const uint32_t seen = cells_[head].load(std::memory_order_seq_cst);
      if (seen == 0) return 0;
      out[0] = seen - 1;
      if (head_.compare_exchange_weak(head, head + 1)) return 1;
    }
  }
  bool Empty() const { return cells_[head_.load(std::memory_order_seq_cst)].load() == 0; }
  static constexpr size_t BypassBound(size_t, size_t) { return 0; }

 private:
  std::array<kv::Atomic<uint32_t>, 16> cells_{};
  kv::Atomic<uint64_t> head_{0};
  kv::Atomic<uint64_t> tail_{0};
};

TEST(BitmapInterleavingTest, LosesNothing) {
  EXPECT_EQ(FirstFailure(kPlan, QueuePrograms<BitmapQueue>(false)), "");
}

TEST(QueuesInterleavingTest, AGapThatStopsAPopIsNoticed) {
  std::vector<std::string> failed;
  for (const Program& program : QueuePrograms<StopsAtAGap>(true)) {
    if (!Explore(kPlan, program.run).failure.empty()) failed.push_back(program.name);
  }
  EXPECT_EQ(failed, (std::vector<std::string>{
                        "stops at a gap: a push behind one that stands still",
                        "stops at a gap: a push behind a batch that stands still",
                        "stops at a gap: a second push beside one who sleeps",
                        "stops at a gap: a push behind a batch, beside one who sleeps",
                    }));
}

TEST(QueuesInterleavingTest, BehindTwoThatStandStill) {
  EXPECT_EQ(FirstFailure(kPlan, {PushBehindTwo<RingQueue>()}), "");
  EXPECT_EQ(FirstFailure(kBriefPlan, {PushBehindTwo<BitmapQueue>(), PushBehindTwo<GrowingRing>(),
                                      PushBehindTwo<PerThreadRings>(),
                                      PushBehindTwo<WorkStealing>(), PushBehindTwo<Adaptive>()}),
            "");
}

}  // namespace
}  // namespace coord
