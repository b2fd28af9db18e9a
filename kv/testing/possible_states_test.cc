#include "kv/testing/possible_states.h"

#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace kv::testing {
namespace {

CrashStep Put(const std::string& key, const std::string& value) {
  CrashStep step;
  step.writes.Put(key, value);
  return step;
}

CrashStep Load() {
  CrashStep step{.kind = CrashStepKind::kBulkLoad};
  step.writes.Put("a", "1");
  step.writes.Put("b", "1");
  return step;
}

TEST(PossibleStatesTest, WhatSucceededIsThere) {
  PossibleStates states(/*durable_on_return=*/true);
  states.Succeeded(Put("a", "1"));
  EXPECT_TRUE(states.Allows({{"a", "1"}}));
  EXPECT_FALSE(states.Allows(Contents()));
  EXPECT_FALSE(states.AllowsAfterCrash(Contents()));
  EXPECT_TRUE(states.Allows("a", "1"));
  EXPECT_FALSE(states.Allows("a", std::nullopt));
}

TEST(PossibleStatesTest, WhatFailedIsThereOrNot) {
  PossibleStates states(/*durable_on_return=*/true);
  states.Succeeded(Put("a", "1"));
  states.Failed(Put("a", "2"));
  EXPECT_EQ(states.size(), 2u);
  EXPECT_TRUE(states.Allows({{"a", "1"}}));
  EXPECT_TRUE(states.Allows({{"a", "2"}}));
  EXPECT_FALSE(states.Allows(Contents()));
  states.Succeeded(Put("b", "1"));
  EXPECT_TRUE(states.Allows({{"a", "2"}, {"b", "1"}}));
  EXPECT_FALSE(states.Allows({{"a", "2"}}));
}

TEST(PossibleStatesTest, ALoadThatFailedLeavesAPrefix) {
  PossibleStates states(/*durable_on_return=*/true);
  states.Failed(Load());
  EXPECT_TRUE(states.Allows(Contents()));
  EXPECT_TRUE(states.Allows({{"a", "1"}}));
  EXPECT_TRUE(states.Allows({{"a", "1"}, {"b", "1"}}));
  EXPECT_FALSE(states.Allows({{"b", "1"}}));
}

TEST(PossibleStatesTest, ACrashTakesBackWhatIsNotDurable) {
  PossibleStates states(/*durable_on_return=*/false);
  states.Succeeded(Put("a", "1"));
  states.Succeeded(CrashStep{.kind = CrashStepKind::kFlush});
  states.Succeeded(Put("a", "2"));
  EXPECT_FALSE(states.Allows({{"a", "1"}}));
  EXPECT_TRUE(states.AllowsAfterCrash({{"a", "1"}}));
  EXPECT_TRUE(states.AllowsAfterCrash({{"a", "2"}}));
  EXPECT_FALSE(states.AllowsAfterCrash(Contents())) << "it was flushed";
  states.Reopened(/*closed_well=*/false);
  EXPECT_TRUE(states.Allows({{"a", "1"}}));
}

}  // namespace
}  // namespace kv::testing
