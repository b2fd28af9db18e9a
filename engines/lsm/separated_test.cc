// Stores that separate values: what counts as garbage, against a count of every pointer; that it is
// collected, and what snapshots and cursors keep.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engines/lsm/engine.h"
#include "engines/lsm/separated_testing.h"
#include "engines/lsm/store_testing.h"
#include "engines/lsm/value_accounts_testing.h"
#include "fmt/format.h"
#include "kv/testing/random.h"

namespace kv {
namespace {

using kv::testing::Random;

template <typename E>
absl::Status Step(Random& random, E& store, Model* model, size_t i) {
  const std::string key = Key(random.Below(8));
  const uint64_t what = random.Below(16);
  if (what == 0) {
    const std::string end = Key(random.Below(9));
    for (auto it = model->lower_bound(key); it != model->end() && it->first < end;) {
      it = model->erase(it);
    }
    return store.DeleteRange(key, end < key ? key : end);
  }
  if (what < 3) {
    model->erase(key);
    return store.Delete(key);
  }
  // Some are too short to be separated.
  const uint64_t size = random.OneIn(6) ? random.Below(4) : random.Below(300);
  std::string value = fmt::format("{}:", i) + std::string(size, static_cast<char>('a' + i % 26));
  if (size < 4) value.resize(size);
  (*model)[key] = value;
  return store.Put(key, value);
}

template <typename E>
Model Backwards(E& store) {
  Model model;
  auto cursor = store.NewCursor();
  for (cursor.SeekToLast(); cursor.Valid(); cursor.Prev()) {
    model.emplace(cursor.key(), cursor.value());
  }
  EXPECT_TRUE(cursor.status().ok()) << cursor.status();
  return model;
}

template <typename E>
class SeparatedHistoryTest : public ::testing::Test {};
using Stores = ::testing::Types<SeparatedStore, SeparatedPreadStore>;
TYPED_TEST_SUITE(SeparatedHistoryTest, Stores);

TYPED_TEST(SeparatedHistoryTest, GarbageIsWhatNoTablePointsTo) {
  uint64_t moved = 0;
  for (uint64_t seed = 0; seed < 20 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    SimulatedFileSystem fs;
    Options options = StoreOptions();
    options.memtable_bytes = random.OneIn(4) ? 1 : 20'000;
    auto opened = OpenStore<TypeParam>(fs, options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    std::unique_ptr<TypeParam> store = *std::move(opened);
    Model model;
    std::vector<std::pair<typename TypeParam::Snapshot, Model>> snapshots;
    std::vector<std::pair<typename TypeParam::Cursor, Model>> cursors;
    for (size_t i = 0; i < 200 && !::testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE(i);
      ASSERT_TRUE(Step(random, *store, &model, i).ok());
      const uint64_t also = random.Below(30);
      if (also == 0) snapshots.emplace_back(store->TakeSnapshot(), model);
      if (also == 1 && !snapshots.empty()) snapshots.erase(snapshots.begin());
      if (also == 2) cursors.emplace_back(store->NewCursor(), model);
      if (also == 3 && !cursors.empty()) {
        EXPECT_EQ(*Walk(std::move(cursors.front().first)), cursors.front().second);
        cursors.erase(cursors.begin());
      }
      absl::Status status;
      if (also >= 4 && also < 8) status = store->Flush();
      if (also == 8) status = store->Compact();
      ASSERT_TRUE(status.ok()) << status;
      if (also == 9) {
        snapshots.clear();
        cursors.clear();
        moved += store->Stats().value_bytes_moved;
        ASSERT_TRUE(store->Close().ok());
        auto again = OpenStore<TypeParam>(fs, options);
        ASSERT_TRUE(again.ok()) << again.status();
        store = *std::move(again);
      }
      const auto contents = Contents(*store);
      ASSERT_TRUE(contents.ok()) << contents.status();
      ASSERT_EQ(*contents, model);
      EXPECT_EQ(Backwards(*store), model);
      EXPECT_EQ(*store->Count(""), model.size());
      for (const auto& [snapshot, then] : snapshots) {
        EXPECT_EQ(*Walk(store->NewCursor({}, snapshot)), then);
      }
      CheckAccounts(fs, *store, also == 8, cursors.empty());
    }
    for (auto& [cursor, then] : cursors) EXPECT_EQ(*Walk(std::move(cursor)), then);
    cursors.clear();
    snapshots.clear();
    EXPECT_EQ(store->Verify(), absl::OkStatus());
    ASSERT_TRUE(store->Compact().ok());
    CheckAccounts(fs, *store, true, true);
    EXPECT_EQ(*Contents(*store), model);
    moved += store->Stats().value_bytes_moved;
    // With nothing alive there is no file.
    ASSERT_TRUE(store->DeleteRange("", "").ok());
    ASSERT_TRUE(store->Compact().ok());
    EXPECT_EQ(ValueFilesOnDisk(fs), std::set<uint64_t>());
  }
  EXPECT_GT(moved, 0u);
}

TEST(SeparatedTest, SnapshotsAndCursorsKeepWhatTheySee) {
  SimulatedFileSystem fs;
  auto opened = OpenStore<SeparatedStore>(fs, LargeMemtables());
  ASSERT_TRUE(opened.ok());
  SeparatedStore& store = **opened;
  for (size_t i = 0; i < kFirst; ++i) ASSERT_TRUE(WriteOne(store, i).ok());
  ASSERT_TRUE(store.Flush().ok());
  const auto files = ValueFilesOnDisk(fs);
  {
    const auto snapshot = store.TakeSnapshot();
    for (size_t i = kFirst; i < 2 * kFirst; ++i) ASSERT_TRUE(WriteOne(store, i).ok());
    ASSERT_TRUE(store.Compact().ok());
    // What a snapshot needs is no garbage.
    EXPECT_EQ(store.Stats().value_garbage_bytes, 0u);
    EXPECT_EQ(*Walk(store.NewCursor({}, snapshot)), ModelAfter(kFirst));
  }
  auto cursor = store.NewCursor();
  cursor.SeekToFirst();
  ASSERT_TRUE(store.DeleteRange("", "").ok());
  ASSERT_TRUE(store.Compact().ok());
  EXPECT_EQ(store.Stats().value_files, 0u);
  EXPECT_NE(ValueFilesOnDisk(fs), std::set<uint64_t>());
  EXPECT_EQ(*Walk(std::move(cursor)), ModelAfter(2 * kFirst));
  EXPECT_EQ(ValueFilesOnDisk(fs), std::set<uint64_t>());
}

// A cursor that cannot have the value is not valid; what needs no value does not look for it.
TEST(SeparatedTest, DamagedValuesAreMissedOnlyByThoseWhoReadThem) {
  SimulatedFileSystem fs;
  auto opened = OpenStore<SeparatedStore>(fs, LargeMemtables());
  ASSERT_TRUE(opened.ok());
  for (size_t i = 0; i < kFirst; ++i) ASSERT_TRUE(WriteOne(**opened, i).ok());
  ASSERT_TRUE((*opened)->Close().ok());
  opened = OpenStore<SeparatedStore>(fs, LargeMemtables());
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE((*opened)->Flush().ok());
  const std::string path = kNames.Values(*ValueFilesOnDisk(fs).begin());
  ASSERT_TRUE((*opened)->Close().ok());
  // In the value of key2.
  ASSERT_TRUE(fs.FlipBit(path, fs.Contents(path)->find("2:vvv"), 1).ok());
  opened = OpenStore<SeparatedStore>(fs, LargeMemtables());
  ASSERT_TRUE(opened.ok()) << opened.status();
  SeparatedStore& store = **opened;
  EXPECT_EQ(*store.Count(""), kFirst);
  std::string value;
  EXPECT_TRUE(store.Get(Key(1), &value).ok());
  const absl::Status status = store.Get(Key(2), &value);
  EXPECT_TRUE(absl::IsDataLoss(status) && Names(status, path)) << status;
  EXPECT_TRUE(absl::IsDataLoss(store.Verify()));
  auto cursor = store.NewCursor();
  size_t seen = 0;
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) ++seen;
  EXPECT_EQ(seen, 2u);
  EXPECT_TRUE(absl::IsDataLoss(cursor.status())) << cursor.status();
  for (seen = 0, cursor.SeekToLast(); cursor.Valid(); cursor.Prev()) ++seen;
  EXPECT_EQ(seen, 3u);
  EXPECT_TRUE(absl::IsDataLoss(cursor.status())) << cursor.status();
  cursor.Seek(Key(3));
  EXPECT_TRUE(cursor.Valid());
  EXPECT_EQ(cursor.value(), ValueOf(3));
  EXPECT_TRUE(cursor.status().ok()) << cursor.status();
}

// A store of inline values becomes one of separated values, and not the other way round.
TEST(SeparatedTest, OpensInlineStoresAndIsRefusedByThem) {
  SimulatedFileSystem fs;
  {
    auto store = OpenStore<SyncedStore>(fs);
    ASSERT_TRUE(store.ok());
    ASSERT_EQ(History::WriteUntil(**store, 0, 30), 30u);
    ASSERT_TRUE((*store)->Close().ok());
  }
  {
    auto store = OpenStore<SeparatedStore>(fs);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ(*Contents(**store), History::StateAfter(30));
    ASSERT_EQ(History::WriteUntil(**store, 30, 60), 60u);
    EXPECT_EQ(*Contents(**store), History::StateAfter(60));
    EXPECT_GT((*store)->Stats().value_files, 0u);
    EXPECT_EQ((*store)->Verify(), absl::OkStatus());
    ASSERT_TRUE((*store)->Close().ok());
  }
  const absl::Status status = OpenStore<SyncedStore>(fs).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(Names(status, "values=separated")) << status;
  EXPECT_EQ(SyncedStore::Format() + " values=separated", SeparatedStore::Format());
}

// Compaction copies pointers: what it writes does not grow with the values.
TEST(SeparatedTest, OverwritesAreNotCopiedByCompaction) {
  struct LargeFiles : SyncedParts {
    using Values = SeparatedValues<>;
  };
  const auto overwrite = [](auto& store) {
    for (size_t i = 0; i < 400; ++i) {
      EXPECT_TRUE(store.Put(Key(i * 7 % 40), std::string(4096, static_cast<char>(i))).ok());
    }
    return store.Stats();
  };
  Options options = StoreOptions();
  options.memtable_bytes = 100'000;
  SimulatedFileSystem inline_files;
  auto inline_store = OpenStore<UnsyncedStore>(inline_files, options);
  SimulatedFileSystem separated_files;
  auto separated_store = OpenStore<Lsm<LargeFiles, SimulatedEnvironment>>(separated_files, options);
  ASSERT_TRUE(inline_store.ok() && separated_store.ok());
  const Statistics inlined = overwrite(**inline_store);
  const Statistics separated = overwrite(**separated_store);
  EXPECT_LT(2 * separated.compaction_bytes_written, inlined.compaction_bytes_written);
  EXPECT_LT(separated.flush_bytes, inlined.flush_bytes * 11 / 10);
  // What is moved is written, and is counted as such.
  EXPECT_GE(separated.compaction_bytes_written, separated.value_bytes_moved);
}

}  // namespace
}  // namespace kv
