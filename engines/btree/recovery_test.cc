// Opening what a crash, damage, or another program has left.
#include "engines/btree/recovery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engines/btree/checksum_repair.h"
#include "engines/btree/store_testing.h"
#include "kv/contract/write_batch.h"
#include "kv/io/crash_points.h"
#include "kv/io/log_reader.h"
#include "kv/io/log_repair.h"

namespace kv::btree {
namespace {

// A store that took the first `writes` of the shared history and was closed.
SimulatedFileSystem StoreOf(size_t writes) {
  SimulatedFileSystem fs;
  auto store = OpenStore(fs);
  EXPECT_TRUE(store.ok()) << store.status();
  for (size_t i = 0; i < writes; ++i) EXPECT_TRUE(History::Write(**store, i).ok());
  EXPECT_TRUE((*store)->Close().ok());
  return fs.Crash(0, CrashMode::kKeepAll);
}

struct Acknowledged {
  size_t writes = 0;
  bool opened = false;
};

constexpr size_t kWrites = 24;

template <typename E>
Acknowledged RunHistory(SimulatedFileSystem fs) {
  Acknowledged acknowledged;
  auto store = OpenStore<E>(fs);
  if (!store.ok()) return acknowledged;
  acknowledged.opened = true;
  while (acknowledged.writes < kWrites && History::Write(**store, acknowledged.writes).ok()) {
    ++acknowledged.writes;
  }
  if ((*store)->Compact().ok()) (*store)->Close().IgnoreError();
  return acknowledged;
}

// At every file operation of a history with many checkpoints, so also in the middle of each flip.
template <typename E>
void CrashEverywhere() {
  uint64_t opened = 0;
  ForEachCrashPoint(
      SimulatedFileSystem(), /*seeds=*/1, RunHistory<E>,
      [&](SimulatedFileSystem fs, const Acknowledged& acknowledged, const std::string& label) {
        if (::testing::Test::HasFailure()) return;
        auto store = OpenStore<E>(fs);
        ASSERT_TRUE(store.ok()) << label << ": " << store.status() << "\n" << fs.Trace();
        const auto contents = Contents(**store);
        ASSERT_TRUE(contents.ok()) << label << ": " << contents.status();
        const size_t least = E::kDurableOnReturn ? acknowledged.writes : 0;
        ASSERT_GE(History::WritesIn(*contents, least, kWrites), 0) << label << "\n" << fs.Trace();
        ASSERT_TRUE((*store)->Verify().ok()) << label;
        ASSERT_TRUE((*store)->Put("more", "of it").ok()) << label;
        ++opened;
      });
  EXPECT_GT(opened, 300u);
}

TEST(RecoveryTest, ACrashAtAnyOperationLosesNothingAcknowledged) { CrashEverywhere<SmallStore>(); }
TEST(RecoveryTest, ACrashAtAnyOperationLeavesAPrefixOfUnsyncedWrites) {
  CrashEverywhere<SmallUnsyncedStore>();
}

TEST(RecoveryTest, EveryFlippedByteIsFoundOrDoesNoHarm) {
  const SimulatedFileSystem original = StoreOf(kWrites);
  const size_t size = original.Contents(kTreePath)->size();
  uint64_t found = 0;
  for (uint64_t at = 0; at < size; at += at < 1024 ? 1 : 7) {
    SimulatedFileSystem fs = original.Crash(0, CrashMode::kKeepAll);
    ASSERT_TRUE(fs.FlipBit(kTreePath, at, at % 8).ok());
    auto store = OpenStore(fs);
    absl::Status status = store.status();
    if (store.ok()) {
      const auto contents = Contents(**store);
      status = contents.status();
      if (contents.ok()) {
        EXPECT_EQ(*contents, History::StateAfter(kWrites)) << "byte " << at;
      }
    }
    if (status.ok()) continue;
    ++found;
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << "byte " << at << ": " << status;
    EXPECT_TRUE(Names(status, kStoreDirectory)) << status;
  }
  EXPECT_GT(found, size / 100);
}

// A header that a crash has torn: the other one is in force, and its log is there.
TEST(RecoveryTest, ATornHeaderFallsBackToTheOtherOne) {
  SimulatedFileSystem fs;
  auto store = OpenStore(fs);
  ASSERT_TRUE(store.ok());
  for (size_t i = 0; i < 10; ++i) ASSERT_TRUE(History::Write(**store, i).ok());
  ASSERT_TRUE((*store)->Compact().ok());
  for (size_t i = 10; i < 12; ++i) ASSERT_TRUE(History::Write(**store, i).ok());
  // The next writes to one of the two headers are cut off.
  const std::string before = *fs.Contents(kTreePath);
  bool torn = false;
  for (size_t which = 0; which < 2; ++which) {
    SimulatedFileSystem crashed = fs.Crash(0, CrashMode::kKeepAll);
    std::string bytes = before;
    bytes.replace(which * 512 + 100, 300, std::string(300, '\x5a'));
    SetContents(crashed, kTreePath, bytes);
    auto opened = OpenStore(crashed);
    if (!opened.ok()) {
      // The newer one: of the older one's log nothing is left, so this cannot have been a crash.
      EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss) << opened.status();
      continue;
    }
    EXPECT_EQ(*Contents(**opened), History::StateAfter(12));
    torn = true;
  }
  EXPECT_TRUE(torn);
}

// Only an LSM store writes them. A leaf that took one could not be read again.
TEST(RecoveryTest, ARangeTombstoneInTheLogIsDataLoss) {
  SimulatedFileSystem fs;
  const auto store = OpenStore(fs);
  ASSERT_TRUE(store.ok());
  for (size_t i = 0; i < 3; ++i) ASSERT_TRUE(History::Write(**store, i).ok());
  SimulatedFileSystem killed = fs.Crash(0, CrashMode::kKeepAll);
  uint64_t newest = 0;
  const std::vector<std::string> names = *killed.List(kStoreDirectory);
  for (const std::string& name : names) {
    newest = std::max(newest, FileNames::ParseLog(name).value_or(0));
  }
  const std::string path = FileNames(kStoreDirectory).Log(newest);
  const auto read =
      ReadLog(killed, path, newest, [](const LogRecord&) { return absl::OkStatus(); });
  ASSERT_TRUE(read.ok()) << read.status();
  std::string entry;
  WriteBatch::AppendRangeTombstone(&entry, "a", "b");
  std::string log = *killed.Contents(path);
  AppendLogRecord(newest, read->end, read->next, 1, entry, &log);
  SetContents(killed, path, log);
  const auto opened = OpenStore(killed);
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss) << opened.status();
  EXPECT_TRUE(Names(opened.status(), path)) << opened.status();
}

