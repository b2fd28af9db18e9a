#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "kv/io/crash_points.h"
#include "kv/io/log_format.h"
#include "kv/io/log_reader.h"
#include "kv/io/log_writer.h"
#include "kv/io/simulated.h"
#include "kv/testing/random.h"

namespace kv {
namespace {

using testing::Random;
using Writer = LogWriter<SimulatedFileSystem>;

const std::string kPath = "/store/000007.log";
constexpr uint64_t kGeneration = 7;

struct Entry {
  uint64_t first;
  uint32_t count;
  std::string payload;

  friend bool operator==(const Entry&, const Entry&) = default;
};

struct Log {
  LogSummary summary;
  std::vector<Entry> entries;
};

absl::StatusOr<Log> Read(SimulatedFileSystem fs, uint64_t generation = kGeneration) {
  Log log;
  KV_ASSIGN_OR_RETURN(
      log.summary, ReadLog(fs, kPath, generation, [&](const LogRecord& record) {
        log.entries.push_back({record.first, record.count, std::string(record.payload)});
        return absl::OkStatus();
      }));
  return log;
}

SimulatedFileSystem NewDisk() {
  SimulatedFileSystem fs;
  EXPECT_TRUE(fs.CreateDirectories("/store").ok());
  return fs;
}

SimulatedFileSystem DiskWith(const std::string& bytes) {
  SimulatedFileSystem fs = NewDisk();
  auto file = fs.Create(kPath);
  EXPECT_TRUE(file.ok());
  EXPECT_TRUE(file->Append(bytes).ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(fs.SyncDirectory("/store").ok());
  return fs;
}

LogHeader Header(bool synced, uint64_t generation = kGeneration) {
  return {.generation = generation, .synced = synced};
}

// `count` records of sequence numbers 1, 2, ..., one entry each.
std::vector<Entry> MakeEntries(size_t count, size_t payload_bytes, uint64_t seed) {
  Random random(seed);
  std::vector<Entry> entries;
  for (size_t i = 0; i < count; ++i) entries.push_back({i + 1, 1, random.Bytes(payload_bytes)});
  return entries;
}

absl::Status Append(Writer& log, const Entry& entry) {
  return log.AppendRecord(entry.first, entry.count,
                          [&](std::string* to) { to->append(entry.payload); });
}

// The log's bytes and where each of its records ends; behind them, 100 zeros.
struct Image {
  std::string bytes;
  std::vector<uint64_t> ends;  // [0]: of the header; the last: of the seal, if there is one
};

Image Write(const std::vector<Entry>& entries, bool synced, bool seal,
            uint64_t generation = kGeneration, const std::string& over = "") {
  SimulatedFileSystem fs = over.empty() ? NewDisk() : DiskWith(over);
  auto log = Writer::Start(fs, kPath, Header(synced, generation));
  EXPECT_TRUE(log.ok()) << log.status();
  Image image{.bytes = "", .ends = {log->End()}};
  for (const Entry& entry : entries) {
    EXPECT_TRUE(Append(*log, entry).ok());
    if (synced) {
      EXPECT_TRUE(log->Sync().ok());
    }
    image.ends.push_back(log->End());
  }
  if (seal) {
    EXPECT_TRUE(log->Seal(entries.size() + 1).ok());
    image.ends.push_back(log->End());
  } else {
    EXPECT_TRUE(log->Sync().ok());
  }
  image.bytes = *fs.Contents(kPath);
  // New synced logs are zero-filled a long way ahead, which would only make these tests slow.
  if (over.empty()) image.bytes.resize(log->End() + 100);
  return image;
}

bool IsPrefix(const std::vector<Entry>& part, const std::vector<Entry>& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

void ExpectNamesPathAndOffset(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  const std::string message(status.message());
  EXPECT_NE(message.find(kPath), std::string::npos) << message;
  EXPECT_NE(message.find("offset"), std::string::npos) << message;
}

class LogTest : public ::testing::TestWithParam<bool> {
 protected:
  const bool synced_ = GetParam();
};

INSTANTIATE_TEST_SUITE_P(Synced, LogTest, ::testing::Bool());

TEST_P(LogTest, RoundTrip) {
  SimulatedFileSystem fs = NewDisk();
  const LogHeader header{.generation = kGeneration,
                         .previous_generation = 5,
                         .previous_end = 12345,
                         .synced = synced_};
  auto log = Writer::Start(fs, kPath, header);
  ASSERT_TRUE(log.ok()) << log.status();
  Random random(1);
  std::vector<Entry> entries;
  uint64_t next = 1;
  // Beyond the buffer (64 KiB) and the zero fill (1 MiB), and very small.
  for (const size_t size : {1, 20, 200'000, 3, 1'500'000, 65'536 - 24, 1}) {
    const auto count = static_cast<uint32_t>(1 + random.Below(5));
    entries.push_back({next, count, random.Bytes(size)});
    next += count;
    ASSERT_TRUE(Append(*log, entries.back()).ok());
    if (synced_) {
      ASSERT_TRUE(log->Sync().ok());
    }
  }
  ASSERT_TRUE(log->WriteOut().ok());
  for (const bool sealed : {false, true}) {
    if (sealed) {
      ASSERT_TRUE(log->Seal(next).ok());
    }
    const auto read = Read(fs);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE(read->entries == entries);
    EXPECT_TRUE(read->summary.started);
    EXPECT_EQ(read->summary.sealed, sealed);
    EXPECT_EQ(read->summary.end, log->End());
    EXPECT_EQ(read->summary.next, next);
    EXPECT_EQ(read->summary.header.previous_generation, 5u);
    EXPECT_EQ(read->summary.header.previous_end, 12345u);
    EXPECT_EQ(read->summary.header.synced, synced_);
  }
}

TEST_P(LogTest, TornTailAtEveryLengthLosesTheLastRecordOnly) {
  const std::vector<Entry> entries = MakeEntries(4, 40, 2);
  const Image image = Write(entries, synced_, /*seal=*/false);
  const uint64_t begin = image.ends[image.ends.size() - 2];
  const uint64_t end = image.ends.back();
  const std::vector<Entry> kept(entries.begin(), entries.end() - 1);
  for (uint64_t length = begin; length < end; ++length) {
    const std::string head = image.bytes.substr(0, length);
    Random random(length);
    for (const std::string& tail : {std::string(), std::string(600, '\0'), random.Bytes(600)}) {
      const auto read = Read(DiskWith(head + tail));
      ASSERT_TRUE(read.ok()) << length << ": " << read.status();
      EXPECT_TRUE(read->entries == kept) << length;
      EXPECT_EQ(read->summary.end, begin);
      EXPECT_EQ(read->summary.next, entries.back().first);
    }
  }
}

TEST_P(LogTest, EveryFlippedBitOfASealedLogIsAnErrorOrShowsInItsEnd) {
  const std::vector<Entry> entries = MakeEntries(3, 30, 3);
  const Image image = Write(entries, synced_, /*seal=*/true);
  SimulatedFileSystem fs = DiskWith(image.bytes);
  for (uint64_t offset = 0; offset < image.bytes.size(); ++offset) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      ASSERT_TRUE(fs.FlipBit(kPath, offset, bit).ok());
      const auto read = Read(fs);
      if (!read.ok()) {
        EXPECT_LT(offset, image.ends.back());
        ExpectNamesPathAndOffset(read.status());
      } else {
        // The seal alone may go without an error here: the manifest knows where it ended.
        EXPECT_TRUE(read->entries == entries) << offset << "." << bit;
        const bool whole = read->summary.sealed && read->summary.end == image.ends.back();
        EXPECT_EQ(whole, offset >= image.ends.back()) << offset << "." << bit;
        EXPECT_GE(offset, image.ends[image.ends.size() - 2]) << offset << "." << bit;
      }
      ASSERT_TRUE(fs.FlipBit(kPath, offset, bit).ok());
    }
  }
}

TEST_P(LogTest, EveryFlippedBitOfAnOpenLogIsAnErrorOrATornTail) {
  const std::vector<Entry> entries = MakeEntries(3, 30, 4);
  const Image image = Write(entries, synced_, /*seal=*/false);
  SimulatedFileSystem fs = DiskWith(image.bytes);
  for (uint64_t offset = 0; offset < image.bytes.size(); ++offset) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      ASSERT_TRUE(fs.FlipBit(kPath, offset, bit).ok());
      const auto read = Read(fs);
      if (!read.ok()) {
        ExpectNamesPathAndOffset(read.status());
      } else {
        EXPECT_TRUE(IsPrefix(read->entries, entries)) << offset << "." << bit;
        // In a log whose records were synced one by one only the last can be a torn tail.
        if (synced_) {
          EXPECT_GE(read->entries.size() + 1, entries.size()) << offset << "." << bit;
        }
      }
      ASSERT_TRUE(fs.FlipBit(kPath, offset, bit).ok());
    }
  }
}

