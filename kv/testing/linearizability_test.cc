#include "kv/testing/linearizability.h"

#include <stdexcept>

#include "gtest/gtest.h"

namespace kv::testing {
namespace {

// A register that holds one number.
struct RegisterCall {
  bool writes;
  int value;
};

std::optional<int> After(int state, const RegisterCall& call) {
  if (call.writes) return call.value;
  return state == call.value ? std::optional(state) : std::nullopt;
}

using History = std::vector<Timed<RegisterCall>>;

Timed<RegisterCall> Write(uint64_t begin, uint64_t end, int value) {
  return {begin, end, {true, value}};
}

Timed<RegisterCall> Read(uint64_t begin, uint64_t end, int value) {
  return {begin, end, {false, value}};
}

std::optional<size_t> Unexplained(const History& history) {
  return FirstUnexplained(std::span(history), 0, After);
}

TEST(LinearizabilityTest, NothingHappened) { EXPECT_EQ(Unexplained({}), std::nullopt); }

TEST(LinearizabilityTest, OneAfterAnother) {
  EXPECT_EQ(Unexplained({Write(1, 2, 7), Read(3, 4, 7)}), std::nullopt);
  EXPECT_EQ(Unexplained({Write(1, 2, 7), Read(3, 4, 0)}), 1u) << "a stale read";
  EXPECT_EQ(Unexplained({Read(1, 2, 7), Write(3, 4, 7)}), 0u) << "a read of the future";
  EXPECT_EQ(Unexplained({Write(1, 2, 7), Read(3, 4, 8)}), 1u) << "a value from nowhere";
}

TEST(LinearizabilityTest, AReadBesideAWriteSeesEither) {
  EXPECT_EQ(Unexplained({Write(1, 10, 7), Read(2, 3, 7)}), std::nullopt);
  EXPECT_EQ(Unexplained({Write(1, 10, 7), Read(2, 3, 0)}), std::nullopt);
  EXPECT_EQ(Unexplained({Write(1, 10, 7), Read(2, 3, 0), Read(4, 5, 7)}), std::nullopt);
  EXPECT_EQ(Unexplained({Write(1, 10, 7), Read(2, 3, 7), Read(4, 5, 0)}), 2u)
      << "the write had its effect before the first read, so it has had it before the second";
}

TEST(LinearizabilityTest, CallsThatTouchAreConcurrent) {
  EXPECT_EQ(Unexplained({Write(1, 2, 7), Read(2, 3, 0)}), std::nullopt);
  EXPECT_EQ(Unexplained({Write(1, 2, 7), Read(2, 3, 7)}), std::nullopt);
  EXPECT_EQ(Unexplained({Write(5, 5, 7), Read(5, 5, 7)}), std::nullopt);
}

TEST(LinearizabilityTest, TwoReadersAgreeOnTheOrderOfTwoWrites) {
  const History one_way = {Write(1, 10, 1), Write(1, 10, 2), Read(2, 3, 1), Read(4, 5, 2)};
  EXPECT_EQ(Unexplained(one_way), std::nullopt);
  History both_ways = one_way;
  both_ways.push_back(Read(6, 7, 1));
  EXPECT_EQ(Unexplained(both_ways), 4u);
}

TEST(LinearizabilityTest, WhatNeverEndedMayHaveHappened) {
  EXPECT_EQ(Unexplained({Write(1, kNeverEnded, 7), Read(2, 3, 0)}), std::nullopt);
  EXPECT_EQ(Unexplained({Write(1, kNeverEnded, 7), Read(2, 3, 7)}), std::nullopt);
  EXPECT_EQ(Unexplained({Write(1, kNeverEnded, 7), Read(2, 3, 0), Read(90, 99, 7)}), std::nullopt);
  EXPECT_EQ(Unexplained({Write(1, kNeverEnded, 7), Read(2, 3, 7), Read(90, 99, 0)}), 2u)
      << "it happens once";
}

TEST(LinearizabilityTest, TheFirstToEndIsBlamed) {
  EXPECT_EQ(Unexplained({Read(1, 9, 5), Read(2, 4, 6), Read(3, 7, 7)}), 1u);
}

// Chains of writes that only one order explains: each read has to be found its place.
TEST(LinearizabilityTest, ManyOpenCallsAtOnce) {
  History history;
  constexpr int kOpen = 10;
  for (int i = 1; i <= kOpen; ++i) history.push_back(Write(1, 100, i));
  for (int i = kOpen; i >= 1; --i) {
    const auto time = static_cast<uint64_t>(10 + 2 * (kOpen - i));
    history.push_back(Read(time, time + 1, i));
  }
  EXPECT_EQ(Unexplained(history), std::nullopt);
  history.push_back(Read(50, 51, kOpen));
  EXPECT_EQ(Unexplained(history), history.size() - 1);
}

TEST(LinearizabilityTest, LongHistoriesAreCheap) {
  History history;
  for (uint64_t i = 0; i < 20'000; ++i) {
    history.push_back(Write(10 * i, 10 * i + 15, static_cast<int>(i)));
    history.push_back(Read(10 * i + 6, 10 * i + 9, static_cast<int>(i)));
  }
  EXPECT_EQ(Unexplained(history), std::nullopt);
  history.push_back(Read(300'000, 300'001, 1));
  EXPECT_EQ(Unexplained(history), history.size() - 1);
}

TEST(LinearizabilityTest, TooManyOpenCallsAreAnError) {
  const History fits(kMostOpenCalls, Write(1, kNeverEnded, 1));
  EXPECT_EQ(Unexplained(fits), std::nullopt);
  EXPECT_THROW(Unexplained(History(kMostOpenCalls + 1, Write(1, kNeverEnded, 1))),
               std::out_of_range);
}

}  // namespace
}  // namespace kv::testing
