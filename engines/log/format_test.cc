// Records, segments, hints and the manifest: what was written is read back, and nothing else
// passes.
#include <optional>
#include <string>
#include <vector>

#include "engines/log/checksum_repair.h"
#include "engines/log/file_names.h"
#include "engines/log/hint.h"
#include "engines/log/manifest.h"
#include "engines/log/record_format.h"
#include "engines/log/segment_format.h"
#include "gtest/gtest.h"
#include "kv/io/simulated.h"
#include "kv/testing/random.h"

namespace kv {
namespace {

constexpr uint64_t kNumber = 7;

std::string Flipped(std::string bytes, size_t at, unsigned bit) {
  bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1u << bit));
  return bytes;
}

void AppendEntry(std::string* to, const Record& record, GroupPlace group = {}) {
  const size_t offset = to->size();
  to->resize(offset + LogEntryBytes(record));
  LogEntry::Encode(record, group, kNumber, offset, to->data() + offset);
}

const std::vector<Record>& SomeRecords() {
  static const std::vector<Record>* const records = new std::vector<Record>{
      {.key = "key", .value = "value", .sequence = 1},
      {.key = "", .value = "", .sequence = 2},
      {.key = std::string_view("\0\xff", 2), .value = std::string_view("\0", 1), .sequence = 3},
      {.key = "gone", .value = {}, .sequence = 4, .kind = RecordKind::kTombstone},
      {.key = "expiring", .value = "12345678", .sequence = 1000, .expires_at = 1'700'000'000'000},
      {.key = "last", .value = "of all", .sequence = kMaxSequence}};
  return *records;
}

std::string SomeSegment(bool synced) {
  std::string bytes = SegmentHeader{.number = kNumber, .synced = synced}.Encode();
  for (const Record& record : SomeRecords()) AppendEntry(&bytes, record);
  return bytes;
}

TEST(RecordFormatTest, IsReadBack) {
  const std::string bytes = SomeSegment(true);
  uint64_t offset = kSegmentHeaderBytes;
  for (const Record& record : SomeRecords()) {
    LogEntry entry;
    ASSERT_TRUE(entry.Parse(bytes, offset));
    EXPECT_TRUE(entry.Intact(bytes, offset, kNumber));
    EXPECT_FALSE(entry.Intact(bytes, offset, kNumber + 1)) << "of another segment";
    EXPECT_EQ(entry.record, record);
    EXPECT_EQ(entry.bytes, LogEntryBytes(record));
    EXPECT_EQ(entry.bytes % kRecordAlignment, 0u);
    offset += entry.bytes;
  }
  EXPECT_EQ(offset, bytes.size());
}

TEST(RecordFormatTest, EveryFlippedBitIsSeen) {
  std::string bytes(kSegmentHeaderBytes, '\0');
  AppendEntry(&bytes, {.key = "key", .value = "value", .sequence = 9, .expires_at = 5});
  for (size_t at = kSegmentHeaderBytes; at < bytes.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      const std::string damaged = Flipped(bytes, at, bit);
      LogEntry entry;
      EXPECT_FALSE(entry.Parse(damaged, kSegmentHeaderBytes) &&
                   entry.Intact(damaged, kSegmentHeaderBytes, kNumber))
          << at << "." << bit;
    }
  }
}

TEST(RecordFormatTest, DoesNotPassAtAnotherPlace) {
  std::string bytes(kSegmentHeaderBytes, '\0');
  AppendEntry(&bytes, {.key = "key", .value = "value", .sequence = 9});
  const std::string moved = std::string(8, '\0') + bytes;
  LogEntry entry;
  ASSERT_TRUE(entry.Parse(moved, kSegmentHeaderBytes + 8));
  EXPECT_FALSE(entry.Intact(moved, kSegmentHeaderBytes + 8, kNumber));
}

TEST(RecordFormatTest, CutOrRandomBytesAreNoRecord) {
  const std::string bytes = SomeSegment(true);
  for (size_t size = 0; size < bytes.size(); ++size) {
    // In memory of its own, so that a sanitizer sees a read beyond its end.
    const std::string cut(bytes, 0, size);
    EXPECT_FALSE(ScanSegment("cut", cut, kNumber, bytes.size(), [](const LogEntry&, uint64_t) {
                   return absl::OkStatus();
                 }).ok());
  }
  testing::Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    const std::string noise = random.Bytes(random.Below(100));
    LogEntry entry;
    const uint64_t offset = random.Below(12) * 8;
    if (entry.Parse(noise, offset)) {
      EXPECT_FALSE(entry.Intact(noise, offset, kNumber));
    }
  }
}

