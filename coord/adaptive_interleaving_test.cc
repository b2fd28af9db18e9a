// Adaptive in every interleaving of its changes from one queue to the other: each slot once, in
// order with its push, and nothing overlooked. (queues_interleaving_test.cc has what all queues
// promise, bitmap_interleaving_test.cc and the same what its two queues do by themselves.)
//
// In the model a period is one entry, and so is a turn.
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coord/adaptive.h"
#include "gtest/gtest.h"
#include "kv/base/atomic.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace coord {
namespace {

using kv::testing::interleaving::ExpectEveryOrderNeeded;
using kv::testing::interleaving::FirstFailure;
using kv::testing::interleaving::kBriefPlan;
using kv::testing::interleaving::kPlan;
using kv::testing::interleaving::Program;
using kv::testing::interleaving::Trial;

constexpr uint32_t kA = 0, kB = 1, kC = 2, kD = 3;
constexpr size_t kSlots = 4;

// In the place of the rings, which have tests of their own: a bit for each slot, in one word. So
// there are fewer interleavings.
class OneWord {
 public:
  static constexpr std::string_view kName = "one word";
  explicit OneWord(size_t) {}

  template <std::memory_order kPublish>
  void Push(uint32_t slot) {
    bits_.fetch_or(1u << slot, std::memory_order_seq_cst);
  }
  template <std::memory_order kPublish>
  void PushBatch(std::span<const uint32_t> slots) {
    for (const uint32_t slot : slots) Push<kPublish>(slot);
  }
  void Push(uint32_t slot) { Push<std::memory_order_seq_cst>(slot); }
  void PushBatch(std::span<const uint32_t> slots) { PushBatch<std::memory_order_seq_cst>(slots); }
  // One.
  size_t Pop(std::span<uint32_t> out) {
    uint32_t seen = bits_.load(std::memory_order_seq_cst);
    while (seen != 0) {
      if (bits_.compare_exchange_weak(seen, seen & (seen - 1), std::memory_order_seq_cst)) {
        out[0] = static_cast<uint32_t>(std::countr_zero(seen));
        return 1;
      }
    }
    return 0;
  }
  bool Empty() const { return bits_.load(std::memory_order_seq_cst) == 0; }
  static constexpr size_t BypassBound(size_t slots, size_t) { return slots; }

 private:
  kv::Atomic<uint32_t> bits_{0};
};

class Subject {
 public:
  using Queue = AdaptiveOver<OneWord>;
  using Mode = Queue::Mode;

  explicit Subject(Trial& trial) : trial_(trial) {}

  void Push(uint32_t slot) {
    ++written_[slot];
    queue_.Push(slot);
  }
  void PushBoth(uint32_t one, uint32_t other) {
    ++written_[one];
    ++written_[other];
    queue_.PushBatch(std::array<uint32_t, 2>{one, other});
  }

  std::vector<uint32_t> Pop(size_t most = kSlots) {
    std::array<uint32_t, kSlots> out{};
    const size_t count = queue_.Pop(std::span(out).first(most));
    for (const uint32_t slot : std::span(out).first(count)) {
      trial_.Expect(++read_[slot] == written_[slot], "once for each push, and in order with it");
    }
    return {out.begin(), out.begin() + static_cast<ptrdiff_t>(count)};
  }
  void PopAll() {
    while (!Pop().empty()) {
    }
  }
  void PopAndPushAgain(size_t most = 1) {
    for (const uint32_t slot : Pop(most)) Push(slot);
  }

  // Of a thread behind a push of its own, while nobody else pushes: it then has the bitmap.
  void ComeBack() {
    for (int period = 0; period < 2; ++period) PopAndPushAgain();
  }

  void PushCAndLookForSleeper() {
    Push(kC);
    sees_nobody_ = asleep_.load(std::memory_order_seq_cst) == 0;
  }
  // Of a thread that may have popped C before.
  void SleepIfEmpty() {
    const bool popped = read_[kC] > 0;
    asleep_.store(1, std::memory_order_seq_cst);
    sees_nothing_ = queue_.Empty() && !popped;
  }
  void SleepIfPopFindsNothing() {
    const bool popped = read_[kC] > 0;
    asleep_.store(1, std::memory_order_seq_cst);
    sees_nothing_ = Pop(1).empty() && !popped;
  }

  Mode mode() const { return queue_.mode(); }

  // When the threads are through: nothing is lost, and nothing is left.
  void Settle() {
    trial_.Expect(!sees_nobody_ || !sees_nothing_, "one of them sees the other");
    trial_.Expect(!queue_.Empty() || read_ == written_, "it is not empty");
    PopAll();
    trial_.Expect(queue_.Empty(), "it is empty");
    trial_.Expect(read_ == written_, "each push is popped");
  }