TEST_P(LogTest, TruncatedSealedLogEndsEarlyAndIsNotSealed) {
  const std::vector<Entry> entries = MakeEntries(3, 30, 5);
  const Image image = Write(entries, synced_, /*seal=*/true);
  for (uint64_t length = 0; length < image.ends.back(); ++length) {
    const auto read = Read(DiskWith(image.bytes.substr(0, length)));
    ASSERT_TRUE(read.ok()) << length << ": " << read.status();
    EXPECT_EQ(read->summary.started, length >= kLogHeaderBytes);
    EXPECT_FALSE(read->summary.sealed);
    EXPECT_LT(read->summary.end, image.ends.back());
    EXPECT_TRUE(IsPrefix(read->entries, entries));
  }
}

// RocksDB #6351, #12403: a recycled log's stale tail taken for data. All records have one size, so
// an old record begins exactly where the new log ends.
TEST_P(LogTest, RecycledLogNeverShowsStaleRecords) {
  const std::vector<Entry> old_entries = MakeEntries(6, 40, 6);
  for (const bool old_sealed : {false, true}) {
    const Image old_image = Write(old_entries, synced_, old_sealed, kGeneration - 1);
    for (size_t count = 0; count <= 8; ++count) {
      const std::vector<Entry> entries = MakeEntries(count, 40, 100 + count);
      for (const bool sealed : {false, true}) {
        const Image image = Write(entries, synced_, sealed, kGeneration, old_image.bytes);
        const auto read = Read(DiskWith(image.bytes));
        ASSERT_TRUE(read.ok()) << read.status();
        EXPECT_TRUE(read->entries == entries);
        EXPECT_EQ(read->summary.sealed, sealed);
        EXPECT_EQ(read->summary.end, image.ends.back());
        // The log before it is not to be found in this file any more.
        EXPECT_FALSE(Read(DiskWith(image.bytes), kGeneration - 1).value_or(Log()).summary.started);
        if (sealed || count == 0) continue;
        // Nor are stale records behind a torn tail a sign of damage.
        SimulatedFileSystem torn = DiskWith(image.bytes);
        ASSERT_TRUE(torn.FlipBit(kPath, image.ends.back() - 1, 0).ok());
        const auto rest = Read(torn);
        ASSERT_TRUE(rest.ok()) << rest.status();
        EXPECT_EQ(rest->entries.size(), count - 1);
      }
    }
  }
}

