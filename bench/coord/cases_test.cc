#include "bench/coord/cases.h"

#include <atomic>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/coord/library_peers.h"
#include "bench/coord/locked_peers.h"
#include "bench/coord/ours.h"
#include "bench/coord/segment_queue.h"
#include "bench/coord/source_peers.h"
#include "coord/bitmap.h"
#include "coord/park.h"
#include "coord/symmetric_fence.h"
#include "gtest/gtest.h"
#include "kv/base/clock.h"

namespace bench {
namespace {

constexpr MicroPlan kSmall{.threads = 2, .num = 300, .seed = 7};

void ExpectAllRun(const std::vector<MicroCase>& cases) {
  std::set<std::pair<std::string_view, std::string_view>> names;
  for (const MicroCase& one : cases) {
    SCOPED_TRACE(std::string(one.workload) + " " + std::string(one.system));
    EXPECT_TRUE(names.emplace(one.workload, one.system).second);
    MicroPlan plan = kSmall;
    if (one.workload == "wake") plan.num = 20;
    const auto result = one.run(plan);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_GT(result->operations, 0u);
    EXPECT_GT(result->seconds, 0);
    EXPECT_EQ(result->nanos.Count(), one.workload == "wake" ? 20u : 0u);
  }
}

TEST(CoordinatorCases, OursRun) {
  std::vector<MicroCase> cases;
  AddOurs(&cases);
  ExpectAllRun(cases);
}

TEST(CoordinatorCases, PeersRun) {
  std::vector<MicroCase> cases;
  AddLockedPeers(&cases);
  AddLibraryPeers(&cases);
  AddSourcePeers(&cases);
  ExpectAllRun(cases);
}

template <typename S>
class ReadySetTest : public testing::Test {};
struct Parts {
  static constexpr std::string_view kName = "bitmap";
  using ReadyQueue = coord::BitmapQueue;
  using Waiter = coord::Park;
  using Fence = coord::SymmetricFence;
  using Clock = kv::SystemClock;
};
using All = testing::Types<Ours<Parts>, LockedDeque, SourceLocked, SourceV1, SourceV2, Moodycamel,
                           MoodycamelBlocking, Tbb>;
TYPED_TEST_SUITE(ReadySetTest, All);

TYPED_TEST(ReadySetTest, HandsOutEachOnceForAnyNumberOfRegistrations) {
  TypeParam set(100);
  std::vector<Index> all;
  for (uint32_t slot = 0; slot < 100; ++slot) all.push_back(set.At(slot));
  EXPECT_TRUE(set.Register(all[7]));
  EXPECT_FALSE(set.Register(all[7]));
  EXPECT_EQ(set.RegisterBatch(all), 99u);
  std::vector<Index> batch;
  EXPECT_EQ(set.Drain(30, &batch), 30u);
  EXPECT_EQ(set.Drain(100, &batch), 70u);
  EXPECT_EQ(batch.size(), 100u);
  for (const Index index : std::span(batch).first(99)) set.Finish(index);
  set.FinishAgain(batch[99]);
  std::vector<Index> again;
  EXPECT_EQ(set.Drain(100, &again), 1u);
  EXPECT_EQ(again[0], batch[99]);
}

TEST(SegmentQueueTest, HandsOutEachOnceAndInOrder) {
  constexpr int kThreads = 3;
  constexpr int kEach = 2'000;
  SegmentQueue<int> queue;
  std::vector<std::vector<int>> popped(kThreads);
  std::vector<std::thread> threads;
  std::atomic<int> left{kThreads * kEach};
  for (int me = 0; me < kThreads; ++me) {
    threads.emplace_back([&, me] {
      for (int i = 0; i < kEach; ++i) {
        queue.Push(i * kThreads + me);
        if (const auto value = queue.Pop()) popped[static_cast<size_t>(me)].push_back(*value);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<bool> seen(kThreads * kEach);
  const auto see = [&](int value) {
    EXPECT_FALSE(seen[static_cast<size_t>(value)]) << value;
    seen[static_cast<size_t>(value)] = true;
    --left;
  };
  for (const auto& mine : popped) {
    std::vector<int> last(kThreads, -1);
    for (const int value : mine) {
      see(value);
      EXPECT_LT(std::exchange(last[static_cast<size_t>(value % kThreads)], value), value);
    }
  }
  while (const auto value = queue.Pop()) see(*value);
  EXPECT_EQ(left, 0);
}

// Forgets what it is told for a slot that is queued: each 97th registration.
class Forgetful : public LockedDeque {
 public:
  using LockedDeque::LockedDeque;
  bool Register(Index index) { return ++calls_ % 97 == 0 || LockedDeque::Register(index); }

 private:
  std::atomic<int> calls_{0};
};

TEST(CoordinatorCases, ASetThatLosesSlotsIsRefused) {
  EXPECT_FALSE(SourceCycle<Forgetful>(kSmall).ok());
  EXPECT_FALSE((SteadyOf<Forgetful, 0>(kSmall).ok()));
  EXPECT_FALSE(OneWorker<Forgetful>(kSmall).ok());
}

TEST(CoordinatorCases, DuplicatesAreAsManyAsAskedFor) {
  std::vector<Index> slots;
  for (uint32_t i = 0; i < 1'000; ++i) slots.push_back({i, 1});
  Registrations registrations(kSmall, {.duplicates = 48}, 0, slots);
  for (int i = 0; i < 100; ++i) {
    const std::span<const Index> some = registrations.Next();
    ASSERT_EQ(some.size(), kBatch);
    std::set<uint32_t> distinct;
    for (const Index index : some) distinct.insert(index.slot);
    EXPECT_EQ(distinct.size(), kBatch - 48);
  }
}

}  // namespace
}  // namespace bench
