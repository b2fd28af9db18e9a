// The tree while it is in use: cursors and snapshots across flushes and compactions, tombstones on
// their way down, and readers beside everything else.
#include "engines/lsm/store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "engines/lsm/engine.h"
#include "engines/lsm/manifest.h"
#include "engines/lsm/store_testing.h"
#include "kv/compaction/fifo.h"

namespace kv {
namespace {

size_t TablesOf(SimulatedFileSystem fs) {
  size_t tables = 0;
  const std::vector<std::string> names = *fs.List(kStoreDirectory);
  for (const std::string& name : names) tables += FileNames::ParseTable(name).has_value();
  return tables;
}

// Two keys of one value.
struct PairSource {
  bool Valid() const { return at < 2; }
  void Next() { ++at; }
  std::string_view key() const { return keys[at]; }
  std::string_view value() const { return both; }
  absl::Status status() const { return absl::OkStatus(); }

  std::string_view keys[2];
  std::string both;
  size_t at = 0;
};

std::unique_ptr<UnsyncedStore> OpenUnsynced(SimulatedFileSystem fs) {
  auto store = OpenStore<UnsyncedStore>(std::move(fs));
  EXPECT_TRUE(store.ok()) << store.status();
  return *std::move(store);
}

TEST(StoreTest, FilesLiveUntilTheLastCursorOnThemIsGone) {
  SimulatedFileSystem fs;
  auto store = OpenUnsynced(fs);
  ASSERT_EQ(History::WriteUntil(*store, 0, 20), 20u);
  ASSERT_TRUE(store->Flush().ok());
  auto cursor = std::make_optional(store->NewCursor());
  cursor->SeekToFirst();
  ASSERT_EQ(History::WriteUntil(*store, 20, 60), 60u);
  ASSERT_TRUE(store->Compact().ok());
  const size_t with_old = TablesOf(fs);
  EXPECT_EQ(*Walk(std::move(*cursor)), History::StateAfter(20));
  cursor.reset();
  EXPECT_LT(TablesOf(fs), with_old);
  EXPECT_EQ(*Contents(*store), History::StateAfter(60));
}

TEST(StoreTest, SnapshotsSurviveFlushesAndCompactions) {
  SimulatedFileSystem fs;
  auto store = OpenUnsynced(fs);
  std::vector<std::pair<size_t, UnsyncedStore::Snapshot>> snapshots;
  for (size_t writes = 0; writes < 80; ++writes) {
    if (writes % 9 == 0) snapshots.emplace_back(writes, store->TakeSnapshot());
    if (writes % 23 == 22) {
      ASSERT_TRUE(store->Compact().ok());
    }
    ASSERT_TRUE(History::Write(*store, writes).ok());
  }
  // Given up in an order of its own, with compactions in between.
  while (!snapshots.empty()) {
    ASSERT_TRUE(store->Compact().ok());
    for (const auto& [writes, snapshot] : snapshots) {
      const Model expected = History::StateAfter(writes);
      EXPECT_EQ(*Walk(store->NewCursor({}, snapshot)), expected) << writes;
      for (size_t i = 0; i < 8; ++i) {
        const std::string key = fmt::format("key{}", i);
        std::string value;
        const bool found = store->Get(key, &value, snapshot).ok();
        ASSERT_EQ(found, expected.contains(key)) << writes << ", " << key;
        EXPECT_EQ(value, found ? expected.at(key) : "");
      }
    }
    snapshots.erase(snapshots.begin() + static_cast<ptrdiff_t>(snapshots.size() / 2));
  }
  EXPECT_EQ(*Contents(*store), History::StateAfter(80));
}

// A tombstone is dropped only where nothing older can lie below.
TEST(StoreTest, DeletedKeysStayDeletedThroughEveryLevelAndReopen) {
  SimulatedFileSystem fs;
  auto store = OpenUnsynced(fs);
  ASSERT_TRUE(store->Put("deleted", std::string(3000, 'x')).ok());
  ASSERT_TRUE(store->Compact().ok());
  ASSERT_TRUE(store->Delete("deleted").ok());
  std::string value;
  for (size_t i = 0; i < 40; ++i) {
    ASSERT_TRUE(store->Put(fmt::format("other{}", i % 7), std::string(300, 'y')).ok());
    ASSERT_TRUE(absl::IsNotFound(store->Get("deleted", &value))) << i;
  }
  ASSERT_TRUE(store->Compact().ok());
  EXPECT_TRUE(absl::IsNotFound(store->Get("deleted", &value)));
  ASSERT_TRUE(store->Close().ok());
  store = OpenUnsynced(fs);
  EXPECT_TRUE(absl::IsNotFound(store->Get("deleted", &value)));
}

// The numbers that a reopened store gives come after all that it has ever given.
TEST(StoreTest, WritesAfterAReopenAreNewerThanThoseBefore) {
  SimulatedFileSystem fs;
  for (size_t i = 0; i < 12; ++i) {
    auto store = OpenUnsynced(fs);
    ASSERT_TRUE(store->Put("key", fmt::format("{}", i)).ok());
    if (i % 2 == 0) {
      ASSERT_TRUE(store->Compact().ok());
    }
    std::string value;
    ASSERT_TRUE(store->Get("key", &value).ok());
    EXPECT_EQ(value, fmt::format("{}", i));
    if (i % 3 == 0) {
      ASSERT_TRUE(store->Flush().ok());
    }
    ASSERT_TRUE(store->Close().ok());
  }
}

struct ThreadedEnvironment {
  using FileSystem = SimulatedFileSystem;
  using Clock = ManualClock;
  static constexpr BackgroundWork kBackgroundWork = BackgroundWork::kThreads;
  FileSystem file_system;
  Clock clock;
};

// One writer counts two keys up together; readers must see them equal and never going back, while
// memtables rotate and tables come and go.
TEST(StoreTest, ReadersSeeOneStateBesideFlushesAndCompactions) {
  SimulatedFileSystem fs;
  auto opened = Lsm<UnsyncedParts, ThreadedEnvironment>::Open(StoreOptions(), {.file_system = fs});
  ASSERT_TRUE(opened.ok()) << opened.status();
  auto& store = **opened;
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&, reader] {
      uint64_t last = 0;
      while (!stop) {
        std::string values[2];
        bool found[2] = {};
        if (reader == 0) {
          const auto snapshot = store.TakeSnapshot();
          found[0] = store.Get("a", &values[0], snapshot).ok();
          std::this_thread::yield();
          found[1] = store.Get("b", &values[1], snapshot).ok();
        } else {
          auto cursor = store.NewCursor();
          for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
            const int which = cursor.key() == "a" ? 0 : 1;
            values[which] = cursor.value();
            found[which] = true;
          }
          EXPECT_TRUE(cursor.status().ok()) << cursor.status();
        }
        ASSERT_EQ(found[0], found[1]);
        ASSERT_EQ(values[0], values[1]);
        if (!found[0]) continue;
        const uint64_t now = std::stoull(values[0]);
        EXPECT_GE(now, last);
        last = now;
      }
    });
  }
  for (uint64_t i = 1; i <= 400; ++i) {
    WriteBatch batch;
    batch.Put("a", fmt::format("{}", i));
    batch.Put("b", fmt::format("{}", i));
    ASSERT_TRUE(store.Write(batch).ok());
    if (i % 7 == 0) {
      ASSERT_TRUE(store.DeleteRange("a", "c").ok());
    }
    if (i % 90 == 0) {
      const std::string number = fmt::format("{}", i);
      PairSource source{{"a", "b"}, number};
      ASSERT_TRUE(store.BulkLoad(source).ok());
    }
    if (i % 100 == 0) {
      EXPECT_TRUE(store.Compact().ok());
    }
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_TRUE(store.Verify().ok());
}

