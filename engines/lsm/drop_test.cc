// Choices that drop tables: what goes, what a crash leaves, and what is kept for readers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engines/lsm/engine.h"
#include "engines/lsm/manifest.h"
#include "engines/lsm/snapshots.h"
#include "engines/lsm/store.h"
#include "engines/lsm/store_testing.h"
#include "kv/compaction/fifo.h"
#include "kv/io/crash_points.h"

namespace kv {
namespace {

// About six tables of one record each.
constexpr uint64_t kMaxBytes = 4096;

struct WindowParts : SyncedParts {
  using Compaction = FifoCompaction<FifoShape{.max_bytes = kMaxBytes}>;
};
struct SmallWindowParts : SyncedParts {
  using Compaction = FifoCompaction<FifoShape{.max_bytes = 1500}>;
};
struct UnsyncedWindowParts : WindowParts {
  using Commit = NoCommit;
};
using WindowStore = Lsm<WindowParts, SimulatedEnvironment>;
using SmallWindowStore = Lsm<SmallWindowParts, SimulatedEnvironment>;
using UnsyncedWindowStore = Lsm<UnsyncedWindowParts, SimulatedEnvironment>;

struct Tables {
  size_t count = 0;
  uint64_t bytes = 0;
};

Tables TablesOf(SimulatedFileSystem fs) {
  const auto manifest = ReadManifest(fs, FileNames(kStoreDirectory));
  EXPECT_TRUE(manifest.ok()) << manifest.status();
  Tables tables;
  if (!manifest.ok()) return tables;
  for (const auto& level : manifest->state.levels) {
    for (const TableMeta& table : level) {
      ++tables.count;
      tables.bytes += table.bytes;
    }
  }
  return tables;
}

// The smallest number of first writes whose loss explains `model` after `end` writes, or nullopt.
std::optional<size_t> DroppedOf(const Model& model, size_t end) {
  for (size_t first = 0; first <= end; ++first) {
    if (History::StateOf(first, end) == model) return first;
  }
  return std::nullopt;
}

TEST(DropTest, KeepsAWindowOfTheNewestTablesAndReadsNone) {
  SimulatedFileSystem fs;
  auto store = OpenStore<WindowStore>(fs);
  ASSERT_TRUE(store.ok()) << store.status();
  size_t dropped = 0;
  uint64_t before = 0;
  for (size_t i = 0; i < 60; ++i) {
    ASSERT_TRUE(History::Write(**store, i).ok());
    ASSERT_TRUE((*store)->Flush().ok());
    const Tables tables = TablesOf(fs);
    ASSERT_LE(tables.bytes, kMaxBytes);
    // It held more than fits before it dropped anything.
    if (tables.count < i + 1 - dropped) {
      ASSERT_GT(before + 1000, kMaxBytes) << i;
    }
    before = tables.bytes;
    dropped = i + 1 - tables.count;
    ASSERT_EQ(*Contents(**store), History::StateOf(dropped, i + 1)) << i;
  }
  EXPECT_GT(dropped, 40u);
  EXPECT_EQ((*store)->Stats().compaction_bytes_read, 0u);
  EXPECT_EQ((*store)->Stats().compaction_bytes_written, 0u);
  EXPECT_TRUE((*store)->Verify().ok());
  store->reset();
  store = OpenStore<WindowStore>(fs);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(*Contents(**store), History::StateOf(dropped, 60));
  // The files went, not only their names in the manifest.
  const auto names = fs.List(kStoreDirectory);
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(static_cast<size_t>(std::ranges::count_if(
                *names, [](const std::string& name) { return name.ends_with(".table"); })),
            TablesOf(fs).count);
}

// The window holds `kMax` bytes, which `kWrites` writes exceed: some crash finds at least
// `least_dropped` of them gone, so it is not only windows of everything that are looked at.
template <typename E, size_t kWrites, uint64_t kMax>
void CrashEverywhere(size_t least_dropped) {
  size_t most_dropped = 0;
  SimulatedFileSystem start;
  ForEachCrashPoint(
      start, 1,
      [](SimulatedFileSystem fs) {
        size_t written = 0;
        auto store = OpenStore<E>(fs);
        if (store.ok()) written = History::WriteUntil(**store, 0, kWrites);
        return written;
      },
      [&](SimulatedFileSystem crashed, size_t written, const std::string& label) {
        if (::testing::Test::HasFailure()) return;
        auto store = OpenStore<E>(crashed);
        ASSERT_TRUE(store.ok()) << label << ": " << store.status();
        const auto found = Contents(**store);
        ASSERT_TRUE(found.ok()) << label << ": " << found.status();
        // The write under way may have come through; of an unsynced store any number of the last
        // may be gone. No older version of anything came back.
        std::optional<size_t> dropped;
        const size_t least = E::kDurableOnReturn ? written : 0;
        for (size_t end = least; end <= std::min(written + 1, kWrites) && !dropped; ++end) {
          dropped = DroppedOf(*found, end);
        }
        ASSERT_TRUE(dropped) << label << ": no window of the history";
        most_dropped = std::max(most_dropped, *dropped);
        ASSERT_TRUE((*store)->Verify().ok()) << label;
        ASSERT_TRUE((*store)->Put("after", "1").ok()) << label;
        ASSERT_TRUE((*store)->Flush().ok()) << label;
        EXPECT_LE(TablesOf(crashed).bytes, kMax) << label;
      });
  EXPECT_GE(most_dropped, least_dropped);
}

// Synced logs begin with a mebibyte of zeros, which makes them slow to test.
TEST(DropTest, ACrashAtAnyOperationLeavesAWindow) { CrashEverywhere<SmallWindowStore, 6, 1500>(2); }
TEST(DropTest, ACrashOfAnUnsyncedStoreLeavesAWindow) {
  CrashEverywhere<UnsyncedWindowStore, 16, kMaxBytes>(5);
}

TEST(DropTest, SnapshotsAndCursorsKeepWhatTheyRead) {
  SimulatedFileSystem fs;
  auto store = OpenStore<WindowStore>(fs);
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_EQ(History::WriteUntil(**store, 0, 5), 5u);
  ASSERT_TRUE((*store)->Flush().ok());
  const Model seen = History::StateAfter(5);
  auto cursor = (*store)->NewCursor();
  std::optional<Snapshot> snapshot = (*store)->TakeSnapshot();
  ASSERT_EQ(History::WriteUntil(**store, 5, 40), 40u);
  ASSERT_TRUE((*store)->Flush().ok());
  // What the snapshot sees, and so all that is newer, waits.
  EXPECT_GT(TablesOf(fs).bytes, kMaxBytes);
  EXPECT_EQ(*Contents(**store), History::StateAfter(40));
  EXPECT_EQ(*Walk((*store)->NewCursor({}, *snapshot)), seen);
  for (const auto& [key, expected] : seen) {
    std::string value;
    ASSERT_TRUE((*store)->Get(key, &value, *snapshot).ok()) << key;
    EXPECT_EQ(value, expected);
  }
  snapshot.reset();
  ASSERT_TRUE(History::Write(**store, 40).ok());
  ASSERT_TRUE((*store)->Flush().ok());
  const Tables left = TablesOf(fs);
  EXPECT_LE(left.bytes, kMaxBytes);
  EXPECT_EQ(*Contents(**store), History::StateOf(41 - left.count, 41));
  // The cursor's tables are out of the tree and still there.
  EXPECT_EQ(*Walk(std::move(cursor)), seen);
}

// Newer than the snapshot: nothing that it sees is below, so they need not wait for it.
TEST(DropTest, TablesThatASnapshotDoesNotSeeIntoGo) {
  SimulatedFileSystem fs;
  auto store = OpenStore<WindowStore>(fs);
  ASSERT_TRUE(store.ok()) << store.status();
  const Snapshot of_nothing = (*store)->TakeSnapshot();
  ASSERT_EQ(History::WriteUntil(**store, 0, 40), 40u);
  ASSERT_TRUE((*store)->Flush().ok());
  EXPECT_LE(TablesOf(fs).bytes, kMaxBytes);
  EXPECT_EQ(*Walk((*store)->NewCursor({}, of_nothing)), Model());
}

TEST(DropTest, ExpiredTablesGoBesideASnapshot) {
  SimulatedEnvironment environment;
  auto opened = WindowStore::Open(StoreOptions(), environment);
  ASSERT_TRUE(opened.ok()) << opened.status();
  WindowStore& store = **opened;
  const uint64_t soon = environment.clock.UnixMillis() + 1000;
  ASSERT_TRUE(store.Put("a", "brief", {.expires_at = soon}).ok());
  ASSERT_TRUE(store.Put("b", "brief", {.expires_at = soon}).ok());
  ASSERT_TRUE(store.Put("c", "lasting").ok());
  ASSERT_TRUE(store.Flush().ok());
  const Snapshot snapshot = store.TakeSnapshot();
  environment.clock.AdvanceMillis(1001);
  ASSERT_TRUE(store.Put("d", "new").ok());
  ASSERT_TRUE(store.Flush().ok());
  EXPECT_EQ(TablesOf(environment.file_system).count, 2u);
  EXPECT_EQ(*Walk(store.NewCursor({}, snapshot)), (Model{{"c", "lasting"}}));
}

// What could not be taken out of the tree stays readable, and goes with the next choice.
TEST(DropTest, AFailedEditDropsNothing) {
  SimulatedFileSystem fs;
  auto store = OpenStore<WindowStore>(fs);
  ASSERT_TRUE(store.ok()) << store.status();
  size_t written = 0;
  while (TablesOf(fs).count == written) {
    ASSERT_TRUE(History::Write(**store, written++).ok());
    ASSERT_TRUE((*store)->Flush().ok());
  }
  const Model before = *Contents(**store);
  // The manifest is written once by the flush, and then by the drop.
  int edits = 0;
  fs.SetHook([&](FileOperation now, const std::string& path) {
    if (now != FileOperation::kSync || path.find("MANIFEST") == std::string::npos) return;
    if (++edits == 2) fs.FailAfter(0, Fault::kSyncFailure);
  });
  ASSERT_TRUE((*store)->Put("big", std::string(1500, 'b')).ok());
  (*store)->Flush().IgnoreError();
  EXPECT_EQ(edits, 2);
  fs.SetHook({});
  Model after = before;
  after["big"] = std::string(1500, 'b');
  EXPECT_EQ(*Walk((*store)->NewCursor()), after);
  EXPECT_TRUE((*store)->Verify().ok());
  ASSERT_TRUE((*store)->Put("next", "1").ok());
  ASSERT_TRUE((*store)->Flush().ok());
  EXPECT_LE(TablesOf(fs).bytes, kMaxBytes);
}

}  // namespace
}  // namespace kv