 private:
  Trial& trial_;
  Queue queue_{kSlots};
  std::array<int, kSlots> written_{};  // these two: no atomics, the queue orders them
  std::array<int, kSlots> read_{};
  kv::Atomic<int> asleep_{0};
  bool sees_nobody_ = false;
  bool sees_nothing_ = false;
};

using Body = std::function<void(Subject&)>;

Program Threads(std::string name, Body before, std::vector<Body> bodies) {
  return {std::move(name), [before = std::move(before), bodies = std::move(bodies)](Trial& trial) {
            Subject subject(trial);
            before(subject);
            std::vector<std::function<void()>> threads;
            for (const Body& body : bodies) {
              threads.push_back([&subject, &body] { body(subject); });
            }
            trial.Run(std::move(threads));
            subject.Settle();
          }};
}

void Nothing(Subject&) {}
// The thread that sets up has the bitmap, which has something.
void PushA(Subject& s) { s.Push(kA); }
void PushAndPopA(Subject& s) {
  s.Push(kA);
  s.Pop(1);
}
void PushAB(Subject& s) { s.PushBoth(kA, kB); }

// From the bitmap to the rings, beside those who still push into the one and who pop.
std::vector<Program> SwitchesToRings() {
  const Body has_bitmap_and_looks = [](Subject& s) {
    s.Push(kA);
    s.PushCAndLookForSleeper();
  };
  const Body has_bitmap_and_looks_behind_a_batch = [](Subject& s) {
    s.Push(kC);
    s.PushBoth(kA, kD);
  };
  // The second thread that pushes pops until the bitmap is drained, then sleeps.
  const Body drains_and_sleeps = [](Subject& s) {
    s.Push(kB);
    s.PopAll();
    s.SleepIfEmpty();
  };
  const Body drains_and_sleeps_with_pop = [](Subject& s) {
    s.Push(kB);
    s.PopAll();
    s.SleepIfPopFindsNothing();
  };
  const Body drains = [](Subject& s) {
    s.Push(kB);
    s.PopAll();
  };
  return {
      Threads("a second thread pushes beside a pop", PushA,
              {[](Subject& s) { s.Push(kB); },
               [](Subject& s) {
                 s.Pop(1);
                 s.Pop(1);
               }}),
      Threads("a push into the bitmap that is late, beside one who sleeps", Nothing,
              {has_bitmap_and_looks, drains_and_sleeps}),
      Threads("the same with a pop", Nothing, {has_bitmap_and_looks, drains_and_sleeps_with_pop}),
      Threads("a batch into the bitmap that is late", Nothing,
              {has_bitmap_and_looks_behind_a_batch, drains}),
  };
}

// And back.
std::vector<Program> SwitchesToBitmap() {
  const Body comes_back_and_looks = [](Subject& s) {
    s.Push(kB);
    s.PopAndPushAgain(2);
    s.Pop(2);
    s.PushCAndLookForSleeper();
  };
  const Body comes_back = [](Subject& s) {
    s.Push(kB);
    s.ComeBack();
  };
  return {
      Threads("the first push into the bitmap again, beside one who sleeps", PushAndPopA,
              {comes_back_and_looks, [](Subject& s) { s.SleepIfEmpty(); }}),
      Threads("the same with a pop", PushAndPopA,
              {comes_back_and_looks, [](Subject& s) { s.SleepIfPopFindsNothing(); }}),
      Threads("pops that push again, and end periods", PushAB,
              {[](Subject& s) { s.ComeBack(); }, [](Subject& s) { s.PopAndPushAgain(); }}),
      Threads("one comes back beside one who drains", PushA,
              {comes_back, [](Subject& s) { s.PopAll(); }}),
  };
}

std::vector<Program> ThreeThreads() {
  return {
      Threads("a second thread pushes beside the first and a pop", Nothing,
              {[](Subject& s) {
                 s.Push(kA);
                 s.Push(kB);
               },
               [](Subject& s) { s.Push(kC); },
               [](Subject& s) {
                 s.Pop();
                 s.Pop();
               }}),
      // Who has found the bitmap empty stands still, while another comes back to it and leaves it.
      Threads("a pop that is late to say that the bitmap is drained", PushAndPopA,
              {[](Subject& s) {
                 s.Push(kC);
                 s.Pop(2);
               },
               [](Subject& s) {
                 s.Push(kB);
                 s.ComeBack();
               },
               [](Subject& s) { s.Push(kD); }}),
  };
}

TEST(AdaptiveInterleavingTest, SwitchesToRings) {
  EXPECT_EQ(FirstFailure(kPlan, SwitchesToRings()), "");
}

TEST(AdaptiveInterleavingTest, SwitchesToBitmap) {
  EXPECT_EQ(FirstFailure(kPlan, SwitchesToBitmap()), "");
}

TEST(AdaptiveInterleavingTest, ThreeThreads) {
  EXPECT_EQ(FirstFailure(kBriefPlan, ThreeThreads()), "");
}

// The programs do what their names say.
TEST(AdaptiveInterleavingTest, GoesBothWays) {
  using Mode = Subject::Mode;
  const Program program = {"there and back", [](Trial& trial) {
                             Subject s(trial);
                             s.Push(kA);
                             trial.Expect(s.mode() == Mode::kBitmap, "one thread");
                             trial.Run({[&] {
                               s.Push(kB);
                               trial.Expect(s.mode() == Mode::kBoth, "a second one");
                               s.PopAll();
                               trial.Expect(s.mode() == Mode::kRings, "the bitmap is drained");
                               s.Push(kB);
                               s.ComeBack();
                               trial.Expect(s.mode() == Mode::kBitmap, "one thread again");
                             }});
                             s.Settle();
                           }};
  EXPECT_EQ(FirstFailure(kPlan, {program}), "");
}

TEST(AdaptiveInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  std::vector<Program> programs = SwitchesToRings();
  for (Program& program : SwitchesToBitmap()) programs.push_back(std::move(program));
  ExpectEveryOrderNeeded(kPlan, programs, /*kept=*/{}, {"AdaptiveOver::"});
}

}  // namespace
}  // namespace coord
