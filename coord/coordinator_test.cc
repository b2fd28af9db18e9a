// Coordinator: results, timers with a clock that is turned by hand, metrics, loops on epoll, and
// the pool of workers.
#include "coord/coordinator.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "coord/bitmap.h"
#include "coord/counters.h"
#include "coord/event_fd.h"
#include "coord/locked.h"
#include "coord/park.h"
#include "coord/symmetric_fence.h"
#include "coord/worker_pool.h"
#include "gtest/gtest.h"
#include "kv/base/clock.h"

namespace coord {
namespace {

using std::chrono::milliseconds;

template <typename W = Park>
struct Parts {
  using ReadyQueue = LockedQueue;
  using Waiter = W;
  using Fence = SymmetricFence;
  using Clock = kv::ManualClock;
};

class CoordinatorTest : public testing::Test {
 protected:
  std::vector<Index> Drain(size_t most = 10) {
    std::vector<Index> batch;
    coordinator_.Drain(most, &batch);
    return batch;
  }
  // Registers and runs the slot.
  Outcome RunOnce(const Result& result) {
    coordinator_.Register(index_);
    EXPECT_EQ(Drain(), std::vector<Index>{index_});
    return coordinator_.Finish(index_, result);
  }
  void ExpectPhase(Phase phase) { EXPECT_EQ(coordinator_.PhaseOf(index_), phase); }

  const std::vector<Index> just_it() const { return {index_}; }

