// Models of Slots: each transition, one after the other. What happens beside one another is for
// the interleaving tests.
#include "coord/slots_concept.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "coord/adaptive.h"
#include "coord/bitmap_slots.h"
#include "coord/index.h"
#include "coord/locked.h"
#include "coord/outcome.h"
#include "coord/queued_slots.h"
#include "coord/ring_slots.h"
#include "coord/slot_word.h"
#include "coord/store_load_fence.h"
#include "coord/symmetric_fence.h"
#include "gtest/gtest.h"

namespace coord {
namespace {

template <typename S>
class SlotsTest : public testing::Test {
 protected:
  std::vector<Index> Take(size_t most = 10) {
    std::vector<Index> taken(most);
    taken.resize(slots_.Take(taken));
    slots_.BeginRuns();
    return taken;
  }
  // Registers the slot and begins its run.
  void Run() {
    EXPECT_EQ(slots_.Register(index_), Outcome::kQueued);
    EXPECT_EQ(Take(), std::vector<Index>{index_});
  }
  void ExpectPhase(std::optional<Phase> phase) { EXPECT_EQ(slots_.PhaseOf(index_), phase); }

  S slots_{20};
  const Index index_ = *slots_.Add();
};
using Models = testing::Types<QueuedSlots<LockedQueue, SymmetricFence>, BitmapSlots<SymmetricFence>,
                              RingSlots<>, RingSlots<StoreLoadFence, Adaptive>>;
TYPED_TEST_SUITE(SlotsTest, Models);

TYPED_TEST(SlotsTest, AreReadyOnce) {
  EXPECT_TRUE(this->slots_.Empty());
  this->ExpectPhase(Phase::kIdle);
  EXPECT_EQ(this->slots_.Register(this->index_), Outcome::kQueued);
  EXPECT_EQ(this->slots_.Register(this->index_), Outcome::kMerged);
  EXPECT_FALSE(this->slots_.Empty());
  this->ExpectPhase(Phase::kReady);
  EXPECT_EQ(this->Take(), std::vector<Index>{this->index_});
  EXPECT_TRUE(this->slots_.Empty());
  this->ExpectPhase(Phase::kRunning);
  EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kIdle), Outcome::kMerged);
  this->ExpectPhase(Phase::kIdle);
  EXPECT_EQ(this->Take(), std::vector<Index>{});
}

TYPED_TEST(SlotsTest, ARegistrationDuringTheRunMakesItReadyAtItsEnd) {
  for (const Phase next : {Phase::kIdle, Phase::kAwaitsSignal, Phase::kReady}) {
    this->Run();
    EXPECT_EQ(this->slots_.Register(this->index_), Outcome::kMerged);
    EXPECT_EQ(this->slots_.Register(this->index_), Outcome::kMerged);
    EXPECT_EQ(this->Take(), std::vector<Index>{});
    EXPECT_TRUE(this->slots_.Empty());
    EXPECT_EQ(this->slots_.Finish(this->index_, next), Outcome::kQueued);
    EXPECT_EQ(this->Take(), std::vector<Index>{this->index_});
    EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kIdle), Outcome::kMerged);
  }
  this->Run();
  EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kReady), Outcome::kQueued);
}

TYPED_TEST(SlotsTest, ARunEndsOnce) {
  for (const Phase next : {Phase::kIdle, Phase::kAwaitsSignal, Phase::kReady}) {
    this->Run();
    EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kIdle), Outcome::kMerged);
    EXPECT_EQ(this->slots_.Finish(this->index_, next), Outcome::kStale);
  }
  this->Run();
  EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kAwaitsTime), Outcome::kMerged);
  for (const Phase next : {Phase::kIdle, Phase::kAwaitsTime, Phase::kStopped}) {
    EXPECT_EQ(this->slots_.Finish(this->index_, next), Outcome::kStale);
  }
  this->ExpectPhase(Phase::kAwaitsTime);
}

TYPED_TEST(SlotsTest, ASignalEndsTheWaitForIt) {
  this->Run();
  EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kAwaitsSignal), Outcome::kMerged);
  this->ExpectPhase(Phase::kAwaitsSignal);
  this->Run();
  this->ExpectPhase(Phase::kRunning);
  EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kIdle), Outcome::kMerged);
  this->ExpectPhase(Phase::kIdle);
}