TEST_P(LogTest, RecycledBeforeItsHeaderIsALogThatHasNotStarted) {
  const Image old_image = Write(MakeEntries(6, 40, 7), synced_, true, kGeneration - 1);
  const auto read = Read(DiskWith(old_image.bytes));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_FALSE(read->summary.started);
  EXPECT_TRUE(read->entries.empty());
}

TEST_P(LogTest, RecordOfAnotherPlaceDoesNotPass) {
  const std::vector<Entry> entries = MakeEntries(3, 40, 8);
  const Image image = Write(entries, synced_, /*seal=*/true);
  // The second record in the place of the third.
  std::string bytes = image.bytes;
  bytes.replace(image.ends[2], image.ends[3] - image.ends[2], image.bytes, image.ends[1],
                image.ends[2] - image.ends[1]);
  ExpectNamesPathAndOffset(Read(DiskWith(bytes)).status());
}

TEST_P(LogTest, SequenceNumberAboveTheLargestIsDamage) {
  for (const uint64_t first : {kMaxLogSequence - 1, kMaxLogSequence, ~uint64_t{0}}) {
    SimulatedFileSystem fs = NewDisk();
    auto log = Writer::Start(fs, kPath, Header(synced_));
    EXPECT_TRUE(log->AppendRecord(first, 2, [](std::string* to) { to->append("x"); }).ok());
    EXPECT_TRUE(log->Sync().ok());
    EXPECT_EQ(absl::IsDataLoss(Read(fs).status()), first >= kMaxLogSequence) << first;
  }
}

TEST_P(LogTest, NewerVersionIsRefused) {
  LogHeader header = Header(synced_);
  header.version = kLogVersion + 1;
  const auto read = Read(DiskWith(header.Encode() + std::string(500, '\0')));
  EXPECT_EQ(read.status().code(), absl::StatusCode::kFailedPrecondition) << read.status();
  EXPECT_NE(std::string(read.status().message()).find(kPath), std::string::npos);
}