  kv::ManualClock clock_;
  Coordinator<Parts<>> coordinator_{{.slots = 4, .throughput_hint = 3}, clock_};
  const Index index_ = *coordinator_.AddSlot();
};

TEST_F(CoordinatorTest, EachResultLeadsWhereItSays) {
  EXPECT_EQ(RunOnce(Completed{}), Outcome::kMerged);
  ExpectPhase(Phase::kIdle);
  EXPECT_EQ(RunOnce(Completed{.ready_hint = true}), Outcome::kQueued);
  EXPECT_EQ(RunOnce(Yielded{}), Outcome::kQueued);
  EXPECT_EQ(RunOnce(Suspended{}), Outcome::kMerged);
  ExpectPhase(Phase::kAwaitsSignal);
  EXPECT_EQ(RunOnce(Failed{absl::InternalError("broken")}), Outcome::kMerged);
  ExpectPhase(Phase::kIdle);
  EXPECT_EQ(RunOnce(Suspended{SuspendReason::kBackpressure, Capacity{}}), Outcome::kMerged);
  ExpectPhase(Phase::kAwaitsCapacity);
  EXPECT_EQ(coordinator_.Resume(index_), Outcome::kQueued);
  EXPECT_EQ(RunOnce(Stopped{}), Outcome::kMerged);
  EXPECT_EQ(coordinator_.Register(index_), Outcome::kStopped);
}

TEST_F(CoordinatorTest, TimersFireInTheirOrderAndNotBefore) {
  const Index second = *coordinator_.AddSlot();
  coordinator_.Register(index_);
  coordinator_.Register(second);
  Drain();
  coordinator_.Finish(index_, Suspended{SuspendReason::kRateLimit, After{milliseconds(20)}});
  coordinator_.Finish(second, Failed{absl::UnavailableError("later"), milliseconds(10)});
  EXPECT_EQ(coordinator_.UntilTimer(), milliseconds(10));
  clock_.AdvanceMillis(9);
  EXPECT_EQ(Drain(), std::vector<Index>{});
  clock_.AdvanceMillis(1);
  EXPECT_EQ(coordinator_.UntilTimer(), milliseconds(0));
  coordinator_.Wait();  // does not
  EXPECT_EQ(Drain(), std::vector<Index>{second});
  coordinator_.Finish(second, Completed{});
  clock_.AdvanceMillis(100);
  EXPECT_EQ(Drain(), just_it());
  EXPECT_EQ(coordinator_.UntilTimer(), std::nullopt);
  EXPECT_EQ(coordinator_.metrics().timer_fires, 2u);
}

TEST_F(CoordinatorTest, ARegistrationDoesNotCutABackOffShort) {
  RunOnce(Failed{absl::UnavailableError("later"), milliseconds(10)});
  EXPECT_EQ(coordinator_.Register(index_), Outcome::kMerged);
  EXPECT_EQ(Drain(), std::vector<Index>{});
  clock_.AdvanceMillis(10);
  EXPECT_EQ(Drain(), just_it());
}

TEST_F(CoordinatorTest, ATimerOfAnEarlierUseFiresForNobody) {
  RunOnce(Suspended{SuspendReason::kOther, After{milliseconds(10)}});
  EXPECT_EQ(coordinator_.RemoveSlot(index_), Removal::kIdle);
  const Index next = *coordinator_.AddSlot();
  EXPECT_EQ(next.slot, index_.slot);
  clock_.AdvanceMillis(10);
  EXPECT_EQ(Drain(), std::vector<Index>{});
  EXPECT_EQ(coordinator_.metrics().timer_fires, 0u);
  // And is replaced by the timer of the next.
  coordinator_.Register(next);
  EXPECT_EQ(Drain(), std::vector<Index>{next});
  coordinator_.Finish(next, Suspended{SuspendReason::kOther, After{milliseconds(5)}});
  EXPECT_EQ(coordinator_.UntilTimer(), milliseconds(5));
}

TEST_F(CoordinatorTest, SlotsAreFinite) {
  std::vector<Index> more;
  while (const auto index = coordinator_.AddSlot()) more.push_back(*index);
  EXPECT_EQ(more.size(), 3u);
  EXPECT_EQ(coordinator_.RemoveSlot(more[1]), Removal::kIdle);
  EXPECT_EQ(coordinator_.RemoveSlot(more[1]), Removal::kStale);
  EXPECT_TRUE(coordinator_.AddSlot().has_value());
  EXPECT_FALSE(coordinator_.AddSlot().has_value());
}

TEST_F(CoordinatorTest, BatchesOfAnySize) {
  Coordinator<Parts<>> large({.slots = 300});
  std::vector<Index> all;
  while (const auto index = large.AddSlot()) all.push_back(*index);
  EXPECT_EQ(large.RegisterBatch({}), 0u);
  EXPECT_EQ(large.RegisterBatch(all), 300u);
  EXPECT_EQ(large.RegisterBatch(all), 0u);
  std::vector<Index> batch;
  EXPECT_EQ(large.Drain(0, &batch), 0u);
  EXPECT_EQ(large.Drain(299, &batch), 299u);
  EXPECT_EQ(large.Drain(299, &batch), 1u);
  EXPECT_EQ(batch, all);
}

TEST_F(CoordinatorTest, MetricsCountWhatHappened) {
  coordinator_.Register(index_);
  coordinator_.Register(index_);
  coordinator_.Unregister(index_);
  coordinator_.Register({});
  EXPECT_EQ(Drain(), std::vector<Index>{});
  RunOnce(Suspended{SuspendReason::kAwaitsExternal, Signal{}});
  RunOnce(Completed{.ready_hint = true});
  EXPECT_EQ(Drain(), just_it());
  coordinator_.Finish(index_, Failed{absl::InternalError("broken")});
  EXPECT_FALSE(coordinator_.WaitFor(std::chrono::nanoseconds(1)));
  coordinator_.Shutdown();
  coordinator_.Register(index_);
  const Metrics metrics = coordinator_.metrics();
  EXPECT_EQ(metrics.registrations, 3u);
  EXPECT_EQ(metrics.duplicates, 1u);
  EXPECT_EQ(metrics.stale, 1u);
  EXPECT_EQ(metrics.refused, 1u);
  EXPECT_EQ(metrics.withdrawn, 1u);
  EXPECT_EQ(metrics.drained, 3u);
  EXPECT_EQ(metrics.empty_drains, 1u);
  EXPECT_EQ(metrics.requeued, 1u);
  EXPECT_EQ(metrics.failures, 1u);
  EXPECT_EQ(metrics.parks, 1u);
  EXPECT_EQ(metrics.wakes, 0u);
  EXPECT_EQ(metrics.timer_fires, 0u);
  EXPECT_EQ(metrics.suspended(SuspendReason::kAwaitsExternal), 1u);
  EXPECT_EQ(metrics.suspended(SuspendReason::kRateLimit), 0u);
  ASSERT_TRUE(coordinator_.last_failure().has_value());
  EXPECT_EQ(coordinator_.last_failure()->index, index_);
  EXPECT_EQ(coordinator_.last_failure()->error, absl::InternalError("broken"));
  EXPECT_EQ(coordinator_.throughput_hint(), 3u);
}

TEST_F(CoordinatorTest, WhatIsLeftAtTheEndIsRunOnce) {
  coordinator_.Register(index_);
  coordinator_.Shutdown();
  EXPECT_EQ(Drain(), just_it());
  EXPECT_EQ(coordinator_.Finish(index_, Yielded{}), Outcome::kMerged);
  EXPECT_EQ(Drain(), std::vector<Index>{});
}

TEST_F(CoordinatorTest, ANotificationBeforeTheEndIsServed) {
  coordinator_.Register(index_);
  EXPECT_EQ(Drain(), just_it());
  coordinator_.Register(index_);
  coordinator_.Shutdown();
  EXPECT_EQ(coordinator_.Finish(index_, Completed{}), Outcome::kQueued);
  EXPECT_EQ(Drain(), just_it());
}

TEST(CoordinatorThreadsTest, ATimerThatIsSetWakesWhoSleepsWithoutEnd) {
  struct SystemParts : Parts<> {
    using Clock = kv::SystemClock;
  };
  Coordinator<SystemParts> coordinator({.slots = 1});
  const Index index = *coordinator.AddSlot();
  coordinator.Register(index);
  std::vector<Index> batch;
  coordinator.Drain(1, &batch);
  std::vector<Index> later;
  std::thread sleeper([&] {
    while (coordinator.Drain(1, &later) == 0) coordinator.Wait();
  });
  while (coordinator.metrics().parks == 0) std::this_thread::yield();
  coordinator.Finish(index, Suspended{SuspendReason::kOther, After{milliseconds(1)}});
  sleeper.join();
  EXPECT_EQ(later, batch);
}

TEST(CoordinatorThreadsTest, ALoopOnEpollWaitsForWorkToo) {
  Coordinator<Parts<EventFd>> coordinator({.slots = 2});
  const Index index = *coordinator.AddSlot();
  const int loop = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{.events = EPOLLIN, .data = {}};
  ASSERT_EQ(::epoll_ctl(loop, EPOLL_CTL_ADD, coordinator.waiter().fd(), &event), 0);
  constexpr int kRounds = 100;
  std::atomic<int> rounds{0};
  std::thread registrant([&] {
    for (int round = 0; round < kRounds; ++round) {
      while (rounds != round) std::this_thread::yield();
      coordinator.Register(index);
    }
  });
  while (rounds < kRounds) {
    if (coordinator.Arm()) {
      epoll_event ready;
      while (::epoll_wait(loop, &ready, 1, -1) != 1) {
      }
      coordinator.Disarm();
    }
    std::vector<Index> batch;
    if (coordinator.Drain(8, &batch) == 0) continue;
    coordinator.Finish(index, Completed{});
    ++rounds;
  }
  registrant.join();
  // Nothing is left to be read.
  epoll_event ready;
  EXPECT_EQ(::epoll_wait(loop, &ready, 1, 0), 0);
  ::close(loop);
}

TEST(WorkerPoolTest, RunsWhatIsRegisteredAndStops) {
  struct BitmapParts : Parts<> {
    using ReadyQueue = BitmapQueue;
  };
  constexpr size_t kSlots = 100;
  Coordinator<BitmapParts> coordinator({.slots = kSlots, .throughput_hint = 4});
  std::vector<Index> all;
  while (const auto index = coordinator.AddSlot()) all.push_back(*index);
  std::vector<int> left(kSlots, 5);
  std::atomic<int> runs{0};
  WorkerPool pool(coordinator, 2, [&](Index index) -> Result {
    ++runs;
    if (--left[index.slot] > 0) return Completed{.ready_hint = true};
    return Suspended{};
  });
  coordinator.RegisterBatch(all);
  // More than yield, which a worker may not get to run beside.
  while (runs < 500) std::this_thread::sleep_for(milliseconds(1));
  pool.Stop();
  EXPECT_EQ(left, std::vector<int>(kSlots, 0));
  EXPECT_EQ(coordinator.metrics().drained, 500u);
}

TEST(WorkerPoolTest, StopServesWhatWasRegisteredBefore) {
  for (int round = 0; round < 50; ++round) {
    Coordinator<Parts<>> coordinator({.slots = 10});
    std::vector<Index> all;
    while (const auto index = coordinator.AddSlot()) all.push_back(*index);
    std::atomic<size_t> runs{0};
    WorkerPool pool(coordinator, 2, [&](Index) -> Result {
      ++runs;
      return Completed{};
    });
    coordinator.RegisterBatch(all);
    pool.Stop();
    EXPECT_EQ(runs, all.size());
  }
}

TEST(CountersTest, AreExactForManyThreads) {
  enum class Count : uint8_t { kFirst, kSecond };
  Counters<Count, 2> counters;
  std::vector<std::thread> threads;
  // More than have a stripe of their own.
  for (int i = 0; i < 80; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 100; ++j) counters.Add(Count::kSecond, 2);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counters.Sum(Count::kFirst), 0u);
  EXPECT_EQ(counters.Sum(Count::kSecond), 16'000u);
}

}  // namespace
}  // namespace coord