TYPED_TEST(SlotsTest, TimeAloneEndsTheWaitForIt) {
  this->Run();
  EXPECT_EQ(this->slots_.Register(this->index_), Outcome::kMerged);
  EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kAwaitsTime), Outcome::kMerged);
  EXPECT_EQ(this->slots_.Register(this->index_), Outcome::kMerged);
  EXPECT_EQ(this->slots_.Resume(this->index_), Outcome::kMerged);
  EXPECT_FALSE(this->slots_.Unregister(this->index_));
  this->ExpectPhase(Phase::kAwaitsTime);
  EXPECT_EQ(this->Take(), std::vector<Index>{});
  EXPECT_EQ(this->slots_.Fire(this->index_), Outcome::kQueued);
  EXPECT_EQ(this->slots_.Fire(this->index_), Outcome::kMerged);
  EXPECT_EQ(this->Take(), std::vector<Index>{this->index_});
  // A Resume while it waited for a time is none of a later wait for capacity.
  EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kAwaitsCapacity), Outcome::kMerged);
  this->ExpectPhase(Phase::kAwaitsCapacity);
}

TYPED_TEST(SlotsTest, CapacityEndsTheWaitForIt) {
  this->Run();
  EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kAwaitsCapacity), Outcome::kMerged);
  EXPECT_EQ(this->slots_.Register(this->index_), Outcome::kMerged);
  EXPECT_EQ(this->slots_.Fire(this->index_), Outcome::kMerged);
  EXPECT_EQ(this->slots_.Resume(this->index_), Outcome::kQueued);
  EXPECT_EQ(this->Take(), std::vector<Index>{this->index_});
  // Capacity that comes while it runs is there when it would wait.
  EXPECT_EQ(this->slots_.Resume(this->index_), Outcome::kMerged);
  EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kAwaitsCapacity), Outcome::kQueued);
  EXPECT_EQ(this->Take(), std::vector<Index>{this->index_});
  // And is no reason to run if it does not.
  EXPECT_EQ(this->slots_.Resume(this->index_), Outcome::kMerged);
  EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kIdle), Outcome::kMerged);
  // Nor later, if it came before the run.
  EXPECT_EQ(this->slots_.Resume(this->index_), Outcome::kMerged);
  this->Run();
  EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kAwaitsCapacity), Outcome::kMerged);
}

TYPED_TEST(SlotsTest, StoppedNeverRunsAgain) {
  this->Run();
  EXPECT_EQ(this->slots_.Register(this->index_), Outcome::kMerged);
  EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kStopped), Outcome::kMerged);
  EXPECT_EQ(this->slots_.Register(this->index_), Outcome::kStopped);
  const Outcomes outcomes = this->slots_.RegisterBatch(std::vector<Index>{this->index_});
  EXPECT_EQ(outcomes[Outcome::kStopped], 1u);
  EXPECT_EQ(this->slots_.Resume(this->index_), Outcome::kStopped);
  EXPECT_EQ(this->slots_.Fire(this->index_), Outcome::kStopped);
  EXPECT_FALSE(this->slots_.Unregister(this->index_));
  this->ExpectPhase(Phase::kStopped);
  EXPECT_EQ(this->slots_.Remove(this->index_), Removal::kIdle);
  EXPECT_EQ(this->slots_.Add(), (Index{this->index_.slot, 2}));
}

TYPED_TEST(SlotsTest, WhatIsWithdrawnDoesNotRun) {
  EXPECT_FALSE(this->slots_.Unregister(this->index_));
  this->slots_.Register(this->index_);
  EXPECT_TRUE(this->slots_.Unregister(this->index_));
  EXPECT_FALSE(this->slots_.Unregister(this->index_));
  this->ExpectPhase(Phase::kIdle);
  EXPECT_EQ(this->Take(), std::vector<Index>{});
  this->Run();
  EXPECT_FALSE(this->slots_.Unregister(this->index_));
  this->slots_.Register(this->index_);
  EXPECT_TRUE(this->slots_.Unregister(this->index_));
  EXPECT_EQ(this->slots_.Finish(this->index_, Phase::kIdle), Outcome::kMerged);
}

TYPED_TEST(SlotsTest, AnIndexThatIsOverChangesNothing) {
  EXPECT_EQ(this->slots_.Remove(this->index_), Removal::kIdle);
  const Index next = *this->slots_.Add();
  EXPECT_EQ(next, (Index{this->index_.slot, 2}));
  for (const bool running : {false, true}) {
    if (running) {
      this->slots_.Register(next);
      EXPECT_EQ(this->Take(), std::vector<Index>{next});
    }
    const std::vector<Index> over = {this->index_, this->index_};
    EXPECT_EQ(this->slots_.Register(this->index_), Outcome::kStale);
    EXPECT_EQ(this->slots_.RegisterBatch(over)[Outcome::kStale], 2u);
    EXPECT_FALSE(this->slots_.Unregister(this->index_));
    EXPECT_EQ(this->slots_.Resume(this->index_), Outcome::kStale);
    EXPECT_EQ(this->slots_.Fire(this->index_), Outcome::kStale);
    for (const Phase end : {Phase::kReady, Phase::kIdle, Phase::kAwaitsTime, Phase::kStopped}) {
      EXPECT_EQ(this->slots_.Finish(this->index_, end), Outcome::kStale);
    }
    EXPECT_EQ(this->slots_.FinishBatch(over)[Outcome::kStale], 2u);
    EXPECT_EQ(this->slots_.Remove(this->index_), Removal::kStale);
    this->ExpectPhase(std::nullopt);
    EXPECT_EQ(this->slots_.PhaseOf(next), running ? Phase::kRunning : Phase::kIdle);
  }
}