TEST(RecoveryTest, WithoutAHeaderItIsDataLoss) {
  SimulatedFileSystem fs = StoreOf(10);
  ASSERT_TRUE(fs.FlipBit(kTreePath, 20, 1).ok());
  ASSERT_TRUE(fs.FlipBit(kTreePath, 532, 1).ok());
  const auto store = OpenStore(fs);
  EXPECT_EQ(store.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(Names(store.status(), kTreePath)) << store.status();
}

TEST(RecoveryTest, AMissingTreeIsDataLossAndNotANewStore) {
  SimulatedFileSystem fs = StoreOf(10);
  ASSERT_TRUE(fs.Remove(kTreePath).ok());
  const auto store = OpenStore(fs);
  EXPECT_EQ(store.status().code(), absl::StatusCode::kDataLoss) << store.status();
}

TEST(RecoveryTest, ATreeThatIsCutOffIsDataLoss) {
  SimulatedFileSystem fs = StoreOf(kWrites);
  const std::string bytes = *fs.Contents(kTreePath);
  SetContents(fs, kTreePath, bytes.substr(0, bytes.size() - 512));
  EXPECT_EQ(OpenStore(fs).status().code(), absl::StatusCode::kDataLoss);
}

// A store of full leaves whose root was written wrongly: its checksum is right.
SimulatedFileSystem StoreWithRoot(const std::function<void(Page)>& change) {
  SimulatedFileSystem fs;
  auto store = OpenStore(fs);
  EXPECT_TRUE(store.ok()) << store.status();
  for (int i = 10; i < 40; ++i) {
    EXPECT_TRUE((*store)->Put(fmt::format("key{}", i), std::string(100, 'v')).ok());
  }
  EXPECT_TRUE((*store)->Close().ok());
  std::string bytes = *fs.Contents(kTreePath);
  size_t changed = 0;
  for (size_t at = 0; at + 512 <= bytes.size(); at += 512) {
    const Page page(bytes.data() + at);
    if (page.id() != kRootId || page.kind() != PageKind::kInner || page.count() < 2) continue;
    change(page);
    ++changed;
  }
  EXPECT_GT(changed, 0u);
  RepairTree(512, &bytes);
  SetContents(fs, kTreePath, bytes);
  return fs;
}

void ExpectDataLoss(const absl::Status& status) {
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(Names(status, kTreePath)) << status;
}

TEST(RecoveryTest, APageThatLeadsBackToItselfIsDataLoss) {
  const auto store = OpenStore(StoreWithRoot([](Page root) {
    root.set_first_child(kRootId);
    for (size_t i = 0; i < root.count(); ++i) {
      Slot slot = root.slot(i);
      slot.extra = kRootId;
      root.set_slot(i, slot);
    }
  }));
  ASSERT_TRUE(store.ok()) << store.status();
  std::string value;
  ExpectDataLoss((*store)->Get("key10", &value));
  ExpectDataLoss(Contents(**store).status());
  ExpectDataLoss((*store)->Compact());
  ExpectDataLoss((*store)->Verify());
  ExpectDataLoss((*store)->Put("key10", "new"));
}

// Gives a separator of the root the key of another one.
std::function<void(Page)> SameKey(size_t separator, size_t as) {
  return [=](Page root) {
    Slot slot = root.slot(separator);
    slot.offset = root.slot(as).offset;
    root.set_slot(separator, slot);
  };
}

// A leaf's bound is where it begins: a walk would not leave it.
TEST(RecoveryTest, SeparatorsOutOfOrderAreDataLoss) {
  const auto store = OpenStore(StoreWithRoot(SameKey(1, /*as=*/0)));
  ASSERT_TRUE(store.ok()) << store.status();
  ExpectDataLoss(Contents(**store).status());
  ExpectDataLoss((*store)->Compact());
  ExpectDataLoss((*store)->Verify());
}

TEST(RecoveryTest, SeparatorsOutOfOrderAreDataLossBackwards) {
  const auto store = OpenStore(StoreWithRoot(SameKey(0, /*as=*/1)));
  ASSERT_TRUE(store.ok()) << store.status();
  auto cursor = (*store)->NewCursor();
  for (cursor.SeekToLast(); cursor.Valid(); cursor.Prev()) {
  }
  ExpectDataLoss(cursor.status());
}

TEST(RecoveryTest, ANewerVersionIsRefusedWithBothNumbersAndLeftAlone) {
  SimulatedFileSystem fs = StoreOf(10);
  std::string bytes = *fs.Contents(kTreePath);
  size_t changed = 0;
  for (size_t which = 0; which < 2; ++which) {
    StoreHeader header;
    if (!header.Decode(bytes.substr(which * 512, kStoreHeaderBytes), which)) continue;
    header.version = kStoreVersion + 41;
    bytes.replace(which * 512, kStoreHeaderBytes, header.Encode());
    ++changed;
  }
  ASSERT_GT(changed, 0u);
  SetContents(fs, kTreePath, bytes);
  const auto store = OpenStore(fs);
  EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition) << store.status();
  EXPECT_TRUE(Names(store.status(), std::to_string(kStoreVersion + 41))) << store.status();
  EXPECT_TRUE(Names(store.status(), std::to_string(kStoreVersion))) << store.status();
  EXPECT_EQ(*fs.Contents(kTreePath), bytes);
}

TEST(RecoveryTest, AnotherCompositionsStoreIsRefused) {
  SimulatedFileSystem fs = StoreOf(10);
  using OtherStore = Btree<OtherFormatParts, SimulatedEnvironment>;
  const auto store = OpenStore<OtherStore>(fs);
  EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition) << store.status();
  EXPECT_TRUE(OpenStore<SmallUnsyncedStore>(fs).ok()) << "its files are the same";
}

TEST(RecoveryTest, ADirectoryOfOtherFilesIsRefusedAndLeftAlone) {
  SimulatedFileSystem fs;
  ASSERT_TRUE(fs.CreateDirectories(kStoreDirectory).ok());
  SetContents(fs, kStoreDirectory + "/letter.txt", "dear");
  const auto store = OpenStore(fs);
  EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition) << store.status();
  EXPECT_TRUE(Names(store.status(), "letter.txt")) << store.status();
  EXPECT_EQ(*fs.Contents(kStoreDirectory + "/letter.txt"), "dear");
  EXPECT_FALSE(fs.Exists(kTreePath));
}

}  // namespace
}  // namespace kv::btree
