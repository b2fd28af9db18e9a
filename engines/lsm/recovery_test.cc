// Opening a store: directories that hold none, stores of others, and every moment at which an open,
// a history or a close can be cut off.
#include "engines/lsm/recovery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "engines/lsm/engine.h"
#include "engines/lsm/separated_testing.h"
#include "engines/lsm/store_testing.h"
#include "kv/contract/write_batch.h"
#include "kv/io/crash_points.h"
#include "kv/io/log_format.h"
#include "kv/io/log_reader.h"
#include "kv/io/log_repair.h"

namespace kv {
namespace {

template <typename E>
class RecoveryTest : public ::testing::Test {};

using Stores = ::testing::Types<SyncedStore, UnsyncedStore, SeparatedStore>;
TYPED_TEST_SUITE(RecoveryTest, Stores);

template <typename E>
SimulatedFileSystem ClosedStore(size_t writes) {
  SimulatedFileSystem fs;
  auto store = OpenStore<E>(fs);
  EXPECT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(History::WriteUntil(**store, 0, writes), writes);
  EXPECT_TRUE((*store)->Close().ok());
  return fs;
}

// The process dies without closing; nothing is lost but what never left it.
template <typename E>
SimulatedFileSystem KilledStore(size_t writes) {
  SimulatedFileSystem fs;
  auto store = OpenStore<E>(fs);
  EXPECT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(History::WriteUntil(**store, 0, writes), writes);
  return fs.Crash(0, CrashMode::kKeepAll);
}

std::vector<std::string> FilesOf(SimulatedFileSystem fs) { return *fs.List(kStoreDirectory); }

template <typename E>
void ExpectHolds(SimulatedFileSystem fs, size_t from, size_t to, const std::string& label) {
  auto store = OpenStore<E>(fs);
  ASSERT_TRUE(store.ok()) << label << ": " << store.status() << "\n" << fs.Trace();
  const auto contents = Contents(**store);
  ASSERT_TRUE(contents.ok()) << label << ": " << contents.status();
  EXPECT_GE(History::WritesIn(*contents, from, to), 0)
      << label << ": not the state after " << from << " to " << to << " writes\n"
      << fs.Trace();
  EXPECT_TRUE((*store)->Verify().ok()) << label;
}

TYPED_TEST(RecoveryTest, ReopensAfterCloseAndAfterKill) {
  for (const size_t writes : {0, 1, 2, 7, 40}) {
    ExpectHolds<TypeParam>(ClosedStore<TypeParam>(writes), writes, writes, "closed");
    const size_t least = TypeParam::kDurableOnReturn || writes == 0 ? writes : writes - 1;
    ExpectHolds<TypeParam>(KilledStore<TypeParam>(writes), least, writes, "killed");
  }
}

// DeleteRange() writes none. The index of range tombstones would lose count over it.
TEST(RecoveryOfRangesTest, ARangeTombstoneOverNothingInTheLogIsDataLoss) {
  SimulatedFileSystem fs = KilledStore<SyncedStore>(3);
  uint64_t newest = 0;
  for (const std::string& name : FilesOf(fs)) {
    newest = std::max(newest, FileNames::ParseLog(name).value_or(0));
  }
  const std::string path = FileNames(kStoreDirectory).Log(newest);
  const auto read = ReadLog(fs, path, newest, [](const LogRecord&) { return absl::OkStatus(); });
  ASSERT_TRUE(read.ok()) << read.status();
  for (const char* end : {"b", "m"}) {
    std::string entry;
    WriteBatch::AppendRangeTombstone(&entry, "m", end);
    std::string log = *fs.Contents(path);
    AppendLogRecord(newest, read->end, read->next, 1, entry, &log);
    SimulatedFileSystem damaged = fs.Crash(0, CrashMode::kKeepAll);
    SetContents(damaged, path, log);
    const absl::Status status = OpenStore<SyncedStore>(damaged).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_TRUE(Names(status, path)) << status;
  }
}

TYPED_TEST(RecoveryTest, DirectoryOfOtherFilesIsRefusedAndLeftAlone) {
  for (const std::string name : {"notes.txt", "7.log", "2024.table", "MANIFEST-x"}) {
    SimulatedFileSystem fs;
    ASSERT_TRUE(fs.CreateDirectories(kStoreDirectory).ok());
    SetContents(fs, kStoreDirectory + "/" + name, "mine");
    const absl::Status status = OpenStore<TypeParam>(fs).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_TRUE(Names(status, kStoreDirectory)) << status;
    EXPECT_TRUE(Names(status, name)) << status;
    EXPECT_EQ(*fs.Contents(kStoreDirectory + "/" + name), "mine");
  }
}

TYPED_TEST(RecoveryTest, CreateIfMissingAndErrorIfExists) {
  SimulatedFileSystem fs;
  Options must_exist = StoreOptions();
  must_exist.create_if_missing = false;
  absl::Status status = OpenStore<TypeParam>(fs, must_exist).status();
  EXPECT_TRUE(absl::IsNotFound(status) && Names(status, kStoreDirectory)) << status;
  ASSERT_TRUE(fs.CreateDirectories(kStoreDirectory).ok());
  status = OpenStore<TypeParam>(fs, must_exist).status();
  EXPECT_TRUE(absl::IsNotFound(status) && Names(status, kStoreDirectory)) << status;

  Options must_not_exist = StoreOptions();
  must_not_exist.error_if_exists = true;
  EXPECT_TRUE(OpenStore<TypeParam>(fs, must_not_exist).ok());
  status = OpenStore<TypeParam>(fs, must_not_exist).status();
  EXPECT_TRUE(absl::IsAlreadyExists(status) && Names(status, kStoreDirectory)) << status;
  EXPECT_TRUE(OpenStore<TypeParam>(fs, must_exist).ok());
}

TYPED_TEST(RecoveryTest, SecondOpenIsRefusedUntilTheFirstIsClosed) {
  SimulatedFileSystem fs;
  auto first = OpenStore<TypeParam>(fs);
  ASSERT_TRUE(first.ok());
  const absl::Status status = OpenStore<TypeParam>(fs).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(Names(status, "LOCK")) << status;
  ASSERT_TRUE((*first)->Close().ok());
  EXPECT_TRUE(OpenStore<TypeParam>(fs).ok());
}

// Not even a lock file is left in it.
TYPED_TEST(RecoveryTest, DirectoriesOfOthersAreLeftAsTheyAre) {
  SimulatedFileSystem fs;
  ASSERT_TRUE(fs.CreateDirectories(kStoreDirectory).ok());
  Options must_exist = StoreOptions();
  must_exist.create_if_missing = false;
  EXPECT_TRUE(absl::IsNotFound(OpenStore<TypeParam>(fs, must_exist).status()));
  EXPECT_EQ(FilesOf(fs), std::vector<std::string>());
  SetContents(fs, kStoreDirectory + "/thesis.txt", "chapter one");
  const absl::Status status = OpenStore<TypeParam>(fs).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(Names(status, "thesis.txt")) << status;
  EXPECT_EQ(FilesOf(fs), std::vector<std::string>{"thesis.txt"});
}

TYPED_TEST(RecoveryTest, ManifestsOfVersionOneAreRefused) {
  SimulatedFileSystem fs = ClosedStore<TypeParam>(5);
  std::string path;
  for (const std::string& name : FilesOf(fs)) {
    if (FileNames::ParseManifest(name)) path = kStoreDirectory + "/" + name;
  }
  std::string bytes = *fs.Contents(path);
  StoreFixed32(bytes.data() + 8, 1);
  StoreFixed64(bytes.data() + 20, Checksum(std::string_view(bytes).substr(0, 20), 0));
  SetContents(fs, path, bytes);
  const absl::Status status = OpenStore<TypeParam>(fs).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(Names(status, path)) << status;
}

TYPED_TEST(RecoveryTest, StoreOfAnotherCompositionIsRefusedNamingBoth) {
  SimulatedFileSystem fs = ClosedStore<TypeParam>(5);
  using Other = Lsm<OtherFormatParts, SimulatedEnvironment>;
  const absl::Status status = OpenStore<Other>(fs).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(Names(status, TypeParam::Format()) && Names(status, Other::Format())) << status;
  ExpectHolds<TypeParam>(fs, 5, 5, "refused by another");
}

TYPED_TEST(RecoveryTest, NewerFormatsAreRefusedNamingTheFile) {
  const SimulatedFileSystem closed = ClosedStore<TypeParam>(12);
  int kinds = 0;
  for (const std::string& name : FilesOf(closed)) {
    const std::string path = kStoreDirectory + "/" + name;
    std::string bytes = *closed.Contents(path);
    if (FileNames::ParseManifest(name)) {
      StoreFixed32(bytes.data() + 8, kManifestVersion + 1);
      StoreFixed64(bytes.data() + 20, Checksum(std::string_view(bytes).substr(0, 20), 0));
    } else if (LogHeader header; header.Decode(bytes)) {
      header.version = kLogVersion + 1;
      bytes.replace(0, kLogHeaderBytes, header.Encode());
      // Spare logs are not read.
      if (header.generation != *FileNames::ParseLog(name) || kinds == 0b111) continue;
    } else if (FileNames::ParseTable(name)) {
      const uint64_t at = bytes.size() - TableFooter::kBytes;
      StoreFixed64(bytes.data() + at + 64, kTableVersionWithDictionary + 1);
      StoreFixed64(bytes.data() + at + 80,
                   Checksum(std::string_view(bytes).substr(at, TableFooter::kBytes - 8),
                            BlockSeed(*FileNames::ParseTable(name), at)));
    } else {
      continue;
    }
    SimulatedFileSystem newer = closed.Crash(0, CrashMode::kKeepAll);
    SetContents(newer, path, bytes);
    const auto store = OpenStore<TypeParam>(newer);
    if (store.ok() && FileNames::ParseLog(name)) continue;  // a spare one
    kinds |= FileNames::ParseManifest(name) ? 1 : FileNames::ParseLog(name) ? 2 : 4;
    EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition)
        << name << ": " << store.status();
    EXPECT_TRUE(Names(store.status(), path)) << store.status();
  }
  EXPECT_EQ(kinds, 0b111);
}

TYPED_TEST(RecoveryTest, EachFileThatIsRemovedIsMissed) {
  const SimulatedFileSystem closed = ClosedStore<TypeParam>(30);
  for (const std::string& name : FilesOf(closed)) {
    SimulatedFileSystem fs = closed.Crash(0, CrashMode::kKeepAll);
    const std::string path = kStoreDirectory + "/" + name;
    ASSERT_TRUE(fs.Remove(path).ok());
    const auto store = OpenStore<TypeParam>(fs);
    if (name == "LOCK" || store.ok()) {
      // A spare log holds nothing.
      EXPECT_TRUE(name == "LOCK" || FileNames::ParseLog(name)) << name;
      const auto contents = Contents(**store);
      ASSERT_TRUE(contents.ok()) << contents.status();
      EXPECT_EQ(*contents, History::StateAfter(30)) << name;
      continue;
    }
    EXPECT_EQ(store.status().code(), absl::StatusCode::kDataLoss) << store.status();
    EXPECT_TRUE(Names(store.status(), path)) << store.status();
  }
}

TYPED_TEST(RecoveryTest, LostCurrentIsNotAFreshStore) {
  for (const size_t writes : {0, 1, 30}) {
    SimulatedFileSystem fs = ClosedStore<TypeParam>(writes);
    ASSERT_TRUE(fs.Remove(kStoreDirectory + "/CURRENT").ok());
    const absl::Status status = OpenStore<TypeParam>(fs).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_TRUE(Names(status, "CURRENT")) << status;
  }
}

// Cuts the power at each operation of an open and, after some of these, once more at each operation
// of the open that follows: recovery must not stumble over what a recovery left. Synced logs begin
// with a mebibyte of zeros, which makes their cases slow, so there are fewer.
template <typename E>
void CutOpens(const SimulatedFileSystem& start, size_t from, size_t to) {
  const auto open = [](SimulatedFileSystem fs) { return OpenStore<E>(fs).ok(); };
  uint64_t cuts = 0;
  ForEachCrashPoint(start, 1, open, [&](SimulatedFileSystem once, bool, const std::string& first) {
    if (++cuts % (E::kDurableOnReturn ? 200 : 5) != 1) {
      ExpectHolds<E>(once, from, to, first);
      return;
    }
    ForEachCrashPoint(once, 1, open,
                      [&](SimulatedFileSystem twice, bool, const std::string& second) {
                        ExpectHolds<E>(twice, from, to, first + "; " + second);
                      });
  });
}

TYPED_TEST(RecoveryTest, CreationMayBeCutOffAtAnyMoment) {
  CutOpens<TypeParam>(SimulatedFileSystem(), 0, 0);
}

TYPED_TEST(RecoveryTest, OpenAfterACleanCloseMayBeCutOffAtAnyMoment) {
  CutOpens<TypeParam>(ClosedStore<TypeParam>(5), 5, 5);
}

TYPED_TEST(RecoveryTest, OpenAfterAKillMayBeCutOffAtAnyMoment) {
  // What is not synced when the process is killed may still go in a power failure after it.
  CutOpens<TypeParam>(KilledStore<TypeParam>(5), TypeParam::kDurableOnReturn ? 5 : 0, 5);
}

// RocksDB #5287, #8501, #14780, LevelDB #189, #195: files and names synced before the manifest
// names them, and old ones removed only afterwards. LevelDB #193, RocksDB #13169: the old log whole
// before anything in the next one is.
TYPED_TEST(RecoveryTest, HistoryMayBeCutOffAtAnyMoment) {
  constexpr size_t kWrites = TypeParam::kDurableOnReturn ? 4 : 9;
  struct Done {
    size_t writes = 0;
    bool flushed = false;
    bool closed = false;
  };
  const auto run = [](SimulatedFileSystem fs) {
    Done done;
    auto store = OpenStore<TypeParam>(fs);
    if (!store.ok()) return done;
    done.writes = History::WriteUntil(**store, 0, kWrites);
    if (done.writes != kWrites) return done;
    done.flushed = (*store)->Flush().ok();
    done.closed = (*store)->Close().ok();
    return done;
  };
  ForEachCrashPoint(
      SimulatedFileSystem(), 1, run,
      [&](SimulatedFileSystem crashed, const Done& done, const std::string& label) {
        const bool durable = TypeParam::kDurableOnReturn || done.flushed || done.closed;
        ExpectHolds<TypeParam>(crashed, durable ? done.writes : 0, done.writes + 1, label);
      });
}

}  // namespace
}  // namespace kv