TYPED_TEST(SlotsTest, AReadySlotThatIsRemovedDoesNotRun) {
  this->slots_.Register(this->index_);
  EXPECT_EQ(this->slots_.Remove(this->index_), Removal::kIdle);
  EXPECT_EQ(this->Take(), std::vector<Index>{});
  const Index next = *this->slots_.Add();
  EXPECT_EQ(this->Take(), std::vector<Index>{});
  EXPECT_EQ(this->slots_.Register(next), Outcome::kQueued);
  EXPECT_EQ(this->Take(), std::vector<Index>{next});
}

TYPED_TEST(SlotsTest, TheLastRunOfASlotIsTold) {
  for (const Phase end : {Phase::kReady, Phase::kIdle, Phase::kAwaitsSignal, Phase::kAwaitsTime,
                          Phase::kAwaitsCapacity, Phase::kStopped}) {
    const Index index = *this->slots_.Add();
    this->slots_.Register(index);
    EXPECT_EQ(this->Take(), std::vector<Index>{index});
    EXPECT_EQ(this->slots_.Remove(index), Removal::kRunning);
    EXPECT_EQ(this->slots_.Register(index), Outcome::kStale);
    EXPECT_EQ(this->slots_.Finish(index, end), Outcome::kStale);
    EXPECT_EQ(this->slots_.Finish(index, end), Outcome::kStale);
    EXPECT_EQ(this->slots_.Add(), (Index{index.slot, index.generation + 1}));
    EXPECT_TRUE(this->slots_.Empty());
    this->slots_.Remove({index.slot, index.generation + 1});
  }
}

TYPED_TEST(SlotsTest, WhatNamesNoSlotIsStale) {
  for (const Index none : {Index{}, Index{2, 0}, Index{2, 1}, Index{20, 1}, Index{31, 0},
                           Index{32, 1}, Index{~0u, 1}}) {
    EXPECT_EQ(this->slots_.Register(none), Outcome::kStale);
    EXPECT_EQ(this->slots_.RegisterBatch(std::vector<Index>{none})[Outcome::kStale], 1u);
    EXPECT_EQ(this->slots_.Resume(none), Outcome::kStale);
    EXPECT_EQ(this->slots_.Fire(none), Outcome::kStale);
    EXPECT_EQ(this->slots_.Finish(none, Phase::kIdle), Outcome::kStale);
    EXPECT_EQ(this->slots_.FinishBatch(std::vector<Index>{none})[Outcome::kStale], 1u);
    EXPECT_FALSE(this->slots_.Unregister(none));
    EXPECT_EQ(this->slots_.Remove(none), Removal::kStale);
    EXPECT_EQ(this->slots_.PhaseOf(none), std::nullopt);
  }
}

TYPED_TEST(SlotsTest, AreFinite) {
  std::vector<Index> more;
  while (const auto index = this->slots_.Add()) more.push_back(*index);
  EXPECT_EQ(more.size(), 19u);
  EXPECT_EQ(more.back(), (Index{19, 1}));
}

// Batches of anything in any order come to what the same calls one by one do.
TYPED_TEST(SlotsTest, BatchesDoWhatTheirPartsDo) {
  TypeParam one_by_one(70);
  TypeParam batches(70);
  std::vector<Index> all;
  while (const auto index = one_by_one.Add()) all.push_back(*index);
  while (batches.Add()) {
  }
  all.push_back({5, 2});
  all.push_back({99, 1});
  std::mt19937_64 random(1);
  const auto some = [&] {
    std::vector<Index> indices;
    const size_t begin = random() % all.size();
    const size_t count = 1 + random() % 40;
    for (size_t i = 0; i < count; ++i) {
      indices.push_back(all[random() % 4 == 0 ? random() % all.size() : (begin + i) % all.size()]);
    }
    return indices;
  };
  for (int round = 0; round < 500; ++round) {
    const std::vector<Index> registered = some();
    Outcomes expected;
    for (const Index index : registered) ++expected[one_by_one.Register(index)];
    const Outcomes outcomes = batches.RegisterBatch(registered);
    const size_t room = random() % 60;
    std::vector<Index> taken(room);
    std::vector<Index> also_taken(room);
    taken.resize(one_by_one.Take(taken));
    also_taken.resize(batches.Take(also_taken));
    EXPECT_EQ(taken.size(), also_taken.size());
    // In the same state the two take the same.
    EXPECT_EQ(taken, also_taken);
    const std::vector<Index> finished = some();
    Outcomes expected_ends;
    for (const Index index : finished) ++expected_ends[one_by_one.Finish(index, Phase::kIdle)];
    const Outcomes ends = batches.FinishBatch(finished);
    for (const Outcome outcome : {Outcome::kQueued, Outcome::kMerged, Outcome::kStale}) {
      EXPECT_EQ(outcomes[outcome], expected[outcome]);
      EXPECT_EQ(ends[outcome], expected_ends[outcome]);
    }
    for (const Index index : all) EXPECT_EQ(batches.PhaseOf(index), one_by_one.PhaseOf(index));
  }
}