TEST(SegmentFormatTest, EveryFlippedBitOfASealedSegmentIsSeen) {
  const std::string bytes = SomeSegment(true);
  for (size_t at = 0; at < bytes.size(); ++at) {
    const std::string damaged = Flipped(bytes, at, at % 8);
    const absl::Status status =
        ScanSegment("path", damaged, kNumber, damaged.size(),
                    [](const LogEntry&, uint64_t) { return absl::OkStatus(); });
    EXPECT_TRUE(absl::IsDataLoss(status)) << at << ": " << status;
    EXPECT_NE(status.ToString().find("path"), std::string::npos);
  }
}

TEST(SegmentFormatTest, EndIsBehindTheLastWholeGroup) {
  std::string bytes = SegmentHeader{.number = kNumber, .synced = true}.Encode();
  AppendEntry(&bytes, {.key = "a", .value = "1", .sequence = 1});
  AppendEntry(&bytes, {.key = "b", .value = "2", .sequence = 2}, {.ends_group = false});
  AppendEntry(&bytes, {.key = "c", .value = "3", .sequence = 3}, {.begins_write = false});
  const uint64_t whole = bytes.size();
  AppendEntry(&bytes, {.key = "d", .value = "4", .sequence = 4}, {.ends_group = false});
  for (const size_t zeros : {size_t{0}, size_t{8}, size_t{4096}}) {
    const auto found = FindSegmentEnd("path", bytes + std::string(zeros, '\0'), kNumber);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_TRUE(found->started);
    EXPECT_EQ(found->end, whole);
    EXPECT_EQ(found->last, 3u);
  }
}

// A crash tears what was written last, in any order of its sectors.
TEST(SegmentFormatTest, TornLastWriteIsDropped) {
  std::string bytes = SegmentHeader{.number = kNumber, .synced = true}.Encode();
  AppendEntry(&bytes, {.key = "a", .value = "1", .sequence = 1});
  const uint64_t whole = bytes.size();
  AppendEntry(&bytes, {.key = "b", .value = "2", .sequence = 2}, {.ends_group = false});
  const uint64_t middle = bytes.size();
  AppendEntry(&bytes, {.key = "c", .value = "3", .sequence = 3}, {.begins_write = false});
  AppendEntry(&bytes, {.key = "d", .value = "4", .sequence = 4}, {.begins_write = false});
  for (size_t at = whole; at < middle; ++at) {
    const auto found = FindSegmentEnd("path", Flipped(bytes, at, 1), kNumber);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->end, whole) << at;
  }
}

TEST(SegmentFormatTest, DamageInFrontOfALaterWriteIsDataLoss) {
  for (const bool synced : {true, false}) {
    std::string bytes = SegmentHeader{.number = kNumber, .synced = synced}.Encode();
    AppendEntry(&bytes, {.key = "a", .value = "1", .sequence = 1});
    const uint64_t damaged = bytes.size();
    AppendEntry(&bytes, {.key = "b", .value = "2", .sequence = 2});
    const uint64_t later = bytes.size();
    AppendEntry(&bytes, {.key = "c", .value = "3", .sequence = 3});
    for (size_t at = damaged; at < later; ++at) {
      const auto found = FindSegmentEnd("path", Flipped(bytes, at, 3), kNumber);
      EXPECT_EQ(absl::IsDataLoss(found.status()), synced) << at;
      if (!synced) {
        EXPECT_EQ(found->end, damaged);
      }
    }
    for (size_t at = 0; at < kSegmentHeaderBytes; ++at) {
      EXPECT_TRUE(
          absl::IsDataLoss(FindSegmentEnd("path", Flipped(bytes, at, 3), kNumber).status()));
    }
  }
}

