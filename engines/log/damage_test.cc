// Every byte of every file of a store damaged, and files cut short: an error that names file and
// offset, or the right answers. Never a wrong value, and never one that is silently missing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engines/log/engine.h"
#include "engines/log/store_testing.h"

namespace kv {
namespace {

constexpr size_t kWrites = 24;

template <typename E>
SimulatedFileSystem WrittenStore(size_t writes, bool close) {
  SimulatedFileSystem fs;
  auto store = OpenStore<E>(fs);
  EXPECT_TRUE(store.ok());
  EXPECT_EQ(History::WriteUntil(**store, 0, writes), writes);
  EXPECT_TRUE(close ? (*store)->Close().ok() : (*store)->Flush().ok());
  return fs.Crash(0, CrashMode::kKeepAll);
}

std::string PathOf(const std::string& name) { return kStoreDirectory + "/" + name; }
std::vector<std::string> FilesOf(SimulatedFileSystem fs) { return *fs.List(kStoreDirectory); }
bool Has(const std::string& name, std::string_view suffix) {
  return SegmentFileNames::Parse(name, suffix).has_value();
}
bool IsSegment(const std::string& name) {
  return Has(name, SegmentFileNames::kWrittenSuffix) || Has(name, SegmentFileNames::kMergedSuffix);
}

std::string Large(size_t i) { return fmt::format("{}{}", i, std::string(900, 'n')); }

// A report says kDataLoss, the file and where in it.
void ExpectReport(const absl::Status& status, const std::string& path, const std::string& label) {
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << label << ": " << status;
  EXPECT_TRUE(Names(status, path) && Names(status, "offset")) << label << ": " << status;
}

// Whether the damage to `path` was reported.
template <typename E>
bool CheckDamaged(SimulatedFileSystem fs, const std::string& path, const std::string& label) {
  auto store = OpenStore<E>(fs);
  if (!store.ok()) {
    ExpectReport(store.status(), path, label);
    return true;
  }
  static const Model expected = History::StateAfter(kWrites);
  bool reported = false;
  for (size_t i = 0; i < History::kKeys; ++i) {
    const std::string key = History::Key(i);
    std::string value;
    const absl::Status status = (*store)->Get(key, &value);
    if (!status.ok() && !absl::IsNotFound(status)) {
      ExpectReport(status, path, label);
      reported = true;
      continue;
    }
    const auto found = expected.find(key);
    EXPECT_EQ(status.ok(), found != expected.end()) << label << ", " << key;
    if (status.ok() && found != expected.end()) {
      EXPECT_EQ(value, found->second) << label;
    }
  }
  if (const auto count = (*store)->Count(""); count.ok()) {
    EXPECT_EQ(*count, expected.size()) << label;
  } else {
    ExpectReport(count.status(), path, label);
    reported = true;
  }
  // Of what has been opened, only a hint is not relied on.
  if (const absl::Status status = (*store)->Verify(); !status.ok()) {
    ExpectReport(status, path, label);
    reported = true;
  }
  return reported;
}

// Where the records of a sealed segment end: behind it are zeros that nothing reads.
uint64_t CoveredBytes(const SimulatedFileSystem& closed, const std::string& name) {
  const std::string bytes = *closed.Contents(PathOf(name));
  if (!IsSegment(name)) return bytes.size();
  const auto manifest = SegmentManifest::Decode("SEGMENTS", *closed.Contents(PathOf("SEGMENTS")));
  for (const SealedSegment& segment : manifest->segments) {
    const auto suffix =
        segment.merged ? SegmentFileNames::kMergedSuffix : SegmentFileNames::kWrittenSuffix;
    if (SegmentFileNames::Parse(name, suffix) == segment.number) return segment.end;
  }
  ADD_FAILURE() << name << " is not in the manifest";
  return 0;
}

template <typename E>
class LogDamageTest : public ::testing::Test {};

using Stores = ::testing::Types<SyncedStore, UnsyncedStore>;
TYPED_TEST_SUITE(LogDamageTest, Stores);

TYPED_TEST(LogDamageTest, EachFlippedByteOfAClosedStoreIsReported) {
  const SimulatedFileSystem closed = WrittenStore<TypeParam>(kWrites, /*close=*/true);
  int kinds = 0;
  for (const std::string& name : FilesOf(closed)) {
    if (name == "LOCK") continue;
    kinds |= name == "SEGMENTS" ? 1 : IsSegment(name) ? 2 : 4;
    const std::string path = PathOf(name);
    const uint64_t covered = CoveredBytes(closed, name);
    for (uint64_t offset = 0; offset < covered; ++offset) {
      SimulatedFileSystem fs = closed.Crash(0, CrashMode::kKeepAll);
      ASSERT_TRUE(fs.FlipBit(path, offset, offset % 8).ok());
      const std::string label = fmt::format("{} at {}", path, offset);
      EXPECT_TRUE(CheckDamaged<TypeParam>(fs, path, label)) << label;
    }
  }
  EXPECT_EQ(kinds, 7);
}

TYPED_TEST(LogDamageTest, CutFilesOfAClosedStoreAreReported) {
  const SimulatedFileSystem closed = WrittenStore<TypeParam>(kWrites, /*close=*/true);
  for (const std::string& name : FilesOf(closed)) {
    if (name == "LOCK") continue;
    const std::string path = PathOf(name);
    const std::string bytes = *closed.Contents(path);
    const uint64_t covered = CoveredBytes(closed, name);
    for (uint64_t length = 0; length < covered; length += 1 + length / 16) {
      SimulatedFileSystem fs = closed.Crash(0, CrashMode::kKeepAll);
      SetContents(fs, path, bytes.substr(0, length));
      const std::string label = fmt::format("{} cut to {}", path, length);
      EXPECT_TRUE(CheckDamaged<TypeParam>(fs, path, label)) << label;
    }
  }
}

// A record whose key is damaged is not known as its key's any more: what it had replaced must not
// be found instead.
TYPED_TEST(LogDamageTest, DamagedKeyOfANewerRecordDoesNotBringBackTheOlder) {
  for (const bool deleted : {false, true}) {
    SimulatedFileSystem fs;
    uint64_t newer = 0;
    {
      auto store = OpenStore<TypeParam>(fs);
      ASSERT_TRUE(store.ok());
      ASSERT_TRUE((*store)->Put("key", "older").ok());
      newer = kSegmentHeaderBytes + LogEntryBytes(3, 5, false);
      ASSERT_TRUE((deleted ? (*store)->Delete("key") : (*store)->Put("key", "newer")).ok());
      ASSERT_TRUE((*store)->Close().ok());
    }
    const std::string path = PathOf("000001.segment");
    ASSERT_TRUE(fs.FlipBit(path, newer + kLogEntryHeaderBytes, 0).ok());
    auto store = OpenStore<TypeParam>(fs);
    ASSERT_TRUE(store.ok()) << store.status();
    std::string value;
    const absl::Status status = (*store)->Get("key", &value);
    if (deleted) {
      EXPECT_TRUE(absl::IsNotFound(status)) << status;
    } else {
      ExpectReport(status, path, "Get");
    }
    ExpectReport((*store)->Verify(), path, "Verify");
  }
}

// Where a segment was not sealed, what can be told from the torn end of its last write is reported;
// the rest is the state before that write.
TEST(LogDamageOfUnsealedTest, DamageBeforeTheLastWriteOfASyncedSegmentIsReported) {
  constexpr size_t kFew = 6;
  const SimulatedFileSystem killed = WrittenStore<SyncedStore>(kFew, /*close=*/false);
  const std::string path = PathOf("000001.segment");
  std::vector<uint64_t> ends = {kSegmentHeaderBytes};
  LogEntry entry;
  const std::string bytes = *killed.Contents(path);
  while (ends.size() <= kFew && entry.Parse(bytes, ends.back())) {
    ends.push_back(ends.back() + entry.bytes);
  }
  ASSERT_EQ(ends.size(), kFew + 1);
  for (uint64_t offset = 0; offset < ends.back(); ++offset) {
    SimulatedFileSystem fs = killed.Crash(0, CrashMode::kKeepAll);
    ASSERT_TRUE(fs.FlipBit(path, offset, offset % 8).ok());
    const std::string label = fmt::format("{} at {}", path, offset);
    auto store = OpenStore<SyncedStore>(fs);
    if (offset < ends[kFew - 1]) {
      ExpectReport(store.status(), path, label);
    } else {
      ASSERT_TRUE(store.ok()) << label << ": " << store.status();
      EXPECT_EQ(*Contents(**store), History::StateAfter(kFew - 1)) << label;
    }
  }
}

TEST(LogDamageOfUnsealedTest, TornEndIsDroppedAndWritesGoOnBehindIt) {
  constexpr size_t kFew = 6;
  const SimulatedFileSystem killed = WrittenStore<SyncedStore>(kFew, /*close=*/false);
  const std::string path = PathOf("000001.segment");
  const std::string bytes = *killed.Contents(path);
  LogEntry entry;
  uint64_t end = kSegmentHeaderBytes;
  for (size_t i = 0; i + 1 < kFew; ++i, end += entry.bytes) ASSERT_TRUE(entry.Parse(bytes, end));
  ASSERT_TRUE(entry.Parse(bytes, end));
  for (uint64_t kept = 0; kept < entry.bytes; ++kept) {
    SimulatedFileSystem fs = killed.Crash(0, CrashMode::kKeepAll);
    SetContents(fs, path, bytes.substr(0, end + kept));
    const std::string label = fmt::format("{} bytes of the last record", kept);
    {
      auto store = OpenStore<SyncedStore>(fs);
      ASSERT_TRUE(store.ok()) << label << ": " << store.status();
      // All that is cut off may be the zeros that fill the record up.
      ASSERT_EQ(*Contents(**store), History::StateAfter(kFew - 1)) << label;
      ASSERT_EQ(History::WriteUntil(**store, kFew - 1, 20), 20u) << label;
    }
    auto store = OpenStore<SyncedStore>(fs);
    ASSERT_TRUE(store.ok()) << label << ": " << store.status();
    EXPECT_EQ(*Contents(**store), History::StateAfter(20)) << label;
  }
}

// The write that would have paid for the merge is refused once; what is damaged is then left alone.
TEST(LogDamageOfUnsealedTest, MergeOfADamagedSegmentReportsItAndLosesNothing) {
  SimulatedFileSystem fs = WrittenStore<SyncedStore>(kWrites, /*close=*/true);
  const auto manifest = SegmentManifest::Decode("SEGMENTS", *fs.Contents(PathOf("SEGMENTS")));
  ASSERT_FALSE(manifest->segments.empty());
  const SealedSegment& first = manifest->segments.front();
  const SegmentFileNames names(kStoreDirectory);
  const std::string path = first.merged ? names.Merged(first.number) : names.Written(first.number);
  ASSERT_TRUE(fs.FlipBit(path, kSegmentHeaderBytes + kLogEntryHeaderBytes + 1, 3).ok());

  auto store = OpenStore<SyncedStore>(fs);
  ASSERT_TRUE(store.ok()) << store.status();
  int refused = 0;
  for (size_t i = 0; i < 2 * History::kKeys; ++i) {
    // These kill all that the damaged segment has.
    const auto put = [&] { return (*store)->Put(History::Key(i % History::kKeys), Large(i)); };
    if (const absl::Status status = put(); !status.ok()) {
      ExpectReport(status, path, "Put");
      ++refused;
      ASSERT_TRUE(put().ok());
    }
  }
  EXPECT_EQ(refused, 1);
  ExpectReport((*store)->Compact(), path, "Compact");
  for (size_t i = 0; i < History::kKeys; ++i) {
    std::string value;
    const absl::Status status = (*store)->Get(History::Key(i), &value);
    // Whose record was damaged cannot be known by its key.
    if (!status.ok()) {
      ExpectReport(status, path, "Get");
    } else {
      EXPECT_EQ(value, Large(History::kKeys + i));
    }
  }
}

}  // namespace
}  // namespace kv
