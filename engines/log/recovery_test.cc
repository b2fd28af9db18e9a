// Opening a store: directories that hold none, stores of others, and every moment at which an open,
// a history or a close can be cut off.
#include "engines/log/recovery.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engines/log/store_testing.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/commit/interval.h"
#include "kv/io/crash_points.h"

namespace kv {
namespace {

template <typename E>
class LogRecoveryTest : public ::testing::Test {};

using Stores = ::testing::Types<SyncedStore, UnsyncedStore>;
TYPED_TEST_SUITE(LogRecoveryTest, Stores);

template <typename E>
SimulatedFileSystem ClosedStore(size_t writes) {
  SimulatedFileSystem fs;
  auto store = OpenStore<E>(fs);
  EXPECT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(History::WriteUntil(**store, 0, writes), writes);
  EXPECT_TRUE((*store)->Close().ok());
  return fs;
}

// The process dies without closing, after a Flush; nothing is lost.
template <typename E>
SimulatedFileSystem KilledStore(size_t writes) {
  SimulatedFileSystem fs;
  auto store = OpenStore<E>(fs);
  EXPECT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(History::WriteUntil(**store, 0, writes), writes);
  EXPECT_TRUE((*store)->Flush().ok());
  return fs.Crash(0, CrashMode::kKeepAll);
}

std::vector<std::string> FilesOf(SimulatedFileSystem fs) { return *fs.List(kStoreDirectory); }
std::string PathOf(const std::string& name) { return kStoreDirectory + "/" + name; }
bool IsSegment(const std::string& name) {
  return SegmentFileNames::Parse(name, SegmentFileNames::kWrittenSuffix).has_value() ||
         SegmentFileNames::Parse(name, SegmentFileNames::kMergedSuffix).has_value();
}
bool IsHint(const std::string& name) {
  return SegmentFileNames::Parse(name, SegmentFileNames::kHintSuffix).has_value();
}

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

TYPED_TEST(LogRecoveryTest, ReopensAfterCloseAndAfterKill) {
  for (const size_t writes : {0, 1, 2, 7, 40, 100}) {
    ExpectHolds<TypeParam>(ClosedStore<TypeParam>(writes), writes, writes, "closed");
    ExpectHolds<TypeParam>(KilledStore<TypeParam>(writes), writes, writes, "killed");
  }
}

TYPED_TEST(LogRecoveryTest, DirectoryOfOtherFilesIsRefusedAndLeftAlone) {
  for (const std::string name : {"notes.txt", "7.segment", "2024.hint", "SEGMENTS-x", "CURRENT"}) {
    SimulatedFileSystem fs;
    ASSERT_TRUE(fs.CreateDirectories(kStoreDirectory).ok());
    SetContents(fs, PathOf(name), "mine");
    const absl::Status status = OpenStore<TypeParam>(fs).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_TRUE(Names(status, kStoreDirectory) && Names(status, name)) << status;
    EXPECT_EQ(*fs.Contents(PathOf(name)), "mine");
  }
}

TYPED_TEST(LogRecoveryTest, CreateIfMissingAndErrorIfExists) {
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

TYPED_TEST(LogRecoveryTest, SecondOpenIsRefusedUntilTheFirstIsClosed) {
  SimulatedFileSystem fs;
  auto first = OpenStore<TypeParam>(fs);
  ASSERT_TRUE(first.ok());
  const absl::Status status = OpenStore<TypeParam>(fs).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(Names(status, "LOCK")) << status;
  ASSERT_TRUE((*first)->Close().ok());
  EXPECT_TRUE(OpenStore<TypeParam>(fs).ok());
}

TYPED_TEST(LogRecoveryTest, StoreOfAnotherCompositionIsRefusedNamingBoth) {
  SimulatedFileSystem fs = ClosedStore<TypeParam>(5);
  const absl::Status status = OpenStore<OtherFormatStore>(fs).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(Names(status, TypeParam::Format()) && Names(status, OtherFormatStore::Format()))
      << status;
  ExpectHolds<TypeParam>(fs, 5, 5, "refused by another");
}

// The bytes of the file with the format version after this program's; empty if it has none.
std::string OfNewerVersion(const std::string& name, std::string bytes) {
  const auto sign = [&](size_t covered) {
    StoreFixed64(bytes.data() + covered, Checksum(std::string_view(bytes).substr(0, covered), 0));
  };
  if (name == "SEGMENTS") {
    StoreFixed32(bytes.data() + 8, SegmentManifest::kVersion + 1);
    sign(bytes.size() - 8);
    return bytes;
  }
  if (!IsSegment(name)) return {};
  StoreFixed32(bytes.data() + 8, kSegmentVersion + 1);
  sign(kSegmentHeaderBytes - 8);
  return bytes;
}

TYPED_TEST(LogRecoveryTest, NewerFormatsAreRefusedWithBothNumbersAndLeftAlone) {
  for (const auto& start : {ClosedStore<TypeParam>(12), KilledStore<TypeParam>(5)}) {
    int refused = 0;
    for (const std::string& name : FilesOf(start)) {
      const std::string bytes = OfNewerVersion(name, *start.Contents(PathOf(name)));
      if (bytes.empty()) continue;
      SimulatedFileSystem newer = start.Crash(0, CrashMode::kKeepAll);
      SetContents(newer, PathOf(name), bytes);
      const absl::Status status = OpenStore<TypeParam>(newer).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << name << ": " << status;
      EXPECT_TRUE(Names(status, PathOf(name)) && Names(status, "version 2 is newer") &&
                  Names(status, "program's 1"))
          << status;
      EXPECT_EQ(FilesOf(newer), FilesOf(start));
      ++refused;
    }
    EXPECT_GE(refused, 2);
  }
}

TYPED_TEST(LogRecoveryTest, EachFileThatIsRemovedIsMissed) {
  for (const auto& start : {ClosedStore<TypeParam>(50), KilledStore<TypeParam>(50)}) {
    for (const std::string& name : FilesOf(start)) {
      SimulatedFileSystem fs = start.Crash(0, CrashMode::kKeepAll);
      ASSERT_TRUE(fs.Remove(PathOf(name)).ok());
      const auto store = OpenStore<TypeParam>(fs);
      if (name == "LOCK" || IsHint(name)) {
        ASSERT_TRUE(store.ok()) << name << ": " << store.status();
        EXPECT_EQ(*Contents(**store), History::StateAfter(50)) << name;
        continue;
      }
      EXPECT_EQ(store.status().code(), absl::StatusCode::kDataLoss) << store.status();
      EXPECT_TRUE(Names(store.status(), PathOf(name))) << store.status();
    }
  }
}

// A hint that is gone, of no use, or of another segment: the segment is read instead.
TYPED_TEST(LogRecoveryTest, WrongHintsAreMadeAgainFromTheSegments) {
  const SimulatedFileSystem closed = ClosedStore<TypeParam>(50);
  std::vector<std::string> hints;
  for (const std::string& name : FilesOf(closed)) {
    if (IsHint(name)) hints.push_back(*closed.Contents(PathOf(name)));
  }
  ASSERT_GE(hints.size(), 2u);
  SimulatedFileSystem fs = closed.Crash(0, CrashMode::kKeepAll);
  size_t next = 1;
  for (const std::string& name : FilesOf(closed)) {
    if (IsHint(name)) SetContents(fs, PathOf(name), hints[next++ % hints.size()]);
  }
  auto store = OpenStore<TypeParam>(fs);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(*Contents(**store), History::StateAfter(50));
  const absl::Status verified = (*store)->Verify();
  EXPECT_EQ(verified.code(), absl::StatusCode::kDataLoss) << verified;
  EXPECT_TRUE(Names(verified, ".hint")) << verified;
  // What is known of the segments without their hints is enough to write and merge on.
  EXPECT_EQ(History::WriteUntil(**store, 50, 100), 100u);
  ASSERT_TRUE((*store)->Compact().ok());
  EXPECT_EQ(*Contents(**store), History::StateAfter(100));
}

TYPED_TEST(LogRecoveryTest, LostManifestIsNotAFreshStore) {
  for (const size_t writes : {1, 30}) {
    SimulatedFileSystem fs = ClosedStore<TypeParam>(writes);
    ASSERT_TRUE(fs.Remove(PathOf("SEGMENTS")).ok());
    const absl::Status status = OpenStore<TypeParam>(fs).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_TRUE(Names(status, "SEGMENTS")) << status;
  }
}

// Cuts the power at each operation of an open and, after some of these, once more at each operation
// of the open that follows: recovery must not stumble over what a recovery left.
template <typename E>
void CutOpens(const SimulatedFileSystem& start, size_t from, size_t to) {
  const auto open = [](SimulatedFileSystem fs) { return OpenStore<E>(fs).ok(); };
  uint64_t cuts = 0;
  ForEachCrashPoint(start, 1, open, [&](SimulatedFileSystem once, bool, const std::string& first) {
    if (++cuts % 7 != 1) {
      ExpectHolds<E>(once, from, to, first);
      return;
    }
    ForEachCrashPoint(once, 1, open,
                      [&](SimulatedFileSystem twice, bool, const std::string& second) {
                        ExpectHolds<E>(twice, from, to, first + "; " + second);
                      });
  });
}

TYPED_TEST(LogRecoveryTest, CreationMayBeCutOffAtAnyMoment) {
  CutOpens<TypeParam>(SimulatedFileSystem(), 0, 0);
}

TYPED_TEST(LogRecoveryTest, OpenAfterACleanCloseMayBeCutOffAtAnyMoment) {
  CutOpens<TypeParam>(ClosedStore<TypeParam>(5), 5, 5);
}

TYPED_TEST(LogRecoveryTest, OpenAfterAKillMayBeCutOffAtAnyMoment) {
  CutOpens<TypeParam>(KilledStore<TypeParam>(5), 5, 5);
}

TYPED_TEST(LogRecoveryTest, HistoryMayBeCutOffAtAnyMoment) {
  constexpr size_t kWrites = 25;
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
      SimulatedFileSystem(), 2, run,
      [&](SimulatedFileSystem crashed, const Done& done, const std::string& label) {
        const bool durable = TypeParam::kDurableOnReturn || done.flushed || done.closed;
        ExpectHolds<TypeParam>(crashed, durable ? done.writes : 0, done.writes + 1, label);
      });
}

// An interval longer than any test: what the policy is not told of is not synced later either.
struct IntervalParts : SyncedParts {
  using Commit = IntervalCommit<IntervalShape{.millis = 60'000}>;
};
using IntervalStore = LogStructured<IntervalParts, SimulatedEnvironment>;

TEST(LogIntervalTest, RangeDeleteIsSyncedBecauseThePolicyDoesNotLearnOfIt) {
  SimulatedFileSystem fs;
  auto store = OpenStore<IntervalStore>(fs);
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_EQ(History::WriteUntil(**store, 0, 5), 5u);
  ASSERT_TRUE((*store)->Flush().ok());
  ASSERT_TRUE((*store)->DeleteRange("", "").ok());
  auto reopened = OpenStore<IntervalStore>(fs.Crash(0, CrashMode::kLoseUnsynced));
  ASSERT_TRUE(reopened.ok()) << reopened.status();
  const auto contents = Contents(**reopened);
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_EQ(*contents, Model());
}

}  // namespace
}  // namespace kv
