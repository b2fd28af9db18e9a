// What Adaptive sees of those who push, and what it makes of that. That nothing is lost on the way
// is for the suites (parts_conformance_test.cc) and for adaptive_interleaving_test.cc.
#include "coord/adaptive.h"

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <span>
#include <thread>
#include <vector>

#include "coord/per_thread_rings.h"
#include "coord/work_stealing.h"
#include "gtest/gtest.h"
#include "kv/base/thread_stripe.h"

namespace coord {
namespace {

template <typename Q>
class AdaptiveTest : public testing::Test {
 protected:
  static void OnAnotherThread(auto work) { std::thread(work).join(); }

  size_t Pop(size_t most = 64) {
    popped_.resize(most);
    popped_.resize(queue_.Pop(popped_));
    return popped_.size();
  }
  size_t PopAll() {
    size_t count = 0;
    while (const size_t some = Pop()) count += some;
    return count;
  }
  // Pushes one slot and pops it, often.
  void PushAndPop(size_t times) {
    for (size_t i = 0; i < times; ++i) {
      queue_.Push(7);
      ASSERT_EQ(Pop(), 1u);
    }
  }

  Q queue_{1'000};
  std::vector<uint32_t> popped_;
};
using Queues = testing::Types<Adaptive, AdaptiveOver<PerThreadRings>>;
TYPED_TEST_SUITE(AdaptiveTest, Queues);

TYPED_TEST(AdaptiveTest, OneThreadHasTheBitmap) {
  using Mode = typename TypeParam::Mode;
  EXPECT_EQ(this->queue_.mode(), Mode::kRings) << "nobody has pushed";
  for (const uint32_t slot : {30, 10, 20}) this->queue_.Push(slot);
  EXPECT_EQ(this->queue_.mode(), Mode::kBitmap);
  EXPECT_EQ(this->Pop(), 3u);
  EXPECT_EQ(this->popped_, (std::vector<uint32_t>{10, 20, 30})) << "in the bitmap's order";
  EXPECT_TRUE(this->queue_.Empty());
  this->PushAndPop(3 * TypeParam::kPeriod);
  EXPECT_EQ(this->queue_.mode(), Mode::kBitmap);
}

TYPED_TEST(AdaptiveTest, ASecondThreadMakesForRingsAtOnce) {
  using Mode = typename TypeParam::Mode;
  this->queue_.Push(1);
  this->OnAnotherThread([this] { this->queue_.Push(2); });
  EXPECT_EQ(this->queue_.mode(), Mode::kBoth);
  this->queue_.PushBatch(std::vector<uint32_t>{30, 10, 20});
  EXPECT_FALSE(this->queue_.Empty());
  EXPECT_EQ(this->PopAll(), 5u);
  EXPECT_EQ(this->queue_.mode(), Mode::kRings) << "a pop has found the bitmap empty";
  this->queue_.PushBatch(std::vector<uint32_t>{30, 10, 20});
  EXPECT_EQ(this->Pop(), 3u);
  EXPECT_EQ(this->popped_, (std::vector<uint32_t>{30, 10, 20})) << "in the ring's order";
}

TYPED_TEST(AdaptiveTest, NothingOfTheBitmapIsForgotten) {
  std::vector<uint32_t> first(500);
  std::iota(first.begin(), first.end(), 0);
  this->queue_.PushBatch(first);
  this->OnAnotherThread([this] { this->queue_.Push(999); });
  EXPECT_FALSE(this->queue_.Empty());
  EXPECT_EQ(this->PopAll(), 501u);
  EXPECT_TRUE(this->queue_.Empty());
}

TYPED_TEST(AdaptiveTest, OneThreadComesBackToTheBitmapBehindAPeriod) {
  using Mode = typename TypeParam::Mode;
  this->queue_.Push(1);
  this->OnAnotherThread([this] { this->queue_.Push(2); });
  this->PopAll();
  // The rest of the period of several, in which the two above count, and then one of its own.
  constexpr size_t kPeriod = TypeParam::kPeriod;
  this->PushAndPop(2 * kPeriod - 2);
  EXPECT_EQ(this->queue_.mode(), Mode::kRings) << "the next push is in the bitmap";
  this->queue_.Push(1);
  EXPECT_EQ(this->queue_.mode(), Mode::kBitmap);
  EXPECT_FALSE(this->queue_.Empty());
  EXPECT_EQ(this->PopAll(), 1u);
}

TYPED_TEST(AdaptiveTest, NotBeforeAWholePeriod) {
  using Mode = typename TypeParam::Mode;
  this->queue_.Push(1);
  this->OnAnotherThread([this] { this->queue_.Push(2); });
  this->PopAll();
  for (size_t i = 0; i < 10; ++i) {
    this->PushAndPop(TypeParam::kPeriod - 1);
    EXPECT_NE(this->queue_.mode(), Mode::kBitmap);
    this->OnAnotherThread([this] { this->queue_.Push(2); });
    this->PopAll();
  }
  EXPECT_EQ(this->queue_.mode(), Mode::kRings);
}

// What a worker has popped before a period began does not count in it.
TYPED_TEST(AdaptiveTest, APeriodIsOfWhatWasPoppedInIt) {
  using Mode = typename TypeParam::Mode;
  this->queue_.Push(1);
  this->OnAnotherThread([this] { this->queue_.Push(2); });
  this->PopAll();
  std::vector<uint32_t> slots(1'000);
  std::iota(slots.begin(), slots.end(), 0);
  for (size_t left = TypeParam::kPeriod - 1; left > 0;) {
    const size_t some = std::min(left, slots.size());
    this->queue_.PushBatch(std::span(slots).first(some));
    this->OnAnotherThread([this] { this->PopAll(); });
    left -= some;
  }
  this->PushAndPop(TypeParam::kPeriod - 2);
  // Now one has been watched for no more than an entry, by a worker who had all but a period.
  this->queue_.Push(1);
  this->OnAnotherThread([this] { this->PopAll(); });
  this->queue_.Push(1);
  EXPECT_EQ(this->queue_.mode(), Mode::kRings);
}

TYPED_TEST(AdaptiveTest, WhoIsWatchedForAllButAPeriodBeginsAgain) {
  using Mode = typename TypeParam::Mode;
  constexpr size_t kPeriod = TypeParam::kPeriod;
  this->queue_.Push(1);
  this->OnAnotherThread([this] { this->queue_.Push(2); });
  this->PopAll();
  this->PushAndPop(kPeriod - 2);
  this->PushAndPop(kPeriod - 1);
  this->OnAnotherThread([this] { this->queue_.Push(2); });
  this->PopAll();
  this->PushAndPop(2 * kPeriod - 1);
  EXPECT_EQ(this->queue_.mode(), Mode::kRings);
  this->PushAndPop(1);
  EXPECT_EQ(this->queue_.mode(), Mode::kBitmap);
}

// A period is of as many entries as there are slots, if these are more.
TEST(AdaptivePeriodTest, GrowsWithTheSlots) {
  constexpr uint32_t kSlots = Adaptive::kPeriod + 10'000;
  Adaptive queue(kSlots);
  std::vector<uint32_t> all(kSlots);
  std::iota(all.begin(), all.end(), 0);
  std::vector<uint32_t> out(64);
  const auto push_and_pop = [&](size_t count) {
    queue.PushBatch(std::span(all).first(count));
    while (queue.Pop(out) > 0) {
    }
  };
  push_and_pop(1);
  std::thread([&] { queue.Push(6); }).join();
  push_and_pop(kSlots - 2);
  push_and_pop(1);
  push_and_pop(kSlots - 2);
  push_and_pop(1);
  EXPECT_EQ(queue.mode(), Adaptive::Mode::kRings);
  push_and_pop(1);
  EXPECT_EQ(queue.mode(), Adaptive::Mode::kRings);
  push_and_pop(1);
  EXPECT_EQ(queue.mode(), Adaptive::Mode::kBitmap);
}

// Who has pushed and ended keeps the bitmap from nobody.
TYPED_TEST(AdaptiveTest, AnotherThreadComesToTheBitmap) {
  using Mode = typename TypeParam::Mode;
  this->queue_.Push(1);
  this->OnAnotherThread([this] {
    this->PushAndPop(1);
    this->PopAll();
    this->PushAndPop(2 * TypeParam::kPeriod);
    EXPECT_EQ(this->queue_.mode(), Mode::kBitmap);
  });
  this->queue_.Push(1);
  EXPECT_EQ(this->queue_.mode(), Mode::kBoth);
  EXPECT_EQ(this->PopAll(), 1u);
}

// Neither queue keeps the other waiting for longer than a turn.
TYPED_TEST(AdaptiveTest, TheQueuesTakeTurns) {
  constexpr ptrdiff_t kTurn = 64;
  for (const size_t most : {1, 10, 64, 200}) {
    std::vector<uint32_t> low(300);
    std::vector<uint32_t> high(300);
    std::iota(low.begin(), low.end(), 0);
    std::iota(high.begin(), high.end(), 500);
    TypeParam queue(1'000);
    queue.PushBatch(low);
    this->OnAnotherThread([&] { queue.PushBatch(high); });
    std::vector<uint32_t> popped(most);
    ptrdiff_t lead = 0;
    for (size_t total = 0; total < 500;) {
      const size_t count = queue.Pop(popped);
      ASSERT_GT(count, 0u);
      for (const uint32_t slot : std::span(popped).first(count)) lead += slot < 500 ? -1 : 1;
      ASSERT_LE(std::abs(lead), kTurn);
      total += count;
    }
  }
}

// More threads at a time than have a number of their own: those that have none share theirs, so
// one of them alone is not to be told from several.
TEST(AdaptiveThreadsTest, WhoSharesANumberIsNotAlone) {
  constexpr size_t kThreads = Adaptive::kOwners + 3;
  Adaptive queue(100);
  std::barrier all(kThreads);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      const bool last = kv::ThreadNumber() == Adaptive::kOwners;
      all.arrive_and_wait();
      if (last) {
        std::vector<uint32_t> slots(50);
        std::iota(slots.begin(), slots.end(), 0);
        std::vector<uint32_t> out(50);
        bool was_alone = false;
        for (size_t popped = 0; popped < 3 * Adaptive::kPeriod;) {
          queue.PushBatch(slots);
          was_alone |= queue.mode() == Adaptive::Mode::kBitmap;
          while (const size_t count = queue.Pop(out)) popped += count;
        }
        EXPECT_FALSE(was_alone);
      }
      all.arrive_and_wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace coord
