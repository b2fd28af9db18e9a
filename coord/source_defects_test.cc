// The seven defects of the coordinators that these take after (a ready queue of an actor runtime;
// docs of 2025-10: locked, "lock-free V1", V2 and adaptive), each as a test that they would fail.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "coord/bitmap.h"
#include "coord/bitmap_slots.h"
#include "coord/conformance.h"
#include "coord/coordinator.h"
#include "coord/index.h"
#include "coord/park.h"
#include "coord/ring_slots.h"
#include "coord/symmetric_fence.h"
#include "coord/worker_pool.h"
#include "gtest/gtest.h"
#include "kv/base/clock.h"

namespace coord {
namespace {

template <typename C>
struct QueuedParts {
  using ReadyQueue = BitmapQueue;
  using Fence = SymmetricFence;
  using Waiter = Park;
  using Clock = C;
  using OnSystemClock = QueuedParts<kv::SystemClock>;
};
template <typename C>
struct BitmapParts {
  using Slots = BitmapSlots<SymmetricFence>;
  using Waiter = Park;
  using Clock = C;
  using OnSystemClock = BitmapParts<kv::SystemClock>;
};

template <typename C>
struct RingParts {
  using Slots = RingSlots<>;
  using Waiter = Park;
  using Clock = C;
  using OnSystemClock = RingParts<kv::SystemClock>;
};

template <typename Parts>
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
using Models = testing::Types<QueuedParts<kv::ManualClock>, BitmapParts<kv::ManualClock>,
                              RingParts<kv::ManualClock>>;
TYPED_TEST_SUITE(SourceDefectsTest, Models);

// 1. Completed{false} unregistered the index, and with it a registration that came during the run.
TYPED_TEST(SourceDefectsTest, ARegistrationDuringTheRunIsNotErasedByItsEnd) {
  this->coordinator_.Register(this->index_);
  this->Drain(1);
  EXPECT_EQ(this->coordinator_.Register(this->index_), Outcome::kMerged);
  EXPECT_EQ(this->coordinator_.Finish(this->index_, Completed{.ready_hint = false}),
            Outcome::kQueued);
  EXPECT_EQ(this->Drain(1), std::vector<Index>{this->index_});
}

// 2. What was drained was no longer known: registered again, it was handed to a second worker.
TYPED_TEST(SourceDefectsTest, TwoWorkersDoNotRunOneSlotAtOnce) {
  this->coordinator_.Register(this->index_);
  EXPECT_EQ(this->Drain(1), std::vector<Index>{this->index_});
  this->coordinator_.Register(this->index_);
  EXPECT_EQ(this->Drain(1), std::vector<Index>{});
}

// 3. The waker was ignored, and who waited span.
TYPED_TEST(SourceDefectsTest, AWaitSleepsUntilItIsWoken) {
  std::thread worker([&] { this->coordinator_.Wait(); });
  this->AwaitParks(1);
  this->coordinator_.Register(this->index_);
  worker.join();
  EXPECT_EQ(this->coordinator_.metrics().parks, 1u);
  EXPECT_EQ(this->coordinator_.metrics().wakes, 1u);
}

// 4. One boolean was the signal: of two registrations one worker learnt, and whoever reset the
// boolean reset it for both.
TYPED_TEST(SourceDefectsTest, TwoRegistrationsWakeTwoWorkers) {
  const Index other = *this->coordinator_.AddSlot();
  std::vector<std::thread> workers;
  for (int i = 0; i < 2; ++i) workers.emplace_back([&] { this->coordinator_.Wait(); });
  this->AwaitParks(2);
  this->coordinator_.Register(this->index_);
  this->coordinator_.Register(other);
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(this->coordinator_.metrics().wakes, 2u);
}

// 5. Entries of what had been unregistered counted towards the batch.
TYPED_TEST(SourceDefectsTest, StaleEntriesDoNotEatTheBatch) {
  std::vector<Index> others;
  while (const auto other = this->coordinator_.AddSlot()) others.push_back(*other);
  this->coordinator_.RegisterBatch(others);
  this->coordinator_.Register(this->index_);
  for (size_t i = 0; i < others.size(); ++i) {
    i % 2 == 0 ? static_cast<void>(this->coordinator_.Unregister(others[i]))
               : static_cast<void>(this->coordinator_.RemoveSlot(others[i]));
  }
  EXPECT_EQ(this->Drain(1), std::vector<Index>{this->index_});
}

// 6. retry_after, resume_on and generations were there in name.
TYPED_TEST(SourceDefectsTest, RetryAfterResumeOnAndGenerationsMeanSomething) {
  const auto run = [&](const Result& result) {
    ASSERT_EQ(this->Drain(1), std::vector<Index>{this->index_});
    this->coordinator_.Finish(this->index_, result);
    ASSERT_EQ(this->Drain(1), std::vector<Index>{});
  };
  constexpr auto kSecond = std::chrono::seconds(1);
  this->coordinator_.Register(this->index_);
  run(Failed{absl::UnavailableError("busy"), kSecond});
  this->clock_.AdvanceMillis(1'000);
  run(Suspended{SuspendReason::kRateLimit, After{kSecond}});
  this->clock_.AdvanceMillis(1'000);
  run(Suspended{SuspendReason::kBackpressure, Capacity{}});
  this->coordinator_.Resume(this->index_);
  run(Suspended{SuspendReason::kAwaitsExternal, Signal{}});
  this->coordinator_.RemoveSlot(this->index_);
  const Index next = *this->coordinator_.AddSlot();
  EXPECT_EQ(next.slot, this->index_.slot);
  EXPECT_EQ(this->coordinator_.Register(this->index_), Outcome::kStale);
  EXPECT_EQ(this->Drain(1), std::vector<Index>{});
}

// 7. Nothing ran them from several threads but a benchmark, which looked at no result. The proofs
// are the interleaving tests; this is the least of it.
TYPED_TEST(SourceDefectsTest, SeveralThreadsLoseNothingAndRunNothingTwice) {
  const absl::Status status =
      CheckCoordinatorSoak<typename TypeParam::OnSystemClock>(/*seed=*/7, /*steps=*/1'500);
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace coord