// Dropping what has expired, oldest first, must not let anything older come back.
TEST(StoreTest, FifoDropsExpiredTables) {
  struct FifoParts : SyncedParts {
    using Compaction = FifoCompaction<>;
  };
  using FifoStore = Lsm<FifoParts, SimulatedEnvironment>;
  SimulatedEnvironment environment;
  auto opened = FifoStore::Open(StoreOptions(), environment);
  ASSERT_TRUE(opened.ok()) << opened.status();
  FifoStore& store = **opened;
  const uint64_t soon = environment.clock.UnixMillis() + 1000;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(store.Put(fmt::format("k{}", i), "brief", {.expires_at = soon}).ok());
  }
  ASSERT_TRUE(store.Put("k1", "lasting").ok());
  ASSERT_TRUE(store.Put("k2", "brief again", {.expires_at = soon}).ok());
  ASSERT_TRUE(store.Flush().ok());
  const uint64_t read = store.Stats().compaction_bytes_read;
  EXPECT_EQ(TablesOf(environment.file_system), 7u);
  environment.clock.AdvanceMillis(2000);
  ASSERT_TRUE(store.Put("z", "wakes the policy").ok());
  ASSERT_TRUE(store.Flush().ok());
  // The one behind the lasting one has to stay, for it is newer.
  EXPECT_EQ(TablesOf(environment.file_system), 3u);
  EXPECT_EQ(store.Stats().compaction_bytes_read, read);
  EXPECT_EQ(*Walk(store.NewCursor()), (Model{{"k1", "lasting"}, {"z", "wakes the policy"}}));
  // A load is the newest, so it is not put where the oldest is.
  PairSource source{{"a", "b"}, "loaded"};
  ASSERT_TRUE(store.BulkLoad(source).ok());
  const auto manifest = ReadManifest(environment.file_system, FileNames(kStoreDirectory));
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest->state.levels[0].size(), 4u);
}

TEST(StoreTest, GaugesCountWhatIsThere) {
  SimulatedFileSystem fs;
  Options options = StoreOptions();
  options.memtable_bytes = 1 << 20;
  auto store = OpenStore<SyncedStore>(fs, options);
  ASSERT_TRUE(store.ok());
  const uint64_t empty = (*store)->Stats().disk_bytes;
  EXPECT_GT(empty, 0u) << "the manifest";
  EXPECT_EQ((*store)->Stats().live_bytes_estimate, 0u);
  ASSERT_TRUE((*store)->Put("key", "value").ok());
  EXPECT_EQ((*store)->Stats().live_bytes_estimate, 8u);
  EXPECT_EQ((*store)->Stats().disk_bytes, empty + (*store)->Stats().wal_bytes);
  ASSERT_TRUE((*store)->Flush().ok());
  EXPECT_EQ((*store)->Stats().live_bytes_estimate, 8u);
  const uint64_t flushed = (*store)->Stats().disk_bytes;
  EXPECT_GT(flushed, empty);
  // The store knows them, and does not ask a disk that may be gone.
  ASSERT_TRUE((*store)->Put("key", "another").ok());
  const Statistics before = (*store)->Stats();
  EXPECT_GT(before.disk_bytes, flushed);
  fs.CutPowerAfter(0);
  EXPECT_EQ((*store)->Stats().disk_bytes, before.disk_bytes);
  EXPECT_EQ((*store)->Stats().live_bytes_estimate, before.live_bytes_estimate);
  EXPECT_FALSE((*store)->Put("key", "lost").ok());
}

}  // namespace
}  // namespace kv
