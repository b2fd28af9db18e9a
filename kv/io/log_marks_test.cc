// The marks of log records: joined (what a crash may leave, and what only damage can) and packed.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
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

// Runs of one byte: enough to see compression work. It wears an id of its own.
struct RunLengthCodec {
  static constexpr uint8_t kId = 77;
  static absl::Status Compress(std::string_view bytes, std::string* out) {
    out->clear();
    for (size_t i = 0; i < bytes.size();) {
      size_t length = 1;
      while (i + length < bytes.size() && length < 255 && bytes[i + length] == bytes[i]) ++length;
      out->push_back(static_cast<char>(length));
      out->push_back(bytes[i]);
      i += length;
    }
    return absl::OkStatus();
  }
  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t expected_size) {
    out->clear();
    if (bytes.size() % 2 != 0) return absl::DataLossError("half a run");
    for (size_t i = 0; i < bytes.size(); i += 2) {
      out->append(static_cast<uint8_t>(bytes[i]), bytes[i + 1]);
    }
    return out->size() == expected_size ? absl::OkStatus() : absl::DataLossError("another size");
  }
};

struct OtherCodec : RunLengthCodec {
  static constexpr uint8_t kId = 78;
};

const std::string kPath = "/store/000007.log";
constexpr uint64_t kGeneration = 7;

SimulatedFileSystem NewDisk() {
  SimulatedFileSystem fs;
  EXPECT_TRUE(fs.CreateDirectories("/store").ok());
  return fs;
}

SimulatedFileSystem DiskWith(const std::string& bytes) {
  SimulatedFileSystem fs = NewDisk();
  auto file = fs.Create(kPath);
  EXPECT_TRUE(file.ok() && file->Append(bytes).ok() && file->Sync().ok());
  EXPECT_TRUE(fs.SyncDirectory("/store").ok());
  return fs;
}

struct Log {
  LogSummary summary;
  std::vector<std::string> payloads;
};

template <typename Codec = NoLogCodec>
absl::StatusOr<Log> Read(SimulatedFileSystem fs) {
  Log log;
  KV_ASSIGN_OR_RETURN(log.summary,
                      ReadLog<Codec>(fs, kPath, kGeneration, [&](const LogRecord& record) {
                        log.payloads.emplace_back(record.payload);
                        return absl::OkStatus();
                      }));
  return log;
}

template <typename Writer>
absl::Status Append(Writer& log, uint64_t number, std::string_view payload) {
  return log.AppendRecord(number, 1, [&](std::string* to) { to->append(payload); });
}

LogHeader Header(bool synced) { return {.generation = kGeneration, .synced = synced}; }

std::string Payload(uint64_t number) { return Random(number).Bytes(20 + number * 37 % 300); }

bool IsPrefix(const std::vector<std::string>& payloads) {
  for (size_t i = 0; i < payloads.size(); ++i) {
    if (payloads[i] != Payload(i + 1)) return false;
  }
  return true;
}

// Three records in each write, and each write synced before the next: a torn write may leave its
// last record whole and its first not.
TEST(LogMarks, TornWritesOfSeveralRecordsAreNoDamage) {
  const SimulatedFileSystem start = DiskWith(std::string(4096, 'x'));
  const auto run = [](SimulatedFileSystem fs) {
    uint64_t durable = 0;
    auto log = LogWriter<SimulatedFileSystem>::Start(fs, kPath, Header(/*synced=*/true));
    for (uint64_t number = 1; log.ok() && number <= 12; ++number) {
      if (!Append(*log, number, Payload(number)).ok()) break;
      if (number % 3 != 0) continue;
      if (!log->WriteOut().ok() || !log->SyncFile().ok()) break;
      durable = number;
    }
    return durable;
  };
  bool torn = false;
  ForEachCrashPoint(start, 20, run,
                    [&](SimulatedFileSystem crashed, uint64_t durable, const std::string& label) {
                      const auto read = Read(crashed);
                      ASSERT_TRUE(read.ok()) << label << ": " << read.status();
                      EXPECT_TRUE(IsPrefix(read->payloads)) << label;
                      EXPECT_GE(read->payloads.size(), durable) << label;
                      torn |= read->payloads.size() % 3 != 0;
                    });
  EXPECT_TRUE(torn);
}