TEST_P(LogTest, ErrorOfTheVisitorEndsTheReading) {
  SimulatedFileSystem fs = DiskWith(Write(MakeEntries(3, 10, 9), synced_, true).bytes);
  int visits = 0;
  const auto read = ReadLog(fs, kPath, kGeneration, [&](const LogRecord&) {
    return ++visits == 2 ? absl::AbortedError("enough") : absl::OkStatus();
  });
  EXPECT_EQ(read.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(visits, 2);
}

// What was written before the fault stays; what came with it or after is refused with its error.
TEST_P(LogTest, FirstErrorPoisonsTheWriter) {
  for (const Fault fault : {Fault::kSyncFailure, Fault::kShortWrite, Fault::kNoSpace}) {
    if (fault == Fault::kNoSpace && !synced_) continue;  // next_log_test.cc
    SimulatedFileSystem fs = NewDisk();
    auto log = Writer::Start(fs, kPath, Header(synced_));
    ASSERT_TRUE(log.ok() && fs.SyncDirectory("/store").ok());
    const std::vector<Entry> entries = MakeEntries(3, 40, 10);
    ASSERT_TRUE(Append(*log, entries[0]).ok() && log->Sync().ok());
    fs.FailAfter(0, fault);
    ASSERT_TRUE(Append(*log, entries[1]).ok());
    const absl::Status error = log->Sync();
    ASSERT_FALSE(error.ok());
    ASSERT_EQ(fs.faults_injected(), 1u);
    EXPECT_EQ(Append(*log, entries[2]), error);
    EXPECT_EQ(log->WriteOut(), error);
    EXPECT_EQ(log->Sync(), error);
    EXPECT_EQ(log->Seal(4), error);
    ForEachCrash(fs, 8, [&](SimulatedFileSystem crashed, const std::string& label) {
      const auto read = Read(crashed);
      ASSERT_TRUE(read.ok()) << label << ": " << read.status() << "\n" << fs.Trace();
      EXPECT_GE(read->entries.size(), 1u) << label << "\n" << fs.Trace();
      EXPECT_TRUE(IsPrefix(read->entries, {entries[0], entries[1]})) << label;
    });
  }
}

struct Acknowledged {
  bool started = false;
  size_t synced = 0;  // records that a Sync covered
  bool sealed = false;
};

// Over a new file and over a recycled one, every moment and every outcome.
TEST_P(LogTest, CrashesKeepAPrefixWithAllThatWasSynced) {
  const std::vector<Entry> entries = MakeEntries(6, 300, 11);
  for (const bool recycled : {false, true}) {
    const SimulatedFileSystem start =
        recycled ? DiskWith(Write(MakeEntries(5, 300, 12), synced_, true, kGeneration - 1).bytes)
                 : NewDisk();
    const auto run = [&](SimulatedFileSystem fs) {
      Acknowledged done;
      auto log = Writer::Start(fs, kPath, Header(synced_));
      if (!log.ok() || !fs.SyncDirectory("/store").ok()) return done;
      done.started = true;
      for (size_t i = 0; i < entries.size(); ++i) {
        if (!Append(*log, entries[i]).ok()) return done;
        // Unsynced logs are synced now and then all the same, for Flush.
        const bool sync = synced_ || i == 3;
        if (!(sync ? log->Sync() : log->WriteOut()).ok()) return done;
        if (sync) done.synced = i + 1;
      }
      done.sealed = log->Seal(entries.size() + 1).ok();
      return done;
    };
    const auto check = [&](SimulatedFileSystem crashed, const Acknowledged& done,
                           const std::string& label) {
      if (!crashed.Exists(kPath)) {
        EXPECT_FALSE(done.started) << label;
        return;
      }
      const auto read = Read(crashed);
      ASSERT_TRUE(read.ok()) << label << ": " << read.status();
      if (done.started) {
        EXPECT_TRUE(read->summary.started) << label;
      }
      EXPECT_TRUE(IsPrefix(read->entries, entries)) << label;
      EXPECT_GE(read->entries.size(), done.synced) << label;
      if (!done.sealed) return;
      EXPECT_TRUE(read->summary.sealed) << label;
      EXPECT_EQ(read->entries.size(), entries.size()) << label;
    };
    // A new synced log is a mebibyte of zeros, so fewer of them.
    ForEachCrashPoint(start, recycled || !synced_ ? 10 : 1, run, check);
  }
}

}  // namespace
}  // namespace kv
