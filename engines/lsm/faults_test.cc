// A store on a disk that fails: full, short of bytes, or unable to sync, at any of its operations.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "engines/lsm/recovery.h"
#include "engines/lsm/separated_testing.h"
#include "engines/lsm/store.h"
#include "engines/lsm/store_testing.h"
#include "kv/io/crash_points.h"

namespace kv {
namespace {

std::string Key(size_t i) { return fmt::format("key{:02}", i); }
std::string Value(size_t i) { return fmt::format("value{}", i); }

// Everything acknowledged is there, and nothing has a value that was never written.
template <typename E>
void ExpectHolds(E& store, const std::set<size_t>& acknowledged, const std::string& label) {
  const auto contents = Walk(store.NewCursor());
  ASSERT_TRUE(contents.ok()) << label << ": " << contents.status();
  for (const size_t i : acknowledged) {
    std::string value;
    EXPECT_TRUE(store.Get(Key(i), &value).ok()) << label << ", " << Key(i);
    EXPECT_EQ(value, Value(i)) << label;
    EXPECT_TRUE(contents->contains(Key(i))) << label << ", " << Key(i);
  }
  for (const auto& [key, value] : *contents) {
    EXPECT_EQ(value, Value(std::stoul(key.substr(3)))) << label;
  }
}

template <typename E>
void ExpectReopens(SimulatedFileSystem fs, const std::set<size_t>& acknowledged,
                   const std::string& label) {
  auto store = OpenStore<E>(fs);
  ASSERT_TRUE(store.ok()) << label << ": " << store.status() << "\n" << fs.Trace();
  ExpectHolds(**store, acknowledged, label);
  EXPECT_TRUE((*store)->Put(Key(99), Value(99)).ok()) << label;
}

// Fails operation number `skip` of those that `fault` can strike, and the `times` - 1 after it,
// while a store takes writes. False when no operation was left to fail.
template <typename E>
bool RunWithFault(Fault fault, uint64_t skip, uint64_t times) {
  const std::string label =
      fmt::format("fault {}, after {}, {} times", static_cast<int>(fault), skip, times);
  SimulatedFileSystem fs;
  auto store = OpenStore<E>(fs);
  EXPECT_TRUE(store.ok());
  fs.FailAfter(skip, fault, times);
  std::set<size_t> acknowledged;
  for (size_t i = 0; i < 6; ++i) {
    const absl::Status status = (*store)->Put(Key(i), Value(i));
    if (status.ok()) {
      acknowledged.insert(i);
    } else {
      EXPECT_TRUE(Names(status, kStoreDirectory)) << label << ": " << status;
    }
  }
  ExpectHolds(**store, acknowledged, label + ", still open");
  // What an unsynced store promises after a power failure is another test's matter.
  if (E::kDurableOnReturn) {
    ExpectReopens<E>(fs.Crash(skip, CrashMode::kLoseUnsynced), acknowledged, label + ", power");
    ExpectReopens<E>(fs.Crash(skip, CrashMode::kJournaled), acknowledged, label + ", journaled");
  }
  const bool struck = fs.faults_injected() > 0;
  // The destructor closes, with or without success. What an unsynced log could not write is gone.
  store->reset();
  if (!E::kDurableOnReturn) acknowledged.clear();
  ExpectReopens<E>(fs.Crash(skip, CrashMode::kKeepAll), acknowledged, label + ", closed");
  return struck;
}

template <typename E>
void FailEachOperation(uint64_t times) {
  for (const Fault fault :
       {Fault::kNoSpace, Fault::kIoError, Fault::kShortWrite, Fault::kSyncFailure}) {
    // Synced logs begin with a mebibyte of zeros, which makes them slow to test.
    const uint64_t step = E::kDurableOnReturn ? 3 : 1;
    uint64_t skip = 0;
    while (RunWithFault<E>(fault, skip, times) && !::testing::Test::HasFailure()) skip += step;
    EXPECT_GT(skip, 5u);
  }
}

TEST(FaultsTest, SyncedStoreLosesNothingToOneFault) { FailEachOperation<SyncedStore>(1); }
TEST(FaultsTest, SyncedStoreLosesNothingToAFullDisk) { FailEachOperation<SyncedStore>(1000); }
TEST(FaultsTest, SeparatedStoreLosesNothingToOneFault) { FailEachOperation<SeparatedStore>(1); }
TEST(FaultsTest, UnsyncedStoreOpensAgainAfterOneFault) { FailEachOperation<UnsyncedStore>(1); }

// Strikes the next operation of this kind on a path that contains `part`.
void FailNext(SimulatedFileSystem fs, FileOperation operation, std::string part, Fault fault) {
  auto pending = std::make_shared<bool>(true);
  fs.SetHook([=](FileOperation now, const std::string& path) mutable {
    if (!*pending || now != operation || path.find(part) == std::string::npos) return;
    *pending = false;
    fs.FailAfter(0, fault);
  });
}

// RocksDB #4990, #6331: after a manifest write error, a new manifest.
TEST(FaultsTest, FailedManifestWriteIsFollowedByANewManifest) {
  for (const FileOperation operation : {FileOperation::kWrite, FileOperation::kSync}) {
    SimulatedFileSystem fs;
    auto store = OpenStore<SyncedStore>(fs);
    ASSERT_TRUE(store.ok());
    const std::string before = *fs.Contents(kStoreDirectory + "/CURRENT");
    ASSERT_TRUE((*store)->Put(Key(0), Value(0)).ok());
    FailNext(fs, operation, "MANIFEST",
             operation == FileOperation::kWrite ? Fault::kShortWrite : Fault::kSyncFailure);
    EXPECT_FALSE((*store)->Flush().ok());
    EXPECT_EQ(*fs.Contents(kStoreDirectory + "/CURRENT"), before);
    EXPECT_TRUE((*store)->Put(Key(1), Value(1)).ok());
    EXPECT_TRUE((*store)->Flush().ok());
    EXPECT_NE(*fs.Contents(kStoreDirectory + "/CURRENT"), before);
    fs.SetHook({});
    ForEachCrash(fs, 2, [](SimulatedFileSystem crashed, const std::string& label) {
      ExpectReopens<SyncedStore>(crashed, {0, 1}, label);
    });
  }
}

// The memtable that could not be flushed is in a log that nobody has synced.
TEST(FaultsTest, CloseMakesUnsyncedLogsOfWaitingMemtablesDurable) {
  SimulatedFileSystem fs;
  auto store = OpenStore<UnsyncedStore>(fs);
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->Put(Key(0), Value(0)).ok());
  FailNext(fs, FileOperation::kCreate, ".table", Fault::kNoSpace);
  EXPECT_FALSE((*store)->Flush().ok());
  ASSERT_TRUE((*store)->Put(Key(1), Value(1)).ok());
  ASSERT_TRUE((*store)->Close().ok());
  fs.SetHook({});
  ForEachCrash(fs, 4, [](SimulatedFileSystem crashed, const std::string& label) {
    ExpectReopens<UnsyncedStore>(crashed, {0, 1}, label);
  });
}

// A log that could not be started says where the one before it ends: that one must not grow.
TEST(FaultsTest, FailedStartOfALogRefusesWritesUntilReopened) {
  for (const FileOperation operation : {FileOperation::kCreate, FileOperation::kWrite,
                                        FileOperation::kSync, FileOperation::kSyncDirectory}) {
    SimulatedFileSystem fs;
    Options options = StoreOptions();
    options.memtable_bytes = 1 << 20;  // rotated by Flush only
    auto store = OpenStore<SyncedStore>(fs, options);
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)->Put(Key(0), Value(0)).ok());
    FailNext(fs, operation, operation == FileOperation::kSyncDirectory ? "/store" : ".log",
             Fault::kIoError);
    const absl::Status error = (*store)->Flush();
    ASSERT_FALSE(error.ok());
    EXPECT_EQ((*store)->Put(Key(1), Value(1)), error);
    EXPECT_EQ((*store)->Flush(), error);
    ExpectHolds(**store, {0}, "still open");
    fs.SetHook({});
    ForEachCrash(fs, 2, [&](SimulatedFileSystem crashed, const std::string& label) {
      ExpectReopens<SyncedStore>(crashed, {0}, label);
    });
  }
}