// The search for what damage hides goes over zeros in strides: it must not step over a record.
TEST(LogMarks, RecordBehindZerosIsFoundAtEveryDistance) {
  for (size_t bytes = 1; bytes < 40; ++bytes) {
    SimulatedFileSystem fs = NewDisk();
    auto log = LogWriter<SimulatedFileSystem>::Start(fs, kPath, Header(/*synced=*/true));
    ASSERT_TRUE(log.ok());
    ASSERT_TRUE(Append(*log, 1, Random(bytes).Bytes(bytes)).ok() && log->Sync().ok());
    const uint64_t first_end = log->End();
    ASSERT_TRUE(Append(*log, 2, "behind").ok() && log->Sync().ok());
    std::string image = fs.Contents(kPath)->substr(0, log->End() + 100);
    image.replace(kLogHeaderBytes, first_end - kLogHeaderBytes, first_end - kLogHeaderBytes, '\0');
    EXPECT_TRUE(absl::IsDataLoss(Read(DiskWith(image)).status())) << bytes;
  }
}

// A bit that changes in a write that another followed is an error, in the last one perhaps not.
TEST(LogMarks, DamageBeforeTheLastWriteIsFound) {
  for (const bool synced : {false, true}) {
    SimulatedFileSystem fs = NewDisk();
    auto log = LogWriter<SimulatedFileSystem>::Start(fs, kPath, Header(synced));
    ASSERT_TRUE(log.ok());
    uint64_t last_write = 0;
    for (uint64_t number = 1; number <= 6; ++number) {
      if (number % 3 == 1) last_write = log->End();
      ASSERT_TRUE(Append(*log, number, Payload(number)).ok());
      if (number % 3 == 0) {
        ASSERT_TRUE(log->WriteOut().ok() && log->SyncFile().ok());
      }
    }
    std::string bytes = *fs.Contents(kPath);
    bytes.resize(log->End() + 50);
    SimulatedFileSystem copy = DiskWith(bytes);
    for (uint64_t offset = 0; offset < log->End(); ++offset) {
      ASSERT_TRUE(copy.FlipBit(kPath, offset, offset % 8).ok());
      const auto read = Read(copy);
      if (offset < last_write) {
        EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss) << offset;
      } else if (read.ok()) {
        EXPECT_TRUE(IsPrefix(read->payloads)) << offset;
        EXPECT_GE(read->payloads.size(), 3u) << offset;
      }
      ASSERT_TRUE(copy.FlipBit(kPath, offset, offset % 8).ok());
    }
  }
}

TEST(LogMarks, SyncFileRunsBesideTheWriter) {
  for (const bool synced : {false, true}) {
    SimulatedFileSystem fs = NewDisk();
    auto log = LogWriter<SimulatedFileSystem>::Start(fs, kPath, Header(synced));
    ASSERT_TRUE(log.ok());
    std::jthread syncer([&](std::stop_token stop) {
      while (!stop.stop_requested()) EXPECT_TRUE(log->SyncFile().ok());
    });
    for (uint64_t number = 1; number <= 300; ++number) {
      EXPECT_TRUE(Append(*log, number, Payload(number)).ok());
      EXPECT_LE(log->Durable(), log->End());
      if (number % 7 == 0) {
        EXPECT_TRUE(log->WriteOut().ok());
      }
    }
    syncer.request_stop();
    syncer.join();
    EXPECT_TRUE(log->Sync().ok());
    EXPECT_EQ(log->Durable(), log->End());
    const auto read = Read(fs);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->payloads.size(), 300u);
    EXPECT_TRUE(IsPrefix(read->payloads));
  }
}

// A failed sync in one thread is what the writer in another hears.
TEST(LogMarks, FailedSyncFilePoisonsTheWriter) {
  SimulatedFileSystem fs = NewDisk();
  auto log = LogWriter<SimulatedFileSystem>::Start(fs, kPath, Header(/*synced=*/true));
  ASSERT_TRUE(log.ok() && Append(*log, 1, "payload").ok() && log->WriteOut().ok());
  fs.FailAfter(0, Fault::kSyncFailure);
  absl::Status error;
  std::thread([&] { error = log->SyncFile(); }).join();
  EXPECT_FALSE(error.ok());
  EXPECT_LT(log->Durable(), log->End());
  EXPECT_EQ(Append(*log, 2, "payload"), error);
  EXPECT_EQ(log->WriteOut(), error);
  EXPECT_EQ(log->SyncFile(), error);
}

// --- Packed ------------------------------------------------------------------------------------

using PackingWriter = LogWriter<SimulatedFileSystem, RunLengthCodec>;

uint64_t BytesOf(PackingWriter& log, uint64_t number, std::string_view payload) {
  const uint64_t begin = log.End();
  EXPECT_TRUE(Append(log, number, payload).ok());
  return log.End() - begin - kLogRecordHeaderBytes;
}

