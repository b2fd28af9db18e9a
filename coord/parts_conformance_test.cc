// The suites of the parts: over each of them, and over ones that must be refused.
#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "coord/adaptive.h"
#include "coord/asymmetric_fence.h"
#include "coord/bitmap.h"
#include "coord/event_fd.h"
#include "coord/fence_concept.h"
#include "coord/growing_ring.h"
#include "coord/locked.h"
#include "coord/park.h"
#include "coord/per_thread_rings.h"
#include "coord/queue_conformance.h"
#include "coord/ready_queue_concept.h"
#include "coord/ring.h"
#include "coord/spin_then_park.h"
#include "coord/symmetric_fence.h"
#include "coord/waiter_concept.h"
#include "coord/waiter_conformance.h"
#include "coord/work_stealing.h"
#include "gtest/gtest.h"
#include "kv/base/thread_stripe.h"

namespace coord {
namespace {

template <typename Q>
class QueueConformanceTest : public testing::Test {};
// Adaptive over the rings with the smaller bypass bound: the suite runs for as long as that is
// large.
using Queues = testing::Types<LockedQueue, BitmapQueue, RingQueue, GrowingRing, PerThreadRings,
                              WorkStealing, AdaptiveOver<PerThreadRings>>;
TYPED_TEST_SUITE(QueueConformanceTest, Queues);

TYPED_TEST(QueueConformanceTest, Passes) {
  const absl::Status status = CheckQueue<TypeParam>();
  EXPECT_TRUE(status.ok()) << status;
}

template <typename W>
class WaiterConformanceTest : public testing::Test {};
using Waiters = testing::Types<Park, SpinThenPark<>, SpinThenPark<SpinShape{.turns = 1}>, EventFd>;
TYPED_TEST_SUITE(WaiterConformanceTest, Waiters);

TYPED_TEST(WaiterConformanceTest, Passes) {
  const absl::Status status = CheckWaiter<TypeParam>();
  EXPECT_TRUE(status.ok()) << status;
}

// ---- Queues that the suite refuses.

struct LastInFirstOut {
  static constexpr std::string_view kName = "last in, first out";
  explicit LastInFirstOut(size_t) {}
  void Push(uint32_t slot) { PushBatch({&slot, 1}); }
  void PushBatch(std::span<const uint32_t> slots) {
    const std::lock_guard lock(mutex);
    stack.insert(stack.end(), slots.begin(), slots.end());
  }
  size_t Pop(std::span<uint32_t> out) {
    const std::lock_guard lock(mutex);
    const size_t count = std::min(out.size(), stack.size());
    std::copy_n(stack.rbegin(), count, out.begin());
    stack.resize(stack.size() - count);
    return count;
  }
  bool Empty() const {
    const std::lock_guard lock(mutex);
    return stack.empty();
  }
  static constexpr size_t BypassBound(size_t slots, size_t) { return slots; }
  mutable std::mutex mutex;
  std::vector<uint32_t> stack;
};

struct ForgetsOneOfMany : LockedQueue {
  using LockedQueue::LockedQueue;
  void Push(uint32_t slot) {
    if (++pushes % 100 != 0) LockedQueue::Push(slot);
  }
  std::atomic<int> pushes{0};
};

struct RepeatsItself : LockedQueue {
  explicit RepeatsItself(size_t slots) : LockedQueue(2 * slots) {}
  void Push(uint32_t slot) {
    LockedQueue::Push(slot);
    LockedQueue::Push(slot);
  }
};

struct AlwaysEmpty : LockedQueue {
  using LockedQueue::LockedQueue;
  bool Empty() const { return true; }
};

struct BatchOfOne : LockedQueue {
  using LockedQueue::LockedQueue;
  void PushBatch(std::span<const uint32_t> slots) {
    if (!slots.empty()) LockedQueue::Push(slots[0]);
  }
};

TEST(QueueSuite, RefusesBrokenQueues) {
  EXPECT_TRUE(CheckQueueAlone<LastInFirstOut>(10).ok());
  EXPECT_EQ(CheckQueueFairness<LastInFirstOut>(10).message(), "bypassed too often");
  EXPECT_EQ(CheckQueueFairnessTogether<LastInFirstOut>(50).message(), "bypassed too often");
  EXPECT_FALSE(CheckQueueAlone<ForgetsOneOfMany>(200).ok());
  EXPECT_EQ(CheckQueueTogether<ForgetsOneOfMany>(5, 300, 2'000).message(), "a slot got lost");
  EXPECT_FALSE(CheckQueueAlone<RepeatsItself>(10).ok());
  EXPECT_EQ(CheckQueueAlone<AlwaysEmpty>(10).message(), "Empty while there is something");
  EXPECT_FALSE(CheckQueueAlone<BatchOfOne>(10).ok());
}

// Of the second entry two were pushed behind it and popped before; of the first one, but beside it.
TEST(QueueSuite, CountsWhoIsBypassed) {
  using conformance::IsBypassed;
  const std::vector<conformance::Passage> passages = {
      {.push_begin = 1, .push_end = 6, .pop_begin = 30, .pop_end = 31},
      {.push_begin = 2, .push_end = 3, .pop_begin = 20, .pop_end = 21},
      {.push_begin = 5, .push_end = 7, .pop_begin = 8, .pop_end = 9},
      {.push_begin = 4, .push_end = 10, .pop_begin = 11, .pop_end = 12}};
  EXPECT_TRUE(IsBypassed(passages, 1));
  EXPECT_FALSE(IsBypassed(passages, 2));
}

// A queue that is long in use by threads that come and go.
template <typename Q>
class QueueOfManyThreadsTest : public testing::Test {};
using QueuesOfThreads = testing::Types<PerThreadRings, WorkStealing, Adaptive>;
TYPED_TEST_SUITE(QueueOfManyThreadsTest, QueuesOfThreads);

TYPED_TEST(QueueOfManyThreadsTest, NumbersAreUsedAgain) {
  TypeParam queue(8);
  std::vector<uint32_t> out(8);
  for (uint32_t i = 0; i < 300; ++i) {
    std::thread([&] {
      EXPECT_LT(kv::ThreadNumber(), 8u);
      queue.Push(i % 8);
    }).join();
    if (i % 8 != 7) continue;
    EXPECT_EQ(queue.Pop(out), 8u);
    for (uint32_t slot = 0; slot < 8; ++slot) EXPECT_EQ(out[slot], slot) << "in order";
  }
}

// More threads at a time than have a ring of their own, and one that is about to end.
TYPED_TEST(QueueOfManyThreadsTest, TheOthersShareARing) {
  constexpr uint32_t kThreads = PerThreadRings::kOwners + 20;
  TypeParam queue(2 * kThreads);
  struct PushesAtTheEnd {
    ~PushesAtTheEnd() {
      if (queue != nullptr) queue->Push(slot);
    }
    TypeParam* queue = nullptr;
    uint32_t slot = 0;
  };
  std::barrier all(kThreads);
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      // Made before the thread has its number, so it ends behind that.
      thread_local PushesAtTheEnd at_the_end;
      at_the_end.queue = &queue;
      at_the_end.slot = kThreads + i;
      queue.Push(i);
      all.arrive_and_wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<uint32_t> out(2 * kThreads);
  std::vector<uint32_t> popped;
  while (const size_t count = queue.Pop(out)) popped.insert(popped.end(), &out[0], &out[count]);
  std::sort(popped.begin(), popped.end());
  ASSERT_EQ(popped.size(), 2 * kThreads);
  for (uint32_t slot = 0; slot < 2 * kThreads; ++slot) EXPECT_EQ(popped[slot], slot);
  EXPECT_TRUE(queue.Empty());
}

// Of one who never pops all is taken; of a worker half, oldest first.
TEST(WorkStealingTest, StealsHalf) {
  WorkStealing queue(20);
  std::vector<uint32_t> out(20);
  std::thread([&] {
    for (uint32_t slot = 0; slot < 9; ++slot) queue.Push(slot);
  }).join();
  EXPECT_EQ(queue.Pop(out), 9u);  // so this is a worker
  for (uint32_t slot = 0; slot < 9; ++slot) queue.Push(slot);
  std::thread([&] {
    std::vector<uint32_t> stolen(20);
    EXPECT_EQ(queue.Pop(stolen), 5u);
    EXPECT_EQ(stolen[4], 4u);
    EXPECT_EQ(queue.Pop(stolen), 2u);
  }).join();
  EXPECT_EQ(queue.Pop(out), 2u);
  EXPECT_EQ(out[0], 7u);
}

// ---- Waiters that the suite refuses.

// Wakes those who wait already, and nobody else.
struct KeepsNothing : Park {
  bool WaitFor(std::chrono::nanoseconds longest) {
    Park::CancelWait();
    Park::PrepareWait();
    return Park::WaitFor(longest);
  }
};

struct SkipsNotifications : Park {
  size_t Notify(size_t count) { return ++calls % 10 == 0 ? 0 : Park::Notify(count); }
  std::atomic<int> calls{0};
};

struct ForgetsToCancel : Park {
  void CancelWait() {}
};

struct NotifiesOneAtATime : Park {
  size_t NotifyAll() { return Park::Notify(0); }
};

TEST(WaiterSuite, RefusesBrokenWaiters) {
  constexpr auto kSoon = std::chrono::milliseconds(100);
  EXPECT_EQ(CheckWaiterAlone<KeepsNothing>().message(), "a notification before the wait was lost");
  EXPECT_EQ(CheckWaiterHandOff<SkipsNotifications>(2'000, kSoon).message(), "a wake-up was lost");
  EXPECT_EQ(CheckWaiterAlone<ForgetsToCancel>().message(), "a wait that was cancelled is counted");
  EXPECT_EQ(CheckWaiterAlone<NotifiesOneAtATime>().message(), "NotifyAll left one out");
}

// ---- Types that the concepts refuse.

struct QueueWithoutBound : LockedQueue {
  using LockedQueue::LockedQueue;
  static void BypassBound(size_t, size_t);
};
static_assert(!ReadyQueue<QueueWithoutBound>);
struct QueueWithoutRoom : LockedQueue {
  QueueWithoutRoom() : LockedQueue(1) {}
};
static_assert(!ReadyQueue<QueueWithoutRoom>);
struct WaiterThatCountsNothing : Park {
  void Notify(size_t count);
};
static_assert(!Waiter<WaiterThatCountsNothing>);
struct FenceWithoutHeavy {
  static constexpr std::string_view kName = "light";
  uint64_t LoadAfterStores(kv::Atomic<uint64_t>& word);
};
static_assert(!Fence<FenceWithoutHeavy>);

// ---- Models.

TEST(AsymmetricFenceTest, TheKernelGrantsItOrRegistrantsPay) {
  struct Refused {
    bool Register() { return false; }
    void operator()() { ADD_FAILURE() << "a barrier that was refused"; }
  };
  AsymmetricFenceBy<Refused> fence;
  EXPECT_FALSE(fence.granted());
  kv::Atomic<uint64_t> word{7};
  EXPECT_EQ(fence.LoadAfterStores(word), 7u);
  fence.Heavy();
  AsymmetricFence real;
  EXPECT_EQ(real.LoadAfterStores(word), 7u);
  real.Heavy();
}

TEST(NamesTest, HaveTheShape) { EXPECT_EQ(SpinThenPark<>::kName, "spin_then_park<256>"); }

}  // namespace
}  // namespace coord
