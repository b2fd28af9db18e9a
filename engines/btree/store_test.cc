// What the files of a store do: large values take and give back space, the file shrinks when
// records go, and a durable write costs one sync.
#include "engines/btree/store.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "engines/btree/store_testing.h"

namespace kv::btree {
namespace {

uint64_t FileBytes(const SimulatedFileSystem& fs) { return fs.Contents(kTreePath)->size(); }

std::string Key(uint64_t i) { return fmt::format("key{:06}", i); }
std::string Large(uint64_t i) { return std::string(5000 + i, static_cast<char>('a' + i % 26)); }

TEST(LargeValuesTest, AreReadBeforeAndAfterTheyAreWrittenOut) {
  SimulatedFileSystem fs;
  auto store = OpenStore(fs);
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->Put("k", Large(1)).ok());
  std::string value;
  ASSERT_TRUE((*store)->Get("k", &value).ok());
  EXPECT_EQ(value, Large(1));
  ASSERT_TRUE((*store)->Compact().ok());
  ASSERT_TRUE((*store)->Get("k", &value).ok());
  EXPECT_EQ(value, Large(1));
  store->reset();
  store = OpenStore(fs);
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_TRUE((*store)->Get("k", &value).ok());
  EXPECT_EQ(value, Large(1));
}

TEST(LargeValuesTest, GiveTheirSpaceBackWhenReplacedAndDeleted) {
  SimulatedFileSystem fs;
  auto store = OpenStore(fs);
  ASSERT_TRUE(store.ok());
  for (uint64_t i = 0; i < 8; ++i) ASSERT_TRUE((*store)->Put(Key(i), Large(i)).ok());
  ASSERT_TRUE((*store)->Compact().ok());
  const uint64_t once = (*store)->Stats().live_bytes_estimate;
  for (uint64_t round = 0; round < 20; ++round) {
    for (uint64_t i = 0; i < 8; ++i) ASSERT_TRUE((*store)->Put(Key(i), Large(i + round)).ok());
  }
  ASSERT_TRUE((*store)->Compact().ok());
  EXPECT_LE((*store)->Stats().live_bytes_estimate, once + once / 4);
  for (uint64_t i = 0; i < 8; ++i) ASSERT_TRUE((*store)->Delete(Key(i)).ok());
  ASSERT_TRUE((*store)->Compact().ok());
  EXPECT_LE((*store)->Stats().live_bytes_estimate, 20u * 512);
  EXPECT_TRUE((*store)->Verify().ok());
}

TEST(LargeValuesTest, StayForASnapshot) {
  SimulatedFileSystem fs;
  auto store = OpenStore(fs);
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->Put("k", Large(1)).ok());
  {
    const auto snapshot = (*store)->TakeSnapshot();
    ASSERT_TRUE((*store)->Put("k", Large(2)).ok());
    for (uint64_t i = 0; i < 100; ++i) ASSERT_TRUE((*store)->Put(Key(i), "small").ok());
    ASSERT_TRUE((*store)->Compact().ok());
    std::string value;
    ASSERT_TRUE((*store)->Get("k", &value, snapshot).ok());
    EXPECT_EQ(value, Large(1));
    ASSERT_TRUE((*store)->Get("k", &value).ok());
    EXPECT_EQ(value, Large(2));
  }
  const uint64_t both = (*store)->Stats().live_bytes_estimate;
  ASSERT_TRUE((*store)->Compact().ok());
  EXPECT_LE((*store)->Stats().live_bytes_estimate + 4 * 512, both) << "nobody needs the older one";
}

// The older of two versions in a cursor's copy of a leaf is not what it shows, and may be gone.
TEST(LargeValuesTest, ACursorDoesNotLookForVersionsThatItDoesNotShow) {
  for (const bool forward : {true, false}) {
    SimulatedFileSystem fs;
    auto store = OpenStore(fs);
    ASSERT_TRUE(store.ok());
    for (const char* key : {"a", "k", "z"}) ASSERT_TRUE((*store)->Put(key, Large(1)).ok());
    ASSERT_TRUE((*store)->Put("k", Large(2)).ok());
    auto cursor = (*store)->NewCursor();
    forward ? cursor.SeekToFirst() : cursor.SeekToLast();
    ASSERT_TRUE((*store)->Compact().ok());
    std::string keys;
    for (; cursor.Valid(); forward ? cursor.Next() : cursor.Prev()) {
      keys += cursor.key();
      EXPECT_EQ(cursor.value(), cursor.key() == "k" ? Large(2) : Large(1));
    }
    EXPECT_TRUE(cursor.status().ok()) << cursor.status();
    EXPECT_EQ(keys, forward ? "akz" : "zka");
  }
}

