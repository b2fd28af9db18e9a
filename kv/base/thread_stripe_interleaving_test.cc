// ThreadNumbers: threads that take numbers and give them back, in every interleaving.
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/base/thread_stripe.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv {
namespace {

using internal::ThreadNumbers;
using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

// The use that the header shows: a stripe has plain fields of the thread that has the number.
class Subject {
 public:
  // The numbers below `taken` belong to threads that go on.
  explicit Subject(size_t taken) {
    for (size_t i = 0; i < taken; ++i) numbers_.Take();
  }

  size_t Take(Trial& trial) {
    const size_t number = numbers_.Take();
    if (number == ThreadNumbers::kShared) return number;
    trial.Expect(!had_[number], "a number that no other thread has");
    had_[number] = true;
    return number;
  }
  void GiveBack(size_t number) {
    if (number != ThreadNumbers::kShared) had_[number] = false;
    numbers_.GiveBack(number);
  }
  void TakeAndGiveBack(Trial& trial) { GiveBack(Take(trial)); }

 private:
  ThreadNumbers numbers_;
  std::array<bool, ThreadNumbers::kShared> had_{};
};

// Two threads that keep what they take.
Program Keep(std::string name, size_t taken, size_t one, size_t other) {
  return {
      std::move(name), [=](Trial& trial) {
        Subject subject(taken);
        std::array<size_t, 2> got{};
        trial.Run({[&] { got[0] = subject.Take(trial); }, [&] { got[1] = subject.Take(trial); }});
        trial.Expect((got[0] == one && got[1] == other) || (got[0] == other && got[1] == one),
                     "the lowest that are free");
      }};
}

std::vector<Program> Programs() {
  return {
      Keep("two threads begin", 0, 0, 1),
      Keep("the last of a word", 63, 63, 64),
      Keep("the last of all", ThreadNumbers::kShared - 1, ThreadNumbers::kShared - 1,
           ThreadNumbers::kShared),
      {"one begins as another ends",
       [](Trial& trial) {
         Subject subject(0);
         trial.Run(
             {[&] { subject.TakeAndGiveBack(trial); }, [&] { subject.TakeAndGiveBack(trial); }});
         trial.Expect(subject.Take(trial) == 0, "all are free again");
       }},
      {"the last number is handed on",
       [](Trial& trial) {
         Subject subject(ThreadNumbers::kShared - 1);
         trial.Run(
             {[&] { subject.TakeAndGiveBack(trial); }, [&] { subject.TakeAndGiveBack(trial); }});
         trial.Expect(subject.Take(trial) == ThreadNumbers::kShared - 1, "it is free again");
       }},
      {"three threads",
       [](Trial& trial) {
         Subject subject(62);
         trial.Run({[&] { subject.TakeAndGiveBack(trial); },
                    [&] { subject.TakeAndGiveBack(trial); }, [&] { subject.Take(trial); }});
       }},
  };
}

TEST(ThreadStripeInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  ExpectEveryOrderNeeded(kPlan, Programs());
}

}  // namespace
}  // namespace kv
