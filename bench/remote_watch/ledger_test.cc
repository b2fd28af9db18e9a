#include "bench/remote_watch/ledger.h"

#include <string_view>

#include "gtest/gtest.h"

namespace bench::remote_watch {
namespace {

using Found = Ledger::Found;

constexpr clients::Deadline kNow{};

// One with `count` acknowledged writes.
Ledger Filled(size_t keys, int count) {
  Ledger ledger(keys);
  for (int i = 0; i < count; ++i) ledger.Acknowledge(ledger.Issue(), kNow);
  return ledger;
}

TEST(Ledger, KeepsWhatIsFound) {
  Ledger ledger = Filled(10, 3);
  EXPECT_EQ(ledger.ExpectedKeys(), (std::vector<size_t>{1, 2, 3}));
  EXPECT_EQ(ledger.Check(1, "1"), Found::kKept);
  EXPECT_EQ(ledger.Check(3, "3"), Found::kKept);
  EXPECT_EQ(ledger.CheckLast("3"), Found::kKept);
  EXPECT_EQ(ledger.lost() + ledger.rolled_back() + ledger.foreign(), 0u);
}

TEST(Ledger, ALossIsCountedOnce) {
  Ledger ledger = Filled(10, 3);
  EXPECT_EQ(ledger.Check(2, std::nullopt), Found::kLost);
  EXPECT_EQ(ledger.Check(2, std::nullopt), Found::kKept);
  EXPECT_EQ(ledger.lost(), 1u);
  ASSERT_EQ(ledger.losses().size(), 1u);
  EXPECT_EQ(ledger.losses()[0].number, 2u);
  EXPECT_EQ(ledger.ExpectedKeys(), (std::vector<size_t>{1, 3}));
}

TEST(Ledger, AnOlderOneWasRolledBack) {
  Ledger ledger = Filled(2, 6);  // under key 0: 2, 4, 6
  EXPECT_EQ(ledger.superseded(), 4u);
  EXPECT_EQ(ledger.Check(0, "4"), Found::kRolledBack);
  EXPECT_EQ(ledger.Check(1, "5"), Found::kKept);
  EXPECT_EQ(ledger.rolled_back(), 1u);
  EXPECT_EQ(ledger.lost(), 0u);
  EXPECT_EQ(ledger.losses()[0].number, 6u);
}

// Its write got no answer, and took effect all the same.
TEST(Ledger, ANewerOneThatWasIssuedIsNoLoss) {
  Ledger ledger = Filled(2, 2);
  EXPECT_EQ(ledger.Issue(), 3u);
  ledger.Unknown();
  EXPECT_EQ(ledger.Check(1, "3"), Found::kKept);
  EXPECT_EQ(ledger.CheckLast("3"), Found::kKept);
  EXPECT_EQ(ledger.unknown(), 1u);
  EXPECT_EQ(ledger.acknowledged(), 2u);
  EXPECT_EQ(ledger.issued(), 3u);
}

TEST(Ledger, WhatNobodyWroteIsForeign) {
  for (const std::string_view value : {"", "x", "1x", " 1", "-1", "4", "99999999999999999999"}) {
    Ledger ledger = Filled(10, 3);
    EXPECT_EQ(ledger.Check(1, value), Found::kForeign) << value;
    EXPECT_EQ(ledger.foreign(), 1u);
    EXPECT_EQ(ledger.lost(), 0u);
  }
}

TEST(Ledger, TheLastOneIsToldOnce) {
  Ledger ledger = Filled(10, 3);
  EXPECT_EQ(ledger.CheckLast("2"), Found::kRolledBack);
  EXPECT_EQ(ledger.CheckLast("2"), Found::kKept);
  EXPECT_EQ(ledger.CheckLast(std::nullopt), Found::kKept);
  ledger.Acknowledge(ledger.Issue(), kNow);
  EXPECT_EQ(ledger.CheckLast(std::nullopt), Found::kLost);
  EXPECT_EQ(ledger.lost(), 0u);  // which its own key says
}

TEST(Ledger, AnEmptyOneExpectsNothing) {
  Ledger ledger(4);
  EXPECT_TRUE(ledger.ExpectedKeys().empty());
  EXPECT_EQ(ledger.CheckLast(std::nullopt), Found::kKept);
  ledger.Issue();
  ledger.Refused();
  EXPECT_EQ(ledger.refused(), 1u);
  EXPECT_TRUE(ledger.ExpectedKeys().empty());
}

TEST(Ledger, ReadsBackWhatWasJustWritten) {
  EXPECT_TRUE(Ledger::IsAtLeast("7", 7));
  EXPECT_TRUE(Ledger::IsAtLeast("8", 7));
  EXPECT_FALSE(Ledger::IsAtLeast("6", 7));
  EXPECT_FALSE(Ledger::IsAtLeast("x", 7));
  EXPECT_FALSE(Ledger::IsAtLeast(std::nullopt, 7));
}

}  // namespace
}  // namespace bench::remote_watch
