// SlotStates: each transition, one after the other. What happens beside one another is for
// slot_states_interleaving_test.cc.
#include "coord/slot_states.h"

#include <cstdint>
#include <limits>
#include <optional>

#include "coord/index.h"
#include "coord/slot_word.h"
#include "coord/symmetric_fence.h"
#include "gtest/gtest.h"

namespace coord {
namespace {

class SlotStatesTest : public testing::Test {
 protected:
  void ExpectAnswer(SlotStates::Answer answer, Outcome outcome, bool push) {
    EXPECT_EQ(answer.outcome, outcome);
    EXPECT_EQ(answer.push, push);
  }
  void Register(Outcome outcome, bool push) {
    ExpectAnswer(states_.Register(index_, fence_), outcome, push);
  }
  void Finish(Phase next, Outcome outcome, bool push) {
    ExpectAnswer(states_.Finish(index_, next), outcome, push);
  }
  void Take() { EXPECT_EQ(states_.Take(index_.slot), index_); }
  void ExpectPhase(Phase phase) { EXPECT_EQ(states_.PhaseOf(index_), phase); }

  SlotStates states_{3};
  SymmetricFence fence_;
  Index index_ = states_.Add(1);
};

TEST_F(SlotStatesTest, TheWordHoldsWhatIsPackedIntoIt) {
  for (const Phase phase : {Phase::kFree, Phase::kIdle, Phase::kRunning, Phase::kStopped}) {
    for (int flags = 0; flags < 8; ++flags) {
      const SlotWord word{.generation = std::numeric_limits<uint32_t>::max() - 1,
                          .phase = phase,
                          .entry = (flags & 1) != 0,
                          .notified = (flags & 2) != 0,
                          .resumed = (flags & 4) != 0};
      const SlotWord again = SlotWord::From(word.Packed());
      EXPECT_EQ(again.generation, word.generation);
      EXPECT_EQ(again.phase, word.phase);
      EXPECT_EQ(again.entry, word.entry);
      EXPECT_EQ(again.notified, word.notified);
      EXPECT_EQ(again.resumed, word.resumed);
    }
  }
}

TEST_F(SlotStatesTest, IsPushedOnce) {
  ExpectPhase(Phase::kIdle);
  Register(Outcome::kQueued, true);
  Register(Outcome::kMerged, false);
  Take();
  ExpectPhase(Phase::kRunning);
  Finish(Phase::kIdle, Outcome::kMerged, false);
  ExpectPhase(Phase::kIdle);
}

TEST_F(SlotStatesTest, ARegistrationDuringTheRunQueuesItAgain) {
  for (const Phase next : {Phase::kIdle, Phase::kAwaitsSignal, Phase::kReady}) {
    Register(Outcome::kQueued, true);
    Take();
    Register(Outcome::kMerged, false);
    Register(Outcome::kMerged, false);
    Finish(next, Outcome::kQueued, true);
    Take();
    Finish(Phase::kIdle, Outcome::kMerged, false);
  }
}

TEST_F(SlotStatesTest, AFinishedRunIsFinishedOnce) {
  Register(Outcome::kQueued, true);
  Take();
  Finish(Phase::kIdle, Outcome::kMerged, false);
  Finish(Phase::kReady, Outcome::kStale, false);
  ExpectPhase(Phase::kIdle);
}

TEST_F(SlotStatesTest, ASignalEndsTheWaitForIt) {
  Register(Outcome::kQueued, true);
  Take();
  Finish(Phase::kAwaitsSignal, Outcome::kMerged, false);
  ExpectPhase(Phase::kAwaitsSignal);
  Register(Outcome::kQueued, true);
  Take();
}

TEST_F(SlotStatesTest, TimeAloneEndsTheWaitForIt) {
  Register(Outcome::kQueued, true);
  Take();
  Register(Outcome::kMerged, false);
  Finish(Phase::kAwaitsTime, Outcome::kMerged, false);
  Register(Outcome::kMerged, false);
  ExpectAnswer(states_.Resume(index_), Outcome::kMerged, false);
  ExpectPhase(Phase::kAwaitsTime);
  ExpectAnswer(states_.Fire(index_), Outcome::kQueued, true);
  ExpectAnswer(states_.Fire(index_), Outcome::kMerged, false);
  Take();
}

TEST_F(SlotStatesTest, CapacityEndsTheWaitForIt) {
  Register(Outcome::kQueued, true);
  Take();
  Finish(Phase::kAwaitsCapacity, Outcome::kMerged, false);
  Register(Outcome::kMerged, false);
  ExpectAnswer(states_.Fire(index_), Outcome::kMerged, false);
  ExpectAnswer(states_.Resume(index_), Outcome::kQueued, true);
  Take();
  // Capacity that comes while it runs is there when it would wait.
  ExpectAnswer(states_.Resume(index_), Outcome::kMerged, false);
  Finish(Phase::kAwaitsCapacity, Outcome::kQueued, true);
  Take();
  // And is no reason to run if it does not.
  ExpectAnswer(states_.Resume(index_), Outcome::kMerged, false);
  Finish(Phase::kIdle, Outcome::kMerged, false);
  Register(Outcome::kQueued, true);
  Take();
  Finish(Phase::kAwaitsCapacity, Outcome::kMerged, false);
}

TEST_F(SlotStatesTest, StoppedNeverRunsAgain) {
  Register(Outcome::kQueued, true);
  Take();
  Register(Outcome::kMerged, false);
  Finish(Phase::kStopped, Outcome::kMerged, false);
  Register(Outcome::kStopped, false);
  ExpectAnswer(states_.Resume(index_), Outcome::kStopped, false);
  EXPECT_FALSE(states_.Unregister(index_));
  ExpectPhase(Phase::kStopped);
  EXPECT_EQ(states_.Remove(index_), SlotStates::Removal::kIdle);
  EXPECT_EQ(states_.Add(1), (Index{1, 2}));
}

TEST_F(SlotStatesTest, AWithdrawnEntryServesTheNextRegistration) {
  Register(Outcome::kQueued, true);
  EXPECT_TRUE(states_.Unregister(index_));
  EXPECT_FALSE(states_.Unregister(index_));
  ExpectPhase(Phase::kIdle);
  Register(Outcome::kQueued, false);
  Take();
  Finish(Phase::kIdle, Outcome::kMerged, false);
}

TEST_F(SlotStatesTest, AWithdrawnEntryIsDropped) {
  Register(Outcome::kQueued, true);
  EXPECT_TRUE(states_.Unregister(index_));
  EXPECT_EQ(states_.Take(1), std::nullopt);
  Register(Outcome::kQueued, true);
}

TEST_F(SlotStatesTest, AWithdrawalWhileRunningTakesBackTheNotification) {
  Register(Outcome::kQueued, true);
  Take();
  EXPECT_FALSE(states_.Unregister(index_));
  Register(Outcome::kMerged, false);
  EXPECT_TRUE(states_.Unregister(index_));
  Finish(Phase::kIdle, Outcome::kMerged, false);
}

TEST_F(SlotStatesTest, AnIndexThatIsOverChangesNothing) {
  EXPECT_EQ(states_.Remove(index_), SlotStates::Removal::kIdle);
  const Index next = states_.Add(1);
  EXPECT_EQ(next, (Index{1, 2}));
  Register(Outcome::kStale, false);
  EXPECT_FALSE(states_.Unregister(index_));
  ExpectAnswer(states_.Resume(index_), Outcome::kStale, false);
  ExpectAnswer(states_.Fire(index_), Outcome::kStale, false);
  Finish(Phase::kReady, Outcome::kStale, false);
  EXPECT_EQ(states_.Remove(index_), SlotStates::Removal::kStale);
  EXPECT_EQ(states_.PhaseOf(index_), std::nullopt);
  EXPECT_EQ(states_.PhaseOf(next), Phase::kIdle);
}

TEST_F(SlotStatesTest, AnEntryOutlivesTheUseThatPushedIt) {
  Register(Outcome::kQueued, true);
  EXPECT_EQ(states_.Remove(index_), SlotStates::Removal::kIdle);
  const Index next = states_.Add(1);
  ExpectAnswer(states_.Register(next, fence_), Outcome::kQueued, false);
  EXPECT_EQ(states_.Take(1), next);
}

TEST_F(SlotStatesTest, ARunOutlivesItsSlot) {
  Register(Outcome::kQueued, true);
  Take();
  EXPECT_EQ(states_.Remove(index_), SlotStates::Removal::kRunning);
  const Index next = states_.Add(1);
  ExpectAnswer(states_.Register(next, fence_), Outcome::kQueued, true);
  EXPECT_EQ(states_.Take(1), next);
  Finish(Phase::kReady, Outcome::kStale, false);
  EXPECT_EQ(states_.PhaseOf(next), Phase::kRunning);
}

TEST_F(SlotStatesTest, WhatNamesNoSlotIsStale) {
  for (const Index none : {Index{}, Index{2, 0}, Index{2, 1}, Index{3, 1}, Index{~0u, 1}}) {
    ExpectAnswer(states_.Register(none, fence_), Outcome::kStale, false);
    ExpectAnswer(states_.Resume(none), Outcome::kStale, false);
    ExpectAnswer(states_.Finish(none, Phase::kIdle), Outcome::kStale, false);
    EXPECT_FALSE(states_.Unregister(none));
    EXPECT_EQ(states_.Remove(none), SlotStates::Removal::kStale);
    EXPECT_EQ(states_.PhaseOf(none), std::nullopt);
  }
}

}  // namespace
}  // namespace coord
