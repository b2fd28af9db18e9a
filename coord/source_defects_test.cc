// The seven defects of the coordinators that these take after (a ready queue of an actor runtime;
// docs of 2025-10: locked, "lock-free V1", V2 and adaptive), each as a test that they would fail.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "coord/bitmap.h"
#include "coord/conformance.h"
#include "coord/coordinator.h"
#include "coord/park.h"
#include "coord/symmetric_fence.h"
#include "coord/worker_pool.h"
#include "gtest/gtest.h"
#include "kv/base/clock.h"

namespace coord {
namespace {

struct Parts {
  using ReadyQueue = BitmapQueue;
  using Waiter = Park;
  using Fence = SymmetricFence;
  using Clock = kv::ManualClock;
};

class SourceDefectsTest : public testing::Test {
 protected:
  std::vector<Index> Drain(size_t most) {
    std::vector<Index> batch;
    coordinator_.Drain(most, &batch);
    return batch;
  }
  void AwaitParks(uint64_t count) {
    while (coordinator_.metrics().parks < count) std::this_thread::yield();
  }

  kv::ManualClock clock_;
  Coordinator<Parts> coordinator_{{.slots = 16}, clock_};
  const Index index_ = *coordinator_.AddSlot();
};

// 1. Completed{false} unregistered the index, and with it a registration that came during the run.
TEST_F(SourceDefectsTest, ARegistrationDuringTheRunIsNotErasedByItsEnd) {
  coordinator_.Register(index_);
  Drain(1);
  EXPECT_EQ(coordinator_.Register(index_), Outcome::kMerged);
  EXPECT_EQ(coordinator_.Finish(index_, Completed{.ready_hint = false}), Outcome::kQueued);
  EXPECT_EQ(Drain(1), std::vector<Index>{index_});
}

// 2. What was drained was no longer known: registered again, it was handed to a second worker.
TEST_F(SourceDefectsTest, TwoWorkersDoNotRunOneSlotAtOnce) {
  coordinator_.Register(index_);
  EXPECT_EQ(Drain(1), std::vector<Index>{index_});
  coordinator_.Register(index_);
  EXPECT_EQ(Drain(1), std::vector<Index>{});
}

// 3. The waker was ignored, and who waited span.
TEST_F(SourceDefectsTest, AWaitSleepsUntilItIsWoken) {
  std::thread worker([&] { coordinator_.Wait(); });
  AwaitParks(1);
  coordinator_.Register(index_);
  worker.join();
  EXPECT_EQ(coordinator_.metrics().parks, 1u);
  EXPECT_EQ(coordinator_.metrics().wakes, 1u);
}

// 4. One boolean was the signal: of two registrations one worker learnt, and whoever reset the
// boolean reset it for both.
TEST_F(SourceDefectsTest, TwoRegistrationsWakeTwoWorkers) {
  const Index other = *coordinator_.AddSlot();
  std::vector<std::thread> workers;
  for (int i = 0; i < 2; ++i) workers.emplace_back([&] { coordinator_.Wait(); });
  AwaitParks(2);
  coordinator_.Register(index_);
  coordinator_.Register(other);
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(coordinator_.metrics().wakes, 2u);
}

// 5. Entries of what had been unregistered counted towards the batch.
TEST_F(SourceDefectsTest, StaleEntriesDoNotEatTheBatch) {
  std::vector<Index> others;
  while (const auto other = coordinator_.AddSlot()) others.push_back(*other);
  coordinator_.RegisterBatch(others);
  coordinator_.Register(index_);
  for (size_t i = 0; i < others.size(); ++i) {
    i % 2 == 0 ? static_cast<void>(coordinator_.Unregister(others[i]))
               : static_cast<void>(coordinator_.RemoveSlot(others[i]));
  }
  EXPECT_EQ(Drain(1), std::vector<Index>{index_});
}

// 6. retry_after, resume_on and generations were there in name.
TEST_F(SourceDefectsTest, RetryAfterResumeOnAndGenerationsMeanSomething) {
  const auto run = [&](const Result& result) {
    ASSERT_EQ(Drain(1), std::vector<Index>{index_});
    coordinator_.Finish(index_, result);
    ASSERT_EQ(Drain(1), std::vector<Index>{});
  };
  constexpr auto kSecond = std::chrono::seconds(1);
  coordinator_.Register(index_);
  run(Failed{absl::UnavailableError("busy"), kSecond});
  clock_.AdvanceMillis(1'000);
  run(Suspended{SuspendReason::kRateLimit, After{kSecond}});
  clock_.AdvanceMillis(1'000);
  run(Suspended{SuspendReason::kBackpressure, Capacity{}});
  coordinator_.Resume(index_);
  run(Suspended{SuspendReason::kAwaitsExternal, Signal{}});
  coordinator_.RemoveSlot(index_);
  const Index next = *coordinator_.AddSlot();
  EXPECT_EQ(next.slot, index_.slot);
  EXPECT_EQ(coordinator_.Register(index_), Outcome::kStale);
  EXPECT_EQ(Drain(1), std::vector<Index>{});
}

// 7. Nothing ran them from several threads but a benchmark, which looked at no result. The proofs
// are the interleaving tests; this is the least of it.
TEST_F(SourceDefectsTest, SeveralThreadsLoseNothingAndRunNothingTwice) {
  struct SystemParts : Parts {
    using Clock = kv::SystemClock;
  };
  const absl::Status status = CheckCoordinatorSoak<SystemParts>(/*seed=*/7, /*steps=*/1'500);
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace coord