TEST(VacuumTest, TheFileShrinksWhenRecordsGo) {
  SimulatedFileSystem fs;
  auto store = OpenStore<SmallUnsyncedStore>(fs);
  ASSERT_TRUE(store.ok());
  for (uint64_t i = 0; i < 6000; ++i) {
    ASSERT_TRUE((*store)->Put(Key(i * 7919 % 6000), std::string(60, 'v')).ok());
    if (i % 500 == 0) {
      ASSERT_TRUE((*store)->Put(Key(i) + "large", Large(i)).ok());
    }
  }
  ASSERT_TRUE((*store)->Compact().ok());
  const uint64_t full = FileBytes(fs);
  Model kept;
  for (uint64_t i = 0; i < 6000; ++i) {
    if (i % 20 == 0) {
      kept[Key(i)] = std::string(60, 'v');
    } else {
      ASSERT_TRUE((*store)->Delete(Key(i)).ok());
    }
    if (i % 500 == 0) {
      ASSERT_TRUE((*store)->Delete(Key(i) + "large").ok());
    }
  }
  ASSERT_TRUE((*store)->Compact().ok());
  const uint64_t packed = FileBytes(fs);
  EXPECT_LT(packed, full / 4) << "pages of 512 bytes have many inner ones, which stay";
  EXPECT_LE(packed, (*store)->Stats().live_bytes_estimate * 9 / 8 + 80 * 512);
  EXPECT_TRUE((*store)->Verify().ok());
  const auto contents = Contents(**store);
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_EQ(*contents, kept);
  ASSERT_TRUE((*store)->Close().ok());
  for (const CrashMode mode : kAllCrashModes) {
    auto reopened = OpenStore<SmallUnsyncedStore>(fs.Crash(1, mode));
    ASSERT_TRUE(reopened.ok()) << ToString(mode) << ": " << reopened.status();
    EXPECT_EQ(*Contents(**reopened), kept) << ToString(mode);
  }
}

// One checkpoint moves a bounded number of pages, whatever there is to move.
TEST(VacuumTest, DoesABoundedPartOfTheWorkAtACheckpoint) {
  SimulatedFileSystem fs;
  auto store = OpenStore<SmallUnsyncedStore>(fs);
  ASSERT_TRUE(store.ok());
  for (uint64_t i = 0; i < 400; ++i) ASSERT_TRUE((*store)->Put(Key(i), Large(0)).ok());
  for (uint64_t i = 400; i < 800; ++i) ASSERT_TRUE((*store)->Put(Key(i), Large(0)).ok());
  ASSERT_TRUE((*store)->Compact().ok());
  for (uint64_t i = 0; i < 400; ++i) ASSERT_TRUE((*store)->Delete(Key(i)).ok());
  uint64_t most = 0;
  uint64_t in_a_row = 0;
  fs.SetHook([&](FileOperation operation, const std::string& path) {
    if (path != kTreePath) return;
    // Between two syncs; a write is at most one value or a run of pages.
    if (operation == FileOperation::kSync) in_a_row = 0;
    if (operation == FileOperation::kWrite) most = std::max(most, ++in_a_row);
  });
  const uint64_t full = FileBytes(fs);
  ASSERT_TRUE((*store)->Compact().ok());
  fs.SetHook({});
  EXPECT_LT(FileBytes(fs), full * 2 / 3);
  // 400 values of ten units are four rounds' work at least.
  EXPECT_LE(most, Vacuum::kMaxUnits / 10 + 60);
}

struct Syncs {
  uint64_t log = 0;
  uint64_t tree = 0;
  uint64_t directory = 0;
};

TEST(SyncsTest, ADurableWriteCostsOneSyncOfTheLog) {
  SimulatedFileSystem fs;
  Options options = SmallOptions();
  options.cache_bytes = 64 << 20;
  auto store = OpenStore(fs, options);
  ASSERT_TRUE(store.ok());
  Syncs syncs;
  fs.SetHook([&](FileOperation operation, const std::string& path) {
    if (operation == FileOperation::kSyncDirectory) ++syncs.directory;
    if (operation != FileOperation::kSync) return;
    ++(path.ends_with(".log") ? syncs.log : syncs.tree);
  });
  for (uint64_t i = 0; i < 1000; ++i) {
    ASSERT_TRUE((*store)->Put(Key(i * 7919 % 1000), std::string(100, 'v')).ok());
  }
  fs.SetHook({});
  EXPECT_EQ(syncs.log, 1000u);
  EXPECT_EQ(syncs.tree, 0u) << "no checkpoint was due";
  EXPECT_EQ(syncs.directory, 0u);
  EXPECT_EQ((*store)->Stats().wal_syncs, 1000u);
  EXPECT_EQ((*store)->Stats().flushes, 0u);
}

// With checkpoints between them: what they sync is theirs, two syncs of the pages each and one of
// the log that begins. The log that ends has been synced by its last write.
TEST(SyncsTest, CheckpointsSyncForThemselves) {
  SimulatedFileSystem fs;
  auto store = OpenStore(fs);
  ASSERT_TRUE(store.ok());
  Syncs syncs;
  fs.SetHook([&](FileOperation operation, const std::string& path) {
    if (operation == FileOperation::kSyncDirectory) ++syncs.directory;
    if (operation != FileOperation::kSync) return;
    ++(path.ends_with(".log") ? syncs.log : syncs.tree);
  });
  const uint64_t before = (*store)->Stats().flushes;
  for (uint64_t i = 0; i < 1000; ++i) {
    ASSERT_TRUE((*store)->Put(Key(i * 7919 % 1000), std::string(100, 'v')).ok());
  }
  fs.SetHook({});
  const uint64_t checkpoints = (*store)->Stats().flushes - before;
  EXPECT_GT(checkpoints, 10u);
  EXPECT_EQ(syncs.tree, 2 * checkpoints);
  EXPECT_EQ(syncs.log, 1000 + checkpoints);
  EXPECT_EQ(syncs.directory, checkpoints);
}

}  // namespace
}  // namespace kv::btree
