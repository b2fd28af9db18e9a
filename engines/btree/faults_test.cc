// A store on a disk that fails: full, short of bytes, or unable to sync, at any of its operations.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "engines/btree/store_testing.h"

namespace kv::btree {
namespace {

// What the store held may be the state after any number of writes from the acknowledged ones to the
// attempted ones: a write whose sync failed may be there or not.
template <typename E>
void ExpectHolds(E& store, size_t acknowledged, size_t attempted, const std::string& label) {
  const auto contents = Contents(store);
  ASSERT_TRUE(contents.ok()) << label << ": " << contents.status();
  ASSERT_GE(History::WritesIn(*contents, acknowledged, attempted), 0) << label;
}

template <typename E>
void ExpectReopens(SimulatedFileSystem fs, size_t acknowledged, size_t attempted,
                   const std::string& label) {
  auto store = OpenStore<E>(fs);
  ASSERT_TRUE(store.ok()) << label << ": " << store.status() << "\n" << fs.Trace();
  ExpectHolds(**store, acknowledged, attempted, label);
  EXPECT_TRUE((*store)->Verify().ok()) << label;
  EXPECT_TRUE((*store)->Put("more", "of it").ok()) << label;
}

// Fails operation number `skip` of those that `fault` can strike, and the `times` - 1 after it,
// while a store takes writes and writes checkpoints. False when no operation was left to fail.
template <typename E>
bool RunWithFault(Fault fault, uint64_t skip, uint64_t times) {
  const std::string label =
      fmt::format("fault {}, after {}, {} times", static_cast<int>(fault), skip, times);
  SimulatedFileSystem fs;
  auto store = OpenStore<E>(fs);
  EXPECT_TRUE(store.ok());
  fs.FailAfter(skip, fault, times);
  constexpr size_t kWrites = 20;
  size_t acknowledged = 0;
  // A store that has refused one write refuses all that follow, so what it took is a prefix; but
  // for one that found no space, which the same write may find when it comes again.
  const auto write = [&] { return History::Write(**store, acknowledged).ok(); };
  while (acknowledged < kWrites && (write() || (fault == Fault::kNoSpace && write()))) {
    ++acknowledged;
  }
  const size_t attempted = std::min(acknowledged + 1, kWrites);
  if (acknowledged < kWrites) {
    const absl::Status again = History::Write(**store, acknowledged + 1);
    EXPECT_FALSE(again.ok()) << label << ": a failed write was followed by one that did not";
    EXPECT_TRUE(Names(again, kStoreDirectory)) << label << ": " << again;
  }
  ExpectHolds(**store, acknowledged, attempted, label + ", still open");
  const bool struck = fs.faults_injected() > 0;
  const size_t least = E::kDurableOnReturn ? acknowledged : 0;
  ExpectReopens<E>(fs.Crash(skip, CrashMode::kLoseUnsynced), least, attempted, label + ", power");
  ExpectReopens<E>(fs.Crash(skip, CrashMode::kJournaled), least, attempted, label + ", journaled");
  store->reset();  // closes, with or without success
  ExpectReopens<E>(fs.Crash(skip, CrashMode::kKeepAll), least, attempted, label + ", closed");
  return struck;
}

template <typename E>
void FailEachOperation(uint64_t times) {
  for (const Fault fault :
       {Fault::kNoSpace, Fault::kIoError, Fault::kShortWrite, Fault::kSyncFailure}) {
    // Synced logs begin with a mebibyte of zeros, which makes them slow to test.
    const uint64_t step = E::kDurableOnReturn ? 4 : 1;
    uint64_t skip = 0;
    while (RunWithFault<E>(fault, skip, times) && !::testing::Test::HasFailure()) skip += step;
    EXPECT_GT(skip, 5u);
  }
}

TEST(FaultsTest, SyncedStoreLosesNothingToOneFault) { FailEachOperation<SmallStore>(1); }
TEST(FaultsTest, SyncedStoreLosesNothingToAFullDisk) { FailEachOperation<SmallStore>(1000); }
TEST(FaultsTest, UnsyncedStoreOpensAgainAfterOneFault) { FailEachOperation<SmallUnsyncedStore>(1); }

// fsync is never retried as if nothing had happened.
TEST(FaultsTest, AFailedSyncIsTheEndOfWrites) {
  SimulatedFileSystem fs;
  auto store = OpenStore(fs);
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->Put("a", "1").ok());
  fs.FailAfter(0, Fault::kSyncFailure);
  EXPECT_FALSE((*store)->Put("b", "2").ok());
  EXPECT_FALSE((*store)->Put("c", "3").ok());
  EXPECT_FALSE((*store)->Flush().ok());
  std::string value;
  EXPECT_TRUE((*store)->Get("a", &value).ok()) << "reads go on";
}

TEST(FaultsTest, AFullDiskThatIsGivenRoomTakesWritesAfterReopening) {
  SimulatedFileSystem fs;
  auto store = OpenStore(fs);
  ASSERT_TRUE(store.ok());
  uint64_t used = 0;
  for (const char* name : {"/TREE", "/000001.log"}) {
    if (const auto bytes = fs.Contents(kStoreDirectory + name); bytes.ok()) used += bytes->size();
  }
  fs.SetCapacity(used + 6000);
  size_t taken = 0;
  while (taken < 10'000 && History::Write(**store, taken).ok()) ++taken;
  ASSERT_LT(taken, 10'000u);
  store->reset();
  fs.SetCapacity(uint64_t{1} << 40);
  store = OpenStore(fs);
  ASSERT_TRUE(store.ok()) << store.status();
  ExpectHolds(**store, taken, taken + 1, "after the disk was full");
  EXPECT_TRUE((*store)->Put("more", "of it").ok());
}

TEST(FaultsTest, AnUnreadablePageIsAnErrorAndNotAMissingKey) {
  SimulatedFileSystem fs;
  auto store = OpenStore(fs);
  ASSERT_TRUE(store.ok());
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE((*store)->Put(fmt::format("key{:03}", i), std::string(50, 'v')).ok());
  }
  ASSERT_TRUE((*store)->Compact().ok());
  uint64_t failed = 0;
  uint64_t planned = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string key = fmt::format("key{:03}", i);
    // One at a time: a key whose pages are in memory leaves the fault to a later one.
    if (planned == fs.faults_injected()) {
      fs.FailAfter(0, Fault::kReadError);
      ++planned;
    }
    std::string value;
    absl::Status status = (*store)->Get(key, &value);
    if (!status.ok()) {
      ++failed;
      EXPECT_FALSE(absl::IsNotFound(status)) << status;
      status = (*store)->Get(key, &value);
    }
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_GT(failed, 10u);
}

// It was taken for a header that does not match its checksum, and the store for damaged, or for
// what the other header says.
TEST(FaultsTest, AnUnreadableHeaderIsAnErrorOfTheDisk) {
  SimulatedFileSystem fs;
  auto store = OpenStore(fs);
  ASSERT_TRUE(store.ok());
  size_t writes = 0;
  for (; writes < 40; ++writes) ASSERT_TRUE(History::Write(**store, writes).ok());
  ASSERT_TRUE((*store)->Close().ok());
  store->reset();
  // The other header leads to the log that was closed; this one was killed.
  store = OpenStore(fs);
  ASSERT_TRUE(store.ok());
  for (; writes < 41; ++writes) ASSERT_TRUE(History::Write(**store, writes).ok());
  for (uint64_t skip = 0;; ++skip) {
    ASSERT_LT(skip, 1000u);
    SimulatedFileSystem disk = fs.Crash(0, CrashMode::kKeepAll);
    disk.FailAfter(skip, Fault::kReadError);
    const auto opened = OpenStore(disk);
    if (disk.faults_injected() == 0) break;
    if (opened.ok()) {
      ExpectHolds(**opened, writes, writes, "opened");
    } else {
      EXPECT_TRUE(absl::IsUnavailable(opened.status())) << skip << ": " << opened.status();
      EXPECT_TRUE(Names(opened.status(), kStoreDirectory)) << opened.status();
    }
  }
}

}  // namespace
}  // namespace kv::btree