// Slots that are ready again at once do not keep others waiting beyond the bound.
template <typename S>
void ExpectFair(size_t count) {
  S slots(count);
  std::mt19937_64 random(count);
  std::vector<Index> all;
  while (const auto index = slots.Add()) all.push_back(*index);
  std::vector<uint64_t> ready(count, 0);  // since when; 0: it is not
  std::vector<size_t> bypassed(count, 0);
  uint64_t time = 0;
  const auto becomes_ready = [&](Index index) {
    ready[index.slot] = ++time;
    bypassed[index.slot] = 0;
  };
  for (const Index index : all) {
    slots.Register(index);
    becomes_ready(index);
  }
  std::vector<Index> resting;
  for (int round = 0; round < 2'000; ++round) {
    std::vector<Index> taken(1 + random() % std::min<size_t>(count, 5));
    taken.resize(slots.Take(taken));
    for (const Index index : taken) {
      for (size_t other = 0; other < count; ++other) {
        if (ready[other] == 0 || ready[other] >= ready[index.slot]) continue;
        ASSERT_LE(++bypassed[other], S::BypassBound(count, 1));
      }
      ready[index.slot] = 0;
    }
    for (const Index index : taken) {
      const bool rests = random() % 8 == 0;
      slots.Finish(index, rests ? Phase::kIdle : Phase::kReady);
      rests ? resting.push_back(index) : becomes_ready(index);
    }
    if (resting.size() <= count / 4) continue;
    for (const Index index : resting) {
      slots.Register(index);
      becomes_ready(index);
    }
    resting.clear();
  }
}

TYPED_TEST(SlotsTest, AreFair) {
  for (const size_t count : {1, 2, 16, 17, 65, 200}) ExpectFair<TypeParam>(count);
}

TEST(BitmapSlotsTest, ASlotThatRunsIsFreeBehindItsRun) {
  BitmapSlots<SymmetricFence> slots(1);
  const Index index = *slots.Add();
  slots.Register(index);
  std::vector<Index> taken(1);
  EXPECT_EQ(slots.Take(taken), 1u);
  EXPECT_EQ(slots.Remove(index), Removal::kRunning);
  EXPECT_EQ(slots.Add(), std::nullopt);
  EXPECT_EQ(slots.Finish(index, Phase::kReady), Outcome::kStale);
  EXPECT_EQ(slots.Add(), (Index{0, 2}));
}

// The count of removals overflows, and does not run into the bits of the slots.
TEST(BitmapSlotsTest, ManyRemovalsLeaveNeighboursAlone) {
  BitmapSlots<SymmetricFence> slots(17);
  std::vector<Index> all;
  while (const auto index = slots.Add()) all.push_back(*index);
  slots.Register(all[15]);
  Index changing = all[3];
  for (int i = 0; i < 70'000; ++i) {
    slots.Register(changing);
    ASSERT_EQ(slots.Remove(changing), Removal::kIdle);
    changing = *slots.Add();
  }
  EXPECT_EQ(changing, (Index{3, 70'001}));
  EXPECT_EQ(slots.PhaseOf(changing), Phase::kIdle);
  std::vector<Index> taken(17);
  ASSERT_EQ(slots.Take(taken), 1u);
  EXPECT_EQ(taken[0], all[15]);
}

// ---- Types that the concept refuses.

struct WithoutRemoval : BitmapSlots<SymmetricFence> {
  using BitmapSlots::BitmapSlots;
  void Remove(Index);
};
static_assert(!Slots<WithoutRemoval>);
static_assert(!Slots<LockedQueue>);
static_assert(Slots<BitmapSlots<SymmetricFence>>);
static_assert(Slots<RingSlots<>>);

}  // namespace
}  // namespace coord