TEST(SegmentFormatTest, NewerVersionIsRefused) {
  std::string bytes = SegmentHeader{.number = kNumber, .version = kSegmentVersion + 1}.Encode();
  EXPECT_EQ(FindSegmentEnd("path", bytes, kNumber).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(HintTest, SaysWhereRecordsAre) {
  const std::string segment = SomeSegment(true);
  const auto bytes = MakeHint("path", segment, kNumber, segment.size());
  ASSERT_TRUE(bytes.ok());
  HintView hint;
  ASSERT_TRUE(hint.Decode(*bytes, kNumber, segment.size()));
  ASSERT_EQ(hint.Count(), SomeRecords().size());
  for (size_t i = 0; i < hint.Count(); ++i) {
    LogEntry entry;
    ASSERT_TRUE(entry.Parse(segment, hint.Entry(i).offset));
    EXPECT_EQ(entry.record, SomeRecords()[i]);
    EXPECT_EQ(hint.Entry(i).bytes, entry.bytes);
    EXPECT_EQ(hint.Entry(i).hash, LogKeyHash(entry.record.key));
    EXPECT_EQ(hint.Entry(i).tombstone, entry.record.kind == RecordKind::kTombstone);
    EXPECT_EQ(hint.Entry(i).expires, entry.record.expires_at != kNeverExpires);
  }
  EXPECT_EQ(hint.NewestTombstone(), 4u);
  EXPECT_EQ(hint.NewestExpiry(), 1'700'000'000'000u);
  EXPECT_FALSE(hint.Decode(*bytes, kNumber + 1, segment.size()));
  EXPECT_FALSE(hint.Decode(*bytes, kNumber, segment.size() + 8));
}

TEST(HintTest, EveryFlippedBitAndCutIsSeen) {
  const std::string segment = SomeSegment(true);
  const std::string bytes = *MakeHint("path", segment, kNumber, segment.size());
  HintView hint;
  for (size_t at = 0; at < bytes.size(); ++at) {
    EXPECT_FALSE(hint.Decode(Flipped(bytes, at, at % 8), kNumber, segment.size())) << at;
    EXPECT_FALSE(hint.Decode(std::string(bytes, 0, at), kNumber, segment.size())) << at;
  }
}

// A location outside of its segment would be one in another, or in none.
TEST(HintTest, EntriesThatDoNotFillTheSegmentAreNoHint) {
  const std::string segment = SomeSegment(true);
  const std::string bytes = *MakeHint("path", segment, kNumber, segment.size());
  const auto decodes_with = [&](size_t at, uint32_t word) {
    std::string changed = bytes;
    StoreFixed32(changed.data() + at, word);
    RepairHintOrManifest(kNumber, &changed);
    HintView hint;
    return hint.Decode(changed, kNumber, segment.size());
  };
  const size_t offset = kHintHeaderBytes + 8;  // of the first record
  const size_t size = offset + 4;
  EXPECT_TRUE(decodes_with(offset, LoadFixed32(bytes.data() + offset)));
  EXPECT_FALSE(decodes_with(offset, LoadFixed32(bytes.data() + offset) + 1));
  EXPECT_FALSE(decodes_with(offset, uint32_t{1} << 28));
  EXPECT_FALSE(decodes_with(size, LoadFixed32(bytes.data() + size) + 1));
}

SegmentManifest SomeManifest() {
  return {.format = "log expiry=absolute",
          .next_number = 12,
          .last_sequence = 99,
          .first_unsealed = 11,
          .segments = {{.number = 3, .end = 100, .cleaned = 7, .merged = true},
                       {.number = 2, .end = 4096}}};
}

TEST(SegmentManifestTest, IsReadBackAndDamageIsSeen) {
  const std::string bytes = SomeManifest().Encode();
  const auto read = SegmentManifest::Decode("path", bytes);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, SomeManifest());
  for (size_t at = 0; at < bytes.size(); ++at) {
    EXPECT_TRUE(
        absl::IsDataLoss(SegmentManifest::Decode("path", Flipped(bytes, at, at % 8)).status()));
    EXPECT_TRUE(absl::IsDataLoss(SegmentManifest::Decode("path", bytes.substr(0, at)).status()));
  }
}

TEST(SegmentManifestTest, IsReplacedWholeWhateverHappens) {
  SimulatedFileSystem files;
  const SegmentFileNames names("/store");
  ASSERT_TRUE(files.CreateDirectories("/store").ok());
  EXPECT_TRUE(absl::IsNotFound(ReadSegmentManifest(files, names).status()));
  ASSERT_TRUE(ReplaceSegmentManifest(files, names, SomeManifest()).ok());
  SegmentManifest next = SomeManifest();
  next.segments.pop_back();
  for (uint64_t operations = 0; operations < 6; ++operations) {
    SimulatedFileSystem run = files.Crash(0, CrashMode::kKeepAll);
    run.CutPowerAfter(operations);
    const bool done = ReplaceSegmentManifest(run, names, next).ok();
    for (const CrashMode mode : kAllCrashModes) {
      SimulatedFileSystem crashed = run.Crash(operations, mode);
      const auto read = ReadSegmentManifest(crashed, names);
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_TRUE(*read == next || (!done && *read == SomeManifest()));
    }
  }
}

TEST(SegmentFileNamesTest, AreParsedExactly) {
  using Names = SegmentFileNames;
  EXPECT_EQ(Names("/d").Written(7), "/d/000007.segment");
  EXPECT_EQ(Names::Parse("000007.segment", Names::kWrittenSuffix), 7u);
  EXPECT_EQ(Names::Parse("1234567.hint", Names::kHintSuffix), 1234567u);
  for (const char* const name : {"7.segment", "000007.merged", "x00007.segment", ".segment",
                                 "000007.segment2", "-00007.segment"}) {
    EXPECT_EQ(Names::Parse(name, Names::kWrittenSuffix), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace kv
