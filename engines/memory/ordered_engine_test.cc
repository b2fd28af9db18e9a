// OrderedMemory beyond the conformance suite: garbage and its bounds with and without snapshots,
// expiry, cursors beside rewrites, random histories against std::map.
#include "engines/memory/ordered_engine.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engines/memory/test_parts.h"
#include "gtest/gtest.h"
#include "kv/base/clock.h"
#include "kv/expiry/none.h"
#include "kv/memtable/archetype.h"

namespace kv {
namespace {

using testing::OnSkipList;
using testing::OnTree;
using ManualOrdered = OrderedMemory<testing::TreeParts, ManualClock>;

// The engine needs no more of a memtable than the concept says.
struct ArchetypeParts {
  using Memtable = MemtableArchetype;
  using Expiry = NoExpiry;
};

std::string KeyOf(int i) {
  std::string digits = std::to_string(1'000'000 + i);
  return "key" + digits.substr(1);
}

template <typename E>
class OrderedMemoryTest : public ::testing::Test {};
using Engines = ::testing::Types<OnTree, OnSkipList, OrderedMemory<ArchetypeParts>>;
TYPED_TEST_SUITE(OrderedMemoryTest, Engines);

TEST(OrderedMemory, DescriptorNamesEachPart) {
  EXPECT_EQ(OnTree::Descriptor(),
            R"({"engine":"memory_ordered","memtable":"bplus_tree","expiry":"absolute"})");
}

template <typename Cursor>
void ExpectContents(Cursor cursor, const std::map<std::string, std::string>& model) {
  cursor.SeekToFirst();
  for (const auto& [key, value] : model) {
    ASSERT_TRUE(cursor.Valid());
    ASSERT_EQ(cursor.key(), key);
    ASSERT_EQ(cursor.value(), value);
    cursor.Next();
  }
  ASSERT_FALSE(cursor.Valid());
  cursor.SeekToLast();
  for (auto it = model.rbegin(); it != model.rend(); ++it) {
    ASSERT_TRUE(cursor.Valid());
    ASSERT_EQ(cursor.key(), it->first);
    ASSERT_EQ(cursor.value(), it->second);
    cursor.Prev();
  }
  ASSERT_FALSE(cursor.Valid());
}

// Values of 2 KB, so that many rewrites come within the history.
TYPED_TEST(OrderedMemoryTest, RandomHistoryAgreesWithMap) {
  using E = TypeParam;
  auto engine = *E::Open({});
  using Model = std::map<std::string, std::string>;
  Model model;
  std::vector<std::pair<typename E::Snapshot, Model>> snapshots;
  std::mt19937_64 random(7);
  const int steps = std::is_same_v<E, OrderedMemory<ArchetypeParts>> ? 1'500 : 15'000;
  for (int step = 0; step < steps; ++step) {
    const std::string key = KeyOf(static_cast<int>(random() % 200));
    const auto value = [&] { return std::to_string(step) + std::string(2000, 'v'); };
    switch (random() % 6) {
      case 0: {
        WriteBatch batch;
        const std::string other = KeyOf(static_cast<int>(random() % 200));
        batch.Put(key, value());
        batch.Delete(other);
        ASSERT_TRUE(engine->Write(batch).ok());
        model[key] = value();
        model.erase(other);
        break;
      }
      case 1:
        ASSERT_TRUE(engine->Delete(key).ok());
        model.erase(key);
        break;
      case 2: {
        std::string found;
        const auto it = model.find(key);
        ASSERT_EQ(engine->Get(key, &found).ok(), it != model.end());
        if (it != model.end()) {
          ASSERT_EQ(found, it->second);
        }
        break;
      }
      default:
        ASSERT_TRUE(engine->Put(key, value()).ok());
        model[key] = value();
    }
    if (step % 997 == 0) {
      ExpectContents(engine->NewCursor(), model);
      snapshots.emplace_back(engine->TakeSnapshot(), model);
      if (snapshots.size() > 3) snapshots.erase(snapshots.begin());
    }
    if (step % 1999 == 0) {
      for (const auto& [snapshot, then] : snapshots) {
        ExpectContents(engine->NewCursor({}, snapshot), then);
        std::string found;
        ASSERT_EQ(engine->Get(key, &found, snapshot).ok(), then.contains(key));
        ASSERT_EQ(*engine->Count("key"), model.size());
      }
    }
  }
  if (steps > 10'000) {
    EXPECT_GT(engine->Stats().compactions, 3u);
  }
}

TYPED_TEST(OrderedMemoryTest, CursorsSeekWithinBounds) {
  auto engine = *TypeParam::Open({});
  for (int i = 0; i < 100; i += 2) ASSERT_TRUE(engine->Put(KeyOf(i), "v").ok());
  for (int i = 0; i < 100; i += 10) ASSERT_TRUE(engine->Delete(KeyOf(i)).ok());
  auto cursor = engine->NewCursor({.lower = KeyOf(20), .upper = KeyOf(40)});
  cursor.SeekToFirst();
  EXPECT_EQ(cursor.key(), KeyOf(22));
  cursor.Prev();
  EXPECT_FALSE(cursor.Valid());
  cursor.SeekToLast();
  EXPECT_EQ(cursor.key(), KeyOf(38));
  cursor.Next();
  EXPECT_FALSE(cursor.Valid());
  cursor.Seek(KeyOf(29));
  EXPECT_EQ(cursor.key(), KeyOf(32));
  cursor.SeekForPrev(KeyOf(31));
  EXPECT_EQ(cursor.key(), KeyOf(28));
  cursor.SeekForPrev(KeyOf(99));
  EXPECT_EQ(cursor.key(), KeyOf(38));
  cursor.Seek(KeyOf(0));
  EXPECT_EQ(cursor.key(), KeyOf(22));
  cursor.SeekForPrev(KeyOf(10));
  EXPECT_FALSE(cursor.Valid());
}

// Live data is 100 keys of 1 KB; 100 MB are written over it.
uint64_t PeakMemoryOfOverwrites(OnTree& engine, int writes) {
  const std::string value(1000, 'v');
  uint64_t peak = 0;
  for (int i = 0; i < writes; ++i) {
    EXPECT_TRUE(engine.Put(KeyOf(i % 100), value).ok());
    if (i % 100 == 0) peak = std::max(peak, engine.Stats().memory_bytes);
  }
  return peak;
}

TEST(OrderedMemory, GarbageOfOverwritesIsBounded) {
  auto engine = *OnTree::Open({});
  EXPECT_LT(PeakMemoryOfOverwrites(*engine, 100'000), 8u << 20);
  EXPECT_GT(engine->Stats().compactions, 20u);
  EXPECT_EQ(*engine->Count("key"), 100u);
}

TEST(OrderedMemory, GarbageIsBoundedBesideAnOldSnapshot) {
  auto engine = *OnTree::Open({});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(engine->Put(KeyOf(i), "first").ok());
  const auto snapshot = engine->TakeSnapshot();
  auto cursor = engine->NewCursor();
  EXPECT_LT(PeakMemoryOfOverwrites(*engine, 100'000), 8u << 20);
  std::string value;
  ASSERT_TRUE(engine->Get(KeyOf(7), &value, snapshot).ok());
  EXPECT_EQ(value, "first");
  cursor.Seek(KeyOf(99));
  ASSERT_TRUE(cursor.Valid());
  EXPECT_EQ(cursor.value(), "first");
}

TEST(OrderedMemory, DeletesAreReclaimed) {
  auto engine = *OnTree::Open({});
  const std::string value(1000, 'v');
  for (int i = 0; i < 50'000; ++i) {
    ASSERT_TRUE(engine->Put(KeyOf(i), value).ok());
    if (i >= 100) {
      ASSERT_TRUE(engine->Delete(KeyOf(i - 100)).ok());
    }
  }
  EXPECT_LT(engine->Stats().memory_bytes, 8u << 20);
  EXPECT_EQ(*engine->Count(""), 100u);
}

TEST(OrderedMemory, ExpiredKeysAreAbsentAtOnceAndLaterFreed) {
  ManualClock clock;
  auto engine = *ManualOrdered::Open({}, clock);
  const std::string value(1000, 'v');
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(engine->Put(KeyOf(i), value, {.expires_at = clock.UnixMillis() + 1000}).ok());
  }
  ASSERT_TRUE(engine->Put("stays", "v").ok());
  const auto snapshot = engine->TakeSnapshot();
  clock.AdvanceMillis(1000);
  std::string found;
  EXPECT_EQ(engine->Get(KeyOf(1), &found).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(engine->Get(KeyOf(1), &found, snapshot).ok());  // it was there then
  EXPECT_EQ(*engine->Count(""), 1u);
  EXPECT_GE(engine->Stats().memory_bytes, 20'000'000u);
  clock.AdvanceMillis(10'000);
  for (int i = 0; i < 5'000; ++i) ASSERT_TRUE(engine->Put("w", std::to_string(i)).ok());
  EXPECT_LT(engine->Stats().memory_bytes, 8u << 20);
  EXPECT_EQ(engine->Stats().expired_dropped, 20'000u);
  EXPECT_EQ(*engine->Count(""), 2u);
}

// It was left out, as it is not seen, and came back with the clock.
TEST(OrderedMemory, RangeDeletesTakeWhatHasExpired) {
  ManualClock clock;
  auto engine = *ManualOrdered::Open({}, clock);
  const uint64_t now = clock.UnixMillis();
  ASSERT_TRUE(engine->Put("expired", "v", {.expires_at = now - 1000}).ok());
  ASSERT_TRUE(engine->Put("later", "v", {.expires_at = now + 1000}).ok());
  ASSERT_TRUE(engine->DeleteRange("", "").ok());
  clock.SetUnixMillis(now - 5000);
  std::string found;
  EXPECT_TRUE(absl::IsNotFound(engine->Get("expired", &found)));
  EXPECT_TRUE(absl::IsNotFound(engine->Get("later", &found)));
  EXPECT_EQ(*engine->Count(""), 0u);
}

TEST(OrderedMemory, OverwritingWhatWouldExpireKeepsTheAccount) {
  ManualClock clock;
  auto engine = *ManualOrdered::Open({}, clock);
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 100; ++i) {
      const uint64_t expires_at = i % 3 == 0 ? kNeverExpires : clock.UnixMillis() + 5000 + i;
      ASSERT_TRUE(engine->Put(KeyOf(i), "v", {.expires_at = expires_at}).ok());
    }
    ASSERT_TRUE(engine->ExpireAt(KeyOf(0), clock.UnixMillis() + 1).ok());
    clock.AdvanceMillis(777);
  }
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(engine->Delete(KeyOf(i)).ok());
  EXPECT_EQ(engine->Stats().live_bytes_estimate, 0u);
}

// Readers of every kind beside overwrites that bring rewrites about: each batch writes one value
// to all of ten keys.
TYPED_TEST(OrderedMemoryTest, ReadersBesideRewritesSeeWholeBatches) {
  using E = TypeParam;
  auto engine = *E::Open({});
  constexpr int kKeys = 10;
  const int rounds = std::is_same_v<E, OrderedMemory<ArchetypeParts>> ? 60 : 1'000;
  const auto write = [&](int round) {
    WriteBatch batch;
    const std::string value = std::to_string(1'000'000 + round) + std::string(1000, 'v');
    for (int i = 0; i < kKeys; ++i) batch.Put(KeyOf(i), value);
    ASSERT_TRUE(engine->Write(batch).ok());
  };
  write(0);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int round = 1; round <= rounds; ++round) write(round);
    done.store(true, std::memory_order_release);
  });
  std::thread cursors([&] {
    while (!done.load(std::memory_order_acquire)) {
      auto cursor = engine->NewCursor();
      int seen = 0;
      std::string first;
      for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next(), ++seen) {
        if (seen == 0) first = cursor.value();
        ASSERT_EQ(cursor.value(), first);
      }
      ASSERT_EQ(seen, kKeys);
      for (cursor.SeekToLast(); cursor.Valid(); cursor.Prev(), --seen) {
        ASSERT_EQ(cursor.value(), first);
      }
      ASSERT_EQ(seen, 0);
    }
  });
  const std::string low = KeyOf(0);
  const std::string high = KeyOf(9);
  const std::vector<std::string_view> keys = {low, high};
  std::vector<std::string> values(2);
  std::vector<absl::Status> statuses(2);
  std::string one;
  std::string two;
  while (!done.load(std::memory_order_acquire)) {
    engine->MultiGet(keys, values, statuses);
    ASSERT_EQ(values[0], values[1]);
    ASSERT_TRUE(engine->Get(low, &one).ok());
    ASSERT_TRUE(engine->Get(high, &two).ok());
    ASSERT_LE(one, two);
    ASSERT_EQ(*engine->Count("key"), static_cast<uint64_t>(kKeys));
  }
  writer.join();
  cursors.join();
}

TEST(OrderedMemory, RefusesExpiryWithoutTheSlot) {
  auto engine = *OnSkipList::Open({});
  EXPECT_EQ(engine->Put("a", "1", {.expires_at = 5}).code(), absl::StatusCode::kInvalidArgument);
}

TEST(OrderedMemory, CursorAfterCloseSaysSo) {
  auto engine = *OnTree::Open({});
  ASSERT_TRUE(engine->Close().ok());
  auto cursor = engine->NewCursor();
  cursor.SeekToFirst();
  EXPECT_FALSE(cursor.Valid());
  EXPECT_EQ(cursor.status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace kv
