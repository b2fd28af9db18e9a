// Range deletes of a whole store, against a std::map: random histories with snapshots, cursors,
// flushes, compactions and reopening; every crash of a short history; and what becomes of the
// tombstones.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engines/lsm/engine.h"
#include "engines/lsm/manifest.h"
#include "engines/lsm/store_testing.h"
#include "kv/compaction/fifo.h"
#include "kv/compaction/lazy_leveled.h"
#include "kv/compaction/tiered.h"
#include "kv/io/crash_points.h"
#include "kv/testing/random.h"

namespace kv {
namespace {

using kv::testing::Random;

std::string Key(uint64_t i) { return fmt::format("key{}", i); }

// A range of the 8 keys that Contents() asks for, sometimes without an end, sometimes of nothing.
std::pair<std::string, std::string> MakeRange(Random& random) {
  const uint64_t begin = random.Below(9);
  return {begin == 8 ? "" : Key(begin), random.OneIn(5) ? "" : Key(random.Below(9))};
}

void EraseRange(Model* model, const std::string& begin, const std::string& end) {
  std::erase_if(*model, [&](const auto& entry) {
    return entry.first >= begin && (end.empty() || entry.first < end);
  });
}

template <typename C>
Model Backwards(C cursor) {
  Model model;
  for (cursor.SeekToLast(); cursor.Valid(); cursor.Prev()) {
    model.emplace(cursor.key(), cursor.value());
  }
  EXPECT_TRUE(cursor.status().ok());
  return model;
}

std::vector<RangeTombstone> RangesOf(SimulatedFileSystem fs) {
  const auto manifest = ReadManifest(fs, FileNames(kStoreDirectory));
  EXPECT_TRUE(manifest.ok()) << manifest.status();
  return manifest.ok() ? manifest->state.ranges : std::vector<RangeTombstone>();
}

size_t TablesOf(SimulatedFileSystem fs) {
  const std::vector<std::string> names = *fs.List(kStoreDirectory);
  size_t tables = 0;
  for (const std::string& name : names) tables += name.ends_with(".table");
  return tables;
}

// One step of a random history, on the store and on the model.
template <typename E>
absl::Status Step(Random& random, E& store, Model* model, size_t i) {
  const std::string key = Key(random.Below(8));
  if (random.OneIn(4)) {
    const auto [begin, end] = MakeRange(random);
    EraseRange(model, begin, end);
    return store.DeleteRange(begin, end);
  }
  if (random.OneIn(5)) {
    model->erase(key);
    return store.Delete(key);
  }
  std::string value = fmt::format("{}-{}", i, std::string(random.Below(3) * 200, 'x'));
  absl::Status status = store.Put(key, value);
  (*model)[key] = std::move(value);
  return status;
}

struct TieredParts : SyncedParts {
  using Compaction = TieredCompaction<TieredShape{
      .l0_trigger = 2, .l0_slow = 1000, .l0_stop = 2000, .runs = 2, .run_bytes = 2048}>;
};
struct LazyLeveledParts : SyncedParts {
  using Compaction = LazyLeveledCompaction<LazyLeveledShape{.l0_trigger = 2,
                                                            .l0_slow = 1000,
                                                            .l0_stop = 2000,
                                                            .runs = 2,
                                                            .run_bytes = 2048,
                                                            .file_bytes = 1024}>;
};
// Tables stay where flushes put them, unless range tombstones ask for more.
struct FifoParts : SyncedParts {
  using Compaction = FifoCompaction<>;
};

template <typename E>
class RangeDeleteHistoryTest : public ::testing::Test {};
using Policies = ::testing::Types<SyncedStore, Lsm<TieredParts, SimulatedEnvironment>,
                                  Lsm<LazyLeveledParts, SimulatedEnvironment>,
                                  Lsm<FifoParts, SimulatedEnvironment>>;
TYPED_TEST_SUITE(RangeDeleteHistoryTest, Policies);

TYPED_TEST(RangeDeleteHistoryTest, ReadsAsAMap) {
  for (uint64_t seed = 0; seed < 40 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    SimulatedFileSystem fs;
    Options options = StoreOptions();
    // Tombstones meet what they hide in one memtable, or not.
    options.memtable_bytes = random.OneIn(2) ? 1 : 20'000;
    auto opened = OpenStore<TypeParam>(fs, options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    std::unique_ptr<TypeParam> store = *std::move(opened);
    Model model;
    std::vector<std::pair<typename TypeParam::Snapshot, Model>> snapshots;
    std::vector<std::pair<typename TypeParam::Cursor, Model>> cursors;
    for (size_t i = 0; i < 250 && !::testing::Test::HasFailure(); ++i) {
      ASSERT_TRUE(Step(random, *store, &model, i).ok());
      const uint64_t also = random.Below(40);
      if (also == 0) snapshots.emplace_back(store->TakeSnapshot(), model);
      if (also == 1 && !snapshots.empty()) snapshots.erase(snapshots.begin());
      if (also == 2) cursors.emplace_back(store->NewCursor(), model);
      absl::Status status;
      if (also == 3) status = store->Flush();
      if (also == 4) status = store->Compact();
      ASSERT_TRUE(status.ok()) << status;
      if (also == 5) {
        snapshots.clear();
        cursors.clear();
        ASSERT_TRUE(store->Close().ok());
        auto again = OpenStore<TypeParam>(fs, options);
        ASSERT_TRUE(again.ok()) << again.status();
        store = *std::move(again);
      }
      const auto contents = Contents(*store);
      ASSERT_TRUE(contents.ok()) << contents.status();
      ASSERT_EQ(*contents, model) << "after step " << i;
      EXPECT_EQ(Backwards(store->NewCursor()), model) << "after step " << i;
      for (const auto& [snapshot, then] : snapshots) {
        EXPECT_EQ(*Walk(store->NewCursor({}, snapshot)), then) << "after step " << i;
        EXPECT_EQ(Backwards(store->NewCursor({}, snapshot)), then) << "after step " << i;
        for (uint64_t k = 0; k < 8; ++k) {
          std::string value;
          const absl::Status got = store->Get(Key(k), &value, snapshot);
          EXPECT_EQ(got.ok(), then.contains(Key(k))) << "after step " << i;
        }
      }
    }
    for (auto& [cursor, then] : cursors) EXPECT_EQ(*Walk(std::move(cursor)), then);
    cursors.clear();
    EXPECT_EQ(store->Verify(), absl::OkStatus());
    // Nobody needs them any more, so compaction leaves no tombstone.
    snapshots.clear();
    ASSERT_TRUE(store->Compact().ok());
    EXPECT_EQ(RangesOf(fs), std::vector<RangeTombstone>());
    EXPECT_EQ(*Contents(*store), model);
  }
}

// Takes every write and does nothing.
struct NoStore {
  absl::Status Put(const std::string&, const std::string&) { return absl::OkStatus(); }
  absl::Status Delete(const std::string&) { return absl::OkStatus(); }
  absl::Status DeleteRange(const std::string&, const std::string&) { return absl::OkStatus(); }
};

template <typename E>
class RangeDeleteCrashTest : public ::testing::Test {};
using Stores = ::testing::Types<SyncedStore, UnsyncedStore>;
TYPED_TEST_SUITE(RangeDeleteCrashTest, Stores);

// What survives a crash is the state after some of the writes, without holes; in a synced store
// after all that were acknowledged.
TYPED_TEST(RangeDeleteCrashTest, KeepsAPrefix) {
  constexpr size_t kWrites = 14;
  for (uint64_t seed = 0; seed < 2 && !this->HasFailure(); ++seed) {
    std::vector<Model> states(1);
    {
      Random random(seed);
      NoStore none;
      for (size_t i = 0; i < kWrites; ++i) {
        states.push_back(states.back());
        Step(random, none, &states.back(), i).IgnoreError();
      }
    }
    const auto run = [seed](SimulatedFileSystem fs) {
      size_t acknowledged = 0;
      auto store = OpenStore<TypeParam>(fs);
      if (!store.ok()) return acknowledged;
      Random random(seed);
      Model model;
      while (acknowledged < kWrites && Step(random, **store, &model, acknowledged).ok()) {
        ++acknowledged;
        if (acknowledged == kWrites / 2) (*store)->Compact().IgnoreError();
      }
      return acknowledged;
    };
    const auto check = [&](SimulatedFileSystem crashed, size_t acknowledged,
                           const std::string& label) {
      if (this->HasFailure()) return;
      auto store = OpenStore<TypeParam>(crashed);
      ASSERT_TRUE(store.ok()) << label << ": " << store.status() << "\n" << crashed.Trace();
      const auto contents = Contents(**store);
      ASSERT_TRUE(contents.ok()) << label << ": " << contents.status();
      bool found = false;
      const size_t from = TypeParam::kDurableOnReturn ? acknowledged : 0;
      for (size_t i = from; i <= std::min(acknowledged + 1, kWrites); ++i) {
        found |= states[i] == *contents;
      }
      EXPECT_TRUE(found) << "seed " << seed << ", " << label << ", " << acknowledged
                         << " acknowledged\n"
                         << crashed.Trace();
      EXPECT_TRUE((*store)->Verify().ok()) << label;
    };
    EXPECT_GT(ForEachCrashPoint(SimulatedFileSystem(), 1, run, check), 100u);
  }
}

// Tables under a tombstone as a whole go without being read.
TEST(RangeDeleteTest, DeadTablesAreDroppedUnread) {
  SimulatedFileSystem fs;
  auto store = OpenStore<SyncedStore>(fs);
  ASSERT_TRUE(store.ok());
  for (size_t i = 0; i < 200; ++i) {
    ASSERT_TRUE((*store)->Put(fmt::format("a{:03}", i), std::string(300, 'v')).ok());
  }
  ASSERT_TRUE((*store)->Put("b", "stays").ok());
  ASSERT_TRUE((*store)->Compact().ok());
  EXPECT_GT(TablesOf(fs), 10u);
  const uint64_t read = (*store)->Stats().compaction_bytes_read;
  ASSERT_TRUE((*store)->DeleteRange("a", "b").ok());
  ASSERT_TRUE((*store)->Flush().ok());
  EXPECT_LE(TablesOf(fs), 2u);
  // One table may have had the last of the range and "b" in it.
  EXPECT_LT((*store)->Stats().compaction_bytes_read - read, 5000u);
  EXPECT_EQ(RangesOf(fs).size(), 0u);
  EXPECT_EQ(*Walk((*store)->NewCursor()), (Model{{"b", "stays"}}));
}

// A snapshot keeps the data, and with it the tombstone, alive; once it goes, so do they.
TEST(RangeDeleteTest, SnapshotsKeepWhatTheySee) {
  SimulatedFileSystem fs;
  auto store = OpenStore<SyncedStore>(fs);
  ASSERT_TRUE(store.ok());
  for (uint64_t i = 0; i < 8; ++i) ASSERT_TRUE((*store)->Put(Key(i), "v").ok());
  {
    const auto snapshot = (*store)->TakeSnapshot();
    ASSERT_TRUE((*store)->DeleteRange(Key(2), Key(6)).ok());
    ASSERT_TRUE((*store)->Compact().ok());
    EXPECT_EQ(RangesOf(fs).size(), 1u);
    EXPECT_EQ(Walk((*store)->NewCursor({}, snapshot))->size(), 8u);
    EXPECT_EQ(Walk((*store)->NewCursor())->size(), 4u);
    ASSERT_TRUE((*store)->Put(Key(3), "again").ok());
    ASSERT_TRUE((*store)->Compact().ok());
    EXPECT_EQ(Walk((*store)->NewCursor({}, snapshot))->at(Key(3)), "v");
    EXPECT_EQ(Walk((*store)->NewCursor())->at(Key(3)), "again");
  }
  ASSERT_TRUE((*store)->Compact().ok());
  EXPECT_EQ(RangesOf(fs).size(), 0u);
  EXPECT_EQ(Walk((*store)->NewCursor())->size(), 5u);
}

// A write after the delete, merged to the bottom while the tombstone is alive, does not fall under
// it: compaction must not take its sequence number away.
TEST(RangeDeleteTest, NewerWritesStayAboveATombstone) {
  SimulatedFileSystem fs;
  auto store = OpenStore<SyncedStore>(fs);
  ASSERT_TRUE(store.ok());
  for (uint64_t i = 0; i < 8; ++i) ASSERT_TRUE((*store)->Put(Key(i), "old").ok());
  auto snapshot = std::make_optional((*store)->TakeSnapshot());
  ASSERT_TRUE((*store)->DeleteRange("", "").ok());
  ASSERT_TRUE((*store)->Put(Key(4), "new").ok());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE((*store)->Compact().ok());
    EXPECT_EQ(*Walk((*store)->NewCursor()), (Model{{Key(4), "new"}}));
    if (i == 1) snapshot.reset();
  }
  EXPECT_EQ(RangesOf(fs).size(), 0u);
}

// Thousands of deletes of one queue are one tombstone, and cost the reader one search.
TEST(RangeDeleteTest, TrimmingAQueueLeavesOneTombstone) {
  SimulatedFileSystem fs;
  Options options = StoreOptions();
  options.memtable_bytes = 1 << 20;
  auto store = OpenStore<SyncedStore>(fs, options);
  ASSERT_TRUE(store.ok());
  const auto job = [](size_t i) { return fmt::format("job{:06}", i); };
  const auto put = [&](size_t i) { return (*store)->Put(job(i), std::string(40, 'v')); };
  for (size_t i = 0; i < 100; ++i) ASSERT_TRUE(put(i).ok());
  ASSERT_TRUE((*store)->Flush().ok());
  const auto snapshot = (*store)->TakeSnapshot();
  for (size_t i = 100; i < 3000; ++i) {
    ASSERT_TRUE(put(i).ok());
    ASSERT_TRUE((*store)->DeleteRange("", job(i - 10)).ok());
  }
  ASSERT_TRUE((*store)->Flush().ok());
  EXPECT_LE(RangesOf(fs).size(), 1u);
  EXPECT_EQ(Walk((*store)->NewCursor())->size(), 11u);
  EXPECT_EQ(Walk((*store)->NewCursor({}, snapshot))->size(), 100u);
}

TEST(RangeDeleteTest, RefusesKeysThatAreTooLong) {
  SimulatedFileSystem fs;
  auto store = OpenStore<SyncedStore>(fs);
  ASSERT_TRUE(store.ok());
  const std::string too_long(kMaxKeyBytes + 1, 'k');
  EXPECT_EQ((*store)->DeleteRange(too_long, "").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ((*store)->DeleteRange("", too_long).code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE((*store)->Close().ok());
  EXPECT_EQ((*store)->DeleteRange("a", "b").code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace kv
