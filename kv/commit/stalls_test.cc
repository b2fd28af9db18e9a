#include "kv/commit/stalls.h"

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "kv/base/clock.h"
#include "kv/base/striped_counters.h"

namespace kv {
namespace {

enum class Counter : size_t { kStalls, kStallNanos, kCount };
using Counters = StripedCounters<Counter, static_cast<size_t>(Counter::kCount)>;

class StallsTest : public ::testing::Test {
 protected:
  uint64_t Count() const { return counters_.Sum(Counter::kStalls); }

  ManualClock clock_;
  Counters counters_;
  Stalls<ManualClock, Counters> stalls_{clock_, counters_};
};

TEST_F(StallsTest, NothingIsOwedWhileTheWorkKeepsUp) {
  stalls_.OweForBytes(1'000'000'000, 0);
  EXPECT_FALSE(stalls_.Due());
  stalls_.Pay();
  EXPECT_EQ(Count(), 0u);
}

TEST_F(StallsTest, SmallDebtsAddUpToOneSleep) {
  for (int i = 0; i < 3; ++i) {
    stalls_.Owe(300'000);
    EXPECT_FALSE(stalls_.Due());
    stalls_.Pay();
  }
  EXPECT_EQ(Count(), 0u);
  stalls_.Owe(100'000);
  EXPECT_TRUE(stalls_.Due());
  stalls_.Pay();
  EXPECT_FALSE(stalls_.Due());
  EXPECT_EQ(Count(), 1u);
}

// At full debt a millisecond is worth 8000 bytes.
TEST_F(StallsTest, BytesCostInProportionToTheDebt) {
  stalls_.OweForBytes(7'999, 1);
  EXPECT_FALSE(stalls_.Due());
  stalls_.OweForBytes(1, 1);
  EXPECT_TRUE(stalls_.Due());
  stalls_.Pay();
  stalls_.OweForBytes(15'998, 0.5);
  EXPECT_FALSE(stalls_.Due());
  stalls_.OweForBytes(2, 0.5);
  EXPECT_TRUE(stalls_.Due());
}

TEST_F(StallsTest, MoreThanFullDebtCostsNoMore) {
  stalls_.OweForBytes(7'999, 100);
  EXPECT_FALSE(stalls_.Due());
}

TEST_F(StallsTest, AWaitIsCountedWithItsTimeAndItsStatus) {
  const absl::Status status = stalls_.Wait([&] {
    clock_.AdvanceMillis(3);
    return absl::UnavailableError("no room");
  });
  EXPECT_EQ(status, absl::UnavailableError("no room"));
  EXPECT_EQ(Count(), 1u);
  EXPECT_EQ(counters_.Sum(Counter::kStallNanos), 3'000'000u);
}

}  // namespace
}  // namespace kv
