// BitmapQueue of two leaves: each slot once, in order with its push, and nothing overlooked, in
// every interleaving.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "coord/bitmap.h"
#include "gtest/gtest.h"
#include "kv/base/atomic.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace coord {
namespace {

using kv::testing::interleaving::ExpectEveryOrderNeeded;
using kv::testing::interleaving::kPlan;
using kv::testing::interleaving::Program;
using kv::testing::interleaving::Trial;

constexpr size_t kSlots = 128;
constexpr uint32_t kLow = 1, kLow2 = 2, kHigh = 70;

struct Subject {
  BitmapQueue queue{kSlots};
  std::array<int, kSlots> pushed{};  // no atomics: written before the push
  std::array<int, kSlots> popped{};  // written behind the pop
  kv::Atomic<int> asleep{0};

  void Push(uint32_t slot) {
    pushed[slot] = 1;
    queue.Push(slot);
  }
  void PushBoth() {
    pushed[kLow] = pushed[kHigh] = 1;
    queue.PushBatch(std::array<uint32_t, 2>{kLow, kHigh});
  }
  size_t Pop(Trial& trial, size_t most) {
    std::array<uint32_t, 4> out;
    const size_t count = queue.Pop(std::span(out).first(most));
    for (const uint32_t slot : std::span(out).first(count)) {
      trial.Expect(pushed[slot] == 1, "what was done before the push is seen");
      ++popped[slot];
    }
    return count;
  }
  // seq_cst: as the concept has it.
  bool SeesNobodyAsleep() const { return asleep.load(std::memory_order_seq_cst) == 0; }
  void FallAsleep() { asleep.store(1, std::memory_order_seq_cst); }
};

using Body = void (*)(Subject&, Trial&);

Program Threads(std::string name, Body before, std::vector<Body> bodies,
                std::vector<uint32_t> slots) {
  return {std::move(name), [before, bodies, all = std::move(slots)](Trial& trial) {
            Subject subject;
            before(subject, trial);
            std::vector<std::function<void()>> threads;
            for (const auto body : bodies) {
              threads.push_back([body, &subject, &trial] { body(subject, trial); });
            }
            trial.Run(std::move(threads));
            // The first leaf has its mark: it is not passed over for the sake of a slot of the
            // other leaf that is always there.
            const uint32_t busy = 67;
            subject.Push(busy);
            size_t met = 0;
            for (size_t i = 0; i <= all.size() && met < all.size(); ++i) {
              subject.Pop(trial, 1);
              if (subject.popped[busy] > 0) {
                subject.popped[busy] = 0;
                subject.Push(busy);
              }
              met = 0;
              for (const uint32_t slot : all) met += static_cast<size_t>(subject.popped[slot]);
            }
            for (const uint32_t slot : all) {
              trial.Expect(subject.popped[slot] == 1, "each slot once, and soon");
            }
          }};
}

std::vector<Program> Programs() {
  const auto nothing = [](Subject&, Trial&) {};
  const auto push_low = [](Subject& s, Trial&) { s.Push(kLow); };
  const auto push_low2 = [](Subject& s, Trial&) { s.Push(kLow2); };
  const auto push_lows = [](Subject& s, Trial&) {
    s.Push(kLow);
    s.Push(kLow2);
  };
  const auto push_high_beside_a_mark = [](Subject& s, Trial& trial) {
    s.Push(kLow);
    s.Pop(trial, 1);
    s.popped[kLow] = 0;
    s.Push(kHigh);
  };
  const auto push_both = [](Subject& s, Trial&) { s.PushBoth(); };
  const auto pop = [](Subject& s, Trial& trial) { s.Pop(trial, 1); };
  const auto pop_twice = [](Subject& s, Trial& trial) {
    s.Pop(trial, 1);
    s.Pop(trial, 1);
  };
  const auto pop_and_push_again = [](Subject& s, Trial& trial) {
    if (s.Pop(trial, 1) == 0) return;
    s.popped[kLow] = 0;
    s.Push(kLow);
  };
  const auto pop_many = [](Subject& s, Trial& trial) { s.Pop(trial, 4); };
  return {
      Threads("a push beside a pop", nothing, {push_low, pop}, {kLow}),
      Threads("a push to a leaf that a pop empties", push_low2, {push_low, pop_twice},
              {kLow, kLow2}),
      Threads("two pops of one leaf", push_lows, {pop, pop}, {kLow, kLow2}),
      Threads("a slot that is pushed again beside a pop", push_low, {pop_and_push_again, pop},
              {kLow}),
      Threads("a batch beside a pop", nothing, {push_both, pop_many}, {kLow, kHigh}),
      Threads("a push to a leaf that is empty but for its mark, beside a pop from the other",
              push_high_beside_a_mark, {push_low, pop}, {kLow, kHigh}),
      Threads("two pushes to a leaf", nothing, {push_low, push_low2}, {kLow, kLow2}),
      Threads("two pops that empty a leaf beside a push", push_low2, {push_low, pop, pop},
              {kLow, kLow2}),
      {"a push beside one who finds nothing and goes to sleep",
       [](Trial& trial) {
         Subject s;
         bool sees_nobody = false;
         bool sees_nothing = false;
         trial.Run({[&] {
                      s.Push(kHigh);
                      sees_nobody = s.SeesNobodyAsleep();
                    },
                    [&] {
                      s.FallAsleep();
                      sees_nothing = s.queue.Empty();
                    }});
         trial.Expect(!sees_nobody || !sees_nothing, "one of them sees the other");
       }},
      {"the same with a pop",
       [](Trial& trial) {
         Subject s;
         bool sees_nobody = false;
         bool sees_nothing = false;
         trial.Run({[&] {
                      s.Push(kHigh);
                      sees_nobody = s.SeesNobodyAsleep();
                    },
                    [&] {
                      s.FallAsleep();
                      sees_nothing = s.Pop(trial, 4) == 0;
                    }});
         trial.Expect(!sees_nobody || !sees_nothing, "one of them sees the other");
       }},
  };
}

TEST(BitmapInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(
      kPlan, Programs(),
      {
          // Of the mark. The look behind its taking is sequentially consistent, as the bits
          // are; in the model, where these have one order in time, that is enough.
          "LeafSweep::Mark update release -> relaxed",
      });
}

}  // namespace
}  // namespace coord