TEST(LogMarks, PayloadsArePackedWhereThatPays) {
  SimulatedFileSystem fs = NewDisk();
  auto log = PackingWriter::Start(fs, kPath, Header(/*synced=*/false));
  ASSERT_TRUE(log.ok());
  const std::string large = std::string(300'000, 'a') + Random(1).Bytes(5000);
  const std::vector<std::string> payloads = {std::string(511, 'a'), std::string(512, 'a'),
                                             Random(2).Bytes(512), large, "end"};
  EXPECT_EQ(BytesOf(*log, 1, payloads[0]), 511u);  // too short
  EXPECT_EQ(BytesOf(*log, 2, payloads[1]), 2u + 3 * 2);
  EXPECT_EQ(BytesOf(*log, 3, payloads[2]), 512u);  // would grow
  EXPECT_LT(BytesOf(*log, 4, payloads[3]), 13'000u);
  EXPECT_EQ(BytesOf(*log, 5, payloads[4]), 3u);
  ASSERT_TRUE(log->Seal(6).ok());
  const auto read = Read<RunLengthCodec>(fs);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->payloads, payloads);
  EXPECT_TRUE(read->summary.sealed);
  EXPECT_EQ(read->summary.end, log->End());

  // A program without the codec says so, whether or not it packs itself.
  EXPECT_EQ(Read(fs).status().code(), absl::StatusCode::kFailedPrecondition);
  const absl::Status other = Read<OtherCodec>(fs).status();
  EXPECT_EQ(other.code(), absl::StatusCode::kFailedPrecondition);
  for (const std::string& part : {kPath, std::string("codec 77"), std::string("codec 78")}) {
    EXPECT_NE(std::string(other.message()).find(part), std::string::npos) << other;
  }
}

TEST(LogMarks, ProgramWithACodecReadsLogsWithoutOne) {
  SimulatedFileSystem fs = NewDisk();
  auto log = LogWriter<SimulatedFileSystem>::Start(fs, kPath, Header(/*synced=*/false));
  ASSERT_TRUE(log.ok() && Append(*log, 1, std::string(600, 'a')).ok() && log->Sync().ok());
  const auto read = Read<RunLengthCodec>(fs);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->payloads, std::vector<std::string>{std::string(600, 'a')});
}

// What was never packed needs no codec.
TEST(LogMarks, ProgramWithoutTheCodecReadsShortPayloads) {
  SimulatedFileSystem fs = NewDisk();
  auto log = PackingWriter::Start(fs, kPath, Header(/*synced=*/false));
  ASSERT_TRUE(log.ok() && Append(*log, 1, "short").ok() && log->Sync().ok());
  const auto read = Read(fs);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->payloads, std::vector<std::string>{"short"});
}

// A log with one packed record that passes its checksum, whatever `payload` is.
std::string HostileLog(std::string_view payload, uint8_t codec = RunLengthCodec::kId) {
  std::string log = LogHeader{.generation = kGeneration, .codec = codec}.Encode();
  std::string record;
  AppendFixed32(&record, static_cast<uint32_t>(payload.size()));
  AppendFixed32(&record, 1 | kLogPackedMark);
  AppendFixed64(&record, 1);
  record.append(payload);
  AppendFixed64(&log, Checksum(record, LogRecordSeed(kGeneration, kLogHeaderBytes)));
  return log + record;
}

TEST(LogMarks, HostilePackedPayloadsAreRefused) {
  std::string honest;
  AppendVarint64(&honest, 3);
  honest +=
      "\x03"
      "a";
  ASSERT_TRUE(Read<RunLengthCodec>(DiskWith(HostileLog(honest))).ok());
  std::string huge;
  AppendVarint64(&huge, uint64_t{1} << 60);
  const std::vector<std::string> payloads = {
      std::string(1, '\xff'),         // a size without an end
      std::string(11, '\xff'),        // a size with too many bytes
      huge + "\x03" + "a",            // more than any payload has
      "\x04\x03" + std::string("a"),  // another size than the bytes have
      "\x03\x03",                     // not of the codec
  };
  for (const std::string& payload : payloads) {
    const absl::Status status = Read<RunLengthCodec>(DiskWith(HostileLog(payload))).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_NE(std::string(status.message()).find(kPath), std::string::npos) << status;
    EXPECT_NE(std::string(status.message()).find("offset 64"), std::string::npos) << status;
  }
  // Packed, in a log that names no codec.
  EXPECT_EQ(Read(DiskWith(HostileLog(honest, NoLogCodec::kId))).status().code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace kv
