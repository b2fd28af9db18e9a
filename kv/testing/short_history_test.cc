#include "kv/testing/short_history.h"

#include <cstddef>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "kv/base/clock.h"
#include "kv/testing/reference_engine.h"
#include "kv/testing/simulated_store.h"

namespace kv::testing {
namespace {

constexpr HistoryShape kPlain{.keys = 8, .value_step = 10};
constexpr HistoryShape kMixed{
    .keys = 12, .key_digits = 2, .value_step = 10, .large_value = 500, .some_expired = true};

template <typename History>
class ShortHistoryTest : public ::testing::Test {};
using Histories = ::testing::Types<ShortHistory<kPlain>, ShortHistory<kMixed>>;
TYPED_TEST_SUITE(ShortHistoryTest, Histories);

TYPED_TEST(ShortHistoryTest, StatesAreThoseOfAnEngine) {
  ReferenceEngine engine{SystemClock()};
  for (size_t writes = 0; writes < 200; ++writes) {
    const auto contents = Walk(engine.NewCursor());
    ASSERT_TRUE(contents.ok()) << contents.status();
    ASSERT_EQ(*contents, TypeParam::StateAfter(writes)) << writes;
    ASSERT_TRUE(TypeParam::Write(engine, writes).ok());
  }
}

TYPED_TEST(ShortHistoryTest, ComesToEveryKey) {
  std::set<std::string> seen;
  for (size_t writes = 0; writes < 30; ++writes) {
    for (const auto& [key, value] : TypeParam::StateAfter(writes)) seen.insert(key);
  }
  EXPECT_EQ(seen.size(), TypeParam::kKeys);
  for (size_t i = 0; i < TypeParam::kKeys; ++i) EXPECT_TRUE(seen.contains(TypeParam::Key(i)));
}

TYPED_TEST(ShortHistoryTest, TellsHowManyWritesAreInAState) {
  const Model model = TypeParam::StateAfter(20);
  EXPECT_EQ(TypeParam::WritesIn(model, 0, 40), 20);
  EXPECT_EQ(TypeParam::WritesIn(model, 20, 20), 20);
  EXPECT_EQ(TypeParam::WritesIn(model, 0, 19), -1);
  EXPECT_EQ(TypeParam::WritesIn(model, 21, 40), -1);
}

// A write in the middle of the history is missing.
TYPED_TEST(ShortHistoryTest, AStateWithAGapIsNone) {
  Model gap = TypeParam::StateAfter(20);
  gap.erase(TypeParam::Key(18 * 5 % TypeParam::kKeys));
  EXPECT_EQ(TypeParam::WritesIn(gap, 0, 40), -1);
}

TEST(ShortHistory, StopsAtTheFirstError) {
  struct FullAfterThree {
    absl::Status Put(const std::string&, const std::string&) {
      return ++writes > 3 ? absl::ResourceExhaustedError("full") : absl::OkStatus();
    }
    absl::Status Delete(const std::string&) { return absl::OkStatus(); }
    int writes = 0;
  } store;
  EXPECT_EQ(ShortHistory<kPlain>::WriteUntil(store, 0, 10), 3u);
}

TEST(ShortHistory, WritesWhatItsShapeSays) {
  const Model plain = ShortHistory<kPlain>::StateAfter(6);
  EXPECT_EQ(plain.at("key4"), "value4xxxxxxxxxx");
  EXPECT_TRUE(plain.contains("key1"));  // write 5
  const Model mixed = ShortHistory<kMixed>::StateAfter(6);
  EXPECT_EQ(mixed.at("key08"), "value4" + std::string(500, 'x'));
  EXPECT_FALSE(mixed.contains("key01"));  // write 5 had expired
}

TEST(ShortHistory, CanLackItsFirstWrites) {
  EXPECT_EQ(ShortHistory<kPlain>::StateOf(3, 5),
            (Model{{"key7", "value3"}, {"key4", "value4xxxxxxxxxx"}}));
}

}  // namespace
}  // namespace kv::testing
