// A store on a disk that fails: full, short of bytes, or unable to sync, at any of its operations.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "engines/log/store_testing.h"
#include "kv/io/crash_points.h"

namespace kv {
namespace {

std::string Key(size_t i) { return fmt::format("key{:02}", i); }
std::string Value(size_t i) { return fmt::format("{}{}", i, std::string(1200, 'v')); }

// The newest acknowledged write of each key, and those that were tried after it and failed.
struct Written {
  std::map<size_t, size_t> acknowledged;
  std::map<size_t, std::set<size_t>> failed;
};

// Everything acknowledged is there, and a write that failed is either there or not.
template <typename E>
void ExpectHolds(E& store, const Written& written, const std::string& label) {
  for (size_t key = 0; key < History::kKeys; ++key) {
    std::string value;
    const absl::Status status = store.Get(Key(key), &value);
    ASSERT_TRUE(status.ok() || absl::IsNotFound(status)) << label << ": " << status;
    const auto acknowledged = written.acknowledged.find(key);
    const auto failed = written.failed.find(key);
    bool is_failed = false;
    if (status.ok() && failed != written.failed.end()) {
      for (const size_t i : failed->second) is_failed |= value == Value(i);
    }
    const bool is_acknowledged = acknowledged == written.acknowledged.end()
                                     ? absl::IsNotFound(status)
                                     : status.ok() && value == Value(acknowledged->second);
    EXPECT_TRUE(is_failed || is_acknowledged) << label << ", " << Key(key) << ": " << status;
  }
}

template <typename E>
void ExpectReopens(SimulatedFileSystem fs, const Written& written, const std::string& label) {
  auto store = OpenStore<E>(fs);
  ASSERT_TRUE(store.ok()) << label << ": " << store.status() << "\n" << fs.Trace();
  ExpectHolds(**store, written, label);
  EXPECT_TRUE((*store)->Put("another", "1").ok()) << label;
}

// Fails operation number `skip` of those that `fault` can strike, and the `times` - 1 after it,
// while a store takes writes, rotates, seals and merges. False when none was left to fail.
template <typename E>
bool RunWithFault(Fault fault, uint64_t skip, uint64_t times) {
  const std::string label =
      fmt::format("fault {}, after {}, {} times", static_cast<int>(fault), skip, times);
  SimulatedFileSystem fs;
  auto store = OpenStore<E>(fs);
  EXPECT_TRUE(store.ok());
  fs.FailAfter(skip, fault, times);
  Written written;
  for (size_t i = 0; i < 24; ++i) {
    const size_t key = i % 5;
    const absl::Status status = (*store)->Put(Key(key), Value(i));
    if (status.ok()) {
      written.acknowledged[key] = i;
      written.failed.erase(key);
    } else {
      written.failed[key].insert(i);
      EXPECT_TRUE(Names(status, kStoreDirectory)) << label << ": " << status;
    }
  }
  ExpectHolds(**store, written, label + ", still open");
  // What an unsynced store promises after a power failure is another test's matter.
  if (E::kDurableOnReturn) {
    ExpectReopens<E>(fs.Crash(skip, CrashMode::kLoseUnsynced), written, label + ", power");
    ExpectReopens<E>(fs.Crash(skip, CrashMode::kJournaled), written, label + ", journaled");
  }
  const bool struck = fs.faults_injected() > 0;
  const bool closed = (*store)->Close().ok();
  store->reset();
  SimulatedFileSystem after = fs.Crash(skip, CrashMode::kKeepAll);
  if (E::kDurableOnReturn || closed) {
    ExpectReopens<E>(after, written, label + ", closed");
  } else {
    EXPECT_TRUE(OpenStore<E>(after).ok()) << label << "\n" << after.Trace();
  }
  return struck;
}

template <typename E>
void FailEachOperation(uint64_t times) {
  for (const Fault fault :
       {Fault::kNoSpace, Fault::kIoError, Fault::kShortWrite, Fault::kSyncFailure}) {
    uint64_t skip = 0;
    while (RunWithFault<E>(fault, skip, times) && !::testing::Test::HasFailure()) ++skip;
    EXPECT_GT(skip, 10u);
  }
}

TEST(LogFaultsTest, SyncedStoreLosesNothingToOneFault) { FailEachOperation<SyncedStore>(1); }
TEST(LogFaultsTest, SyncedStoreLosesNothingToAFullDisk) { FailEachOperation<SyncedStore>(1000); }
TEST(LogFaultsTest, UnsyncedStoreOpensAgainAfterOneFault) { FailEachOperation<UnsyncedStore>(1); }

// Strikes the next operation of this kind on a path that contains `part`.
void FailNext(SimulatedFileSystem fs, FileOperation operation, std::string part, Fault fault) {
  auto pending = std::make_shared<bool>(true);
  fs.SetHook([=](FileOperation now, const std::string& path) mutable {
    if (!*pending || now != operation || path.find(part) == std::string::npos) return;
    *pending = false;
    fs.FailAfter(0, fault);
  });
}

// What a failed sync has left is unknown, so nothing is written behind it; reads go on.
TEST(LogFaultsTest, FailedSyncRefusesWritesAndKeepsReads) {
  SimulatedFileSystem fs;
  auto store = OpenStore<SyncedStore>(fs);
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->Put(Key(0), Value(0)).ok());
  FailNext(fs, FileOperation::kSync, ".segment", Fault::kSyncFailure);
  const absl::Status error = (*store)->Put(Key(1), Value(1));
  ASSERT_FALSE(error.ok());
  EXPECT_TRUE(Names(error, ".segment")) << error;
  EXPECT_EQ((*store)->Put(Key(2), Value(2)), error);
  EXPECT_EQ((*store)->Delete(Key(0)), error);
  EXPECT_EQ((*store)->Flush(), error);
  Written written;
  written.acknowledged[0] = 0;
  written.failed[1] = {1};
  ExpectHolds(**store, written, "still open");
  fs.SetHook({});
  ForEachCrash(fs, 2, [&](SimulatedFileSystem crashed, const std::string& label) {
    ExpectReopens<SyncedStore>(crashed, written, label);
  });
}

// A disk that was full and has room again: the segment that could not be sealed then is sealed
// when its room is wanted.
TEST(LogFaultsTest, FailedSealIsTriedAgain) {
  for (const std::string part : {".hint", "SEGMENTS"}) {
    SimulatedFileSystem fs;
    auto store = OpenStore<SyncedStore>(fs);
    ASSERT_TRUE(store.ok());
    FailNext(fs, FileOperation::kCreate, part, Fault::kNoSpace);
    Written written;
    int refused = 0;
    for (size_t i = 0; i < 20; ++i) {
      const absl::Status status = (*store)->Put(Key(i % 3), Value(i));
      refused += status.ok() ? 0 : 1;
      if (status.ok()) written.acknowledged[i % 3] = i;
    }
    EXPECT_EQ(refused, 1) << part;
    ExpectHolds(**store, written, part);
    EXPECT_TRUE((*store)->Verify().ok());
    ASSERT_TRUE((*store)->Close().ok());
    fs.SetHook({});
    ExpectReopens<SyncedStore>(fs, written, part);
  }
}

TEST(LogFaultsTest, FullDiskIsSaidSoAndWhatIsThereStays) {
  SimulatedFileSystem fs;
  auto store = OpenStore<SyncedStore>(fs);
  ASSERT_TRUE(store.ok());
  fs.SetCapacity(40 << 10);
  Written written;
  absl::Status status;
  for (size_t i = 0; i < History::kKeys * 4 && status.ok(); ++i) {
    status = (*store)->Put(fmt::format("unique{}", i), Value(i));
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE(Names(status, kStoreDirectory)) << status;
  std::string value;
  ASSERT_TRUE((*store)->Get("unique0", &value).ok());
  EXPECT_EQ(value, Value(0));
  (*store)->Close().IgnoreError();
  fs.SetCapacity(1 << 30);
  auto reopened = OpenStore<SyncedStore>(fs);
  ASSERT_TRUE(reopened.ok()) << reopened.status();
  ASSERT_TRUE((*reopened)->Get("unique0", &value).ok());
  EXPECT_TRUE((*reopened)->Put("more", "1").ok());
}

// A checkpoint that fails says so and leaves the store as it was; what it left behind is no store.
TEST(LogFaultsTest, FailedCheckpointIsNoStore) {
  for (uint64_t skip = 0;; ++skip) {
    SimulatedFileSystem fs;
    auto store = OpenStore<SyncedStore>(fs);
    ASSERT_TRUE(store.ok());
    ASSERT_EQ(History::WriteUntil(**store, 0, 30), 30u);
    fs.FailAfter(skip, Fault::kIoError);
    const absl::Status status = (*store)->Checkpoint("/copy");
    if (fs.faults_injected() == 0) break;
    ASSERT_LT(skip, 100u);
    EXPECT_EQ(*Contents(**store), History::StateAfter(30));
    if (status.ok()) continue;
    Options options = StoreOptions();
    options.directory = "/copy";
    options.create_if_missing = false;
    const auto copy = OpenStore<SyncedStore>(fs, options);
    if (copy.ok()) {  // only the sync of its directory can have failed
      EXPECT_EQ(*Contents(**copy), History::StateAfter(30)) << skip;
    }
  }
}

}  // namespace
}  // namespace kv