struct ThreadedEnvironment {
  using FileSystem = SimulatedFileSystem;
  using Clock = ManualClock;
  static constexpr BackgroundWork kBackgroundWork = BackgroundWork::kThreads;
  FileSystem file_system;
  Clock clock;
};

// A flush by hand that succeeds where the background's had failed must set the latter going again.
// When it did not, writers waited for it for ever.
TEST(FaultsTest, BackgroundFlushGoesOnAfterAFailureThatAFlushByHandCured) {
  using Restart = Recovery<UnsyncedParts, ThreadedEnvironment>;
  SimulatedFileSystem fs;
  ASSERT_TRUE(fs.CreateDirectories(kStoreDirectory).ok());
  // A store without its background threads: this test does what they would.
  auto opened = Restart::Run(StoreOptions(), {.file_system = fs, .clock = {}}, "a format");
  ASSERT_TRUE(opened.ok()) << opened.status();
  auto& store = *opened->store;
  auto& journal = *opened->journal;
  const auto fill_a_memtable = [&] {
    WriteBatch batch;
    batch.Put(Key(0), Value(0));
    CommitRequest request{.entries = batch.Bytes(), .count = batch.Count()};
    CommitRequest* const group[] = {&request};
    ASSERT_TRUE(journal.Log(group).ok());
    journal.Insert(group);
    journal.Publish(group);
    ASSERT_TRUE(journal.Rotate().ok());
  };
  fill_a_memtable();
  ASSERT_TRUE(store.NeedsFlush());
  FailNext(fs, FileOperation::kCreate, ".table", Fault::kNoSpace);
  ASSERT_FALSE(store.FlushOldest().ok());  // the background
  ASSERT_TRUE(store.FlushOldest().ok());   // by hand
  fill_a_memtable();
  EXPECT_TRUE(store.NeedsFlush());
  EXPECT_TRUE(store.FlushOldest().ok());
  fs.SetHook({});  // which holds the disk that holds it
}

}  // namespace
}  // namespace kv
