// Fuzzes ReadLog(): any bytes as a write-ahead log.
//
// What comes in: a log file, as it is or with the checksums of its header and records made right,
// so with any sizes, counts, sequence numbers and packed payloads. What must hold: it is refused as
// damage that names the file, or it is read, and then
//   - sequence numbers ascend, and none is above the largest there is;
//   - cut off where it ended, the log reads the same: nothing behind its end counts;
//   - written anew by LogWriter, what was read reads the same.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kv/base/status.h"
#include "kv/io/log_reader.h"
#include "kv/io/log_repair.h"
#include "kv/io/log_writer.h"
#include "kv/testing/exact_files.h"
#include "kv/testing/fuzzing.h"

namespace kv::testing {
namespace {

constexpr uint64_t kGeneration = 3;
constexpr char kPath[] = "/store/000003.log";
constexpr char kAgain[] = "/store/again.log";
// Of payloads that are written anew: a codec makes much of few bytes.
constexpr size_t kMostRewritten = size_t{1} << 20;
constexpr size_t kMostUnpacked = size_t{64} << 10;

// Packs what is one byte over and over. The real codecs are above this layer.
struct RepeatCodec {
  static constexpr uint8_t kId = 77;

  static absl::Status Compress(std::string_view bytes, std::string* out) {
    if (bytes.find_first_not_of(bytes.front()) != std::string_view::npos) {
      return Invalid("not one byte over and over");
    }
    out->assign(1, bytes.front());
    return absl::OkStatus();
  }
  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t expected_size) {
    if (bytes.size() != 1 || expected_size == 0 || expected_size > kMostUnpacked) {
      return absl::DataLossError("not what this codec packs");
    }
    out->assign(expected_size, bytes.front());
    return absl::OkStatus();
  }
};

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

template <typename Codec>
absl::StatusOr<Log> Read(ExactFiles& files, const std::string& path) {
  Log log;
  KV_ASSIGN_OR_RETURN(
      log.summary, ReadLog<Codec>(files, path, kGeneration, [&](const LogRecord& record) {
        log.entries.push_back({record.first, record.count, std::string(record.payload)});
        return absl::OkStatus();
      }));
  return log;
}

template <typename Codec>
std::string Write(const std::vector<Entry>& entries, const LogHeader& header, bool seal,
                  uint64_t next) {
  ExactFiles files;
  auto log = LogWriter<ExactFiles, Codec>::Start(files, kAgain, header);
  RequireOk(log.status(), "a log cannot be started:");
  for (const Entry& entry : entries) {
    RequireOk(log->AppendRecord(entry.first, entry.count,
                                [&](std::string* to) { to->append(entry.payload); }),
              "a record cannot be written:");
    // Some records share their write with the one before, and some do not.
    if (entry.first % 2 == 0) RequireOk(log->WriteOut(), "a log cannot be written out:");
  }
  RequireOk(seal ? log->Seal(next) : log->Sync(), "a log cannot be ended:");
  return files.Contents(kAgain);
}

void CheckOrder(const Log& log, size_t size) {
  uint64_t next = 0;
  for (const Entry& entry : log.entries) {
    Require(entry.count > 0 && entry.first >= next, "sequence numbers do not ascend");
    next = entry.first + entry.count;
    Require(entry.first <= kMaxLogSequence && next <= kMaxLogSequence + 1,
            "a sequence number is above the largest there is");
  }
  Require(log.summary.next >= next && log.summary.next <= kMaxLogSequence + 1,
          "the next sequence number is not behind the last one");
  Require(log.summary.end >= kLogHeaderBytes && log.summary.end <= size,
          "the log ends outside of its file");
}

template <typename Codec>
bool Run(std::string bytes) {
  ExactFiles files;
  files.Set(kPath, bytes);
  const auto log = Read<Codec>(files, kPath);
  if (!log.ok()) {
    RequireRefusal(log.status(), kPath);
    return false;
  }
  const LogSummary& summary = log->summary;
  if (!summary.started) {
    Require(log->entries.empty(), "a log that was not started has records");
    return false;
  }
  CheckOrder(*log, bytes.size());

  bytes.resize(summary.end);
  files.Set(kPath, bytes);
  const auto cut = Read<Codec>(files, kPath);
  RequireOk(cut.status(), "a log that was cut off where it ends is refused:");
  Require(cut->entries == log->entries && cut->summary.end == summary.end &&
              cut->summary.next == summary.next && cut->summary.sealed == summary.sealed,
          "a log that was cut off where it ends reads otherwise");

  size_t total = 0;
  for (const Entry& entry : log->entries) total += entry.payload.size();
  if (total > kMostRewritten) return true;
  files.Set(kAgain,
            Write<Codec>(log->entries, {.generation = kGeneration}, summary.sealed, summary.next));
  const auto again = Read<Codec>(files, kAgain);
  RequireOk(again.status(), "a log that LogWriter wrote is refused:");
  Require(again->entries == log->entries && again->summary.sealed == summary.sealed &&
              again->summary.next == summary.next,
          "a log that was written anew reads otherwise");
  return true;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<Entry> entries;
  for (const size_t size : {size_t{1}, size_t{40}, size_t{600}, size_t{3}}) {
    const uint64_t first = entries.empty() ? 1 : entries.back().first + entries.back().count + 1;
    entries.push_back({first, static_cast<uint32_t>(size % 7 + 1), std::string(size, 'x')});
  }
  const LogHeader unsynced{.generation = kGeneration};
  const LogHeader synced{
      .generation = kGeneration, .previous_generation = 2, .previous_end = 4096, .synced = true};
  std::vector<std::string> seeds;
  for (const bool seal : {false, true}) {
    AddSeeds(0, Write<NoLogCodec>(entries, unsynced, seal, 99), &seeds);
    AddSeeds(1, Write<RepeatCodec>(entries, unsynced, seal, 99), &seeds);
    std::string overwritten = Write<NoLogCodec>(entries, synced, seal, 99);
    overwritten.resize(overwritten.find_last_not_of('\0') + 100);  // of many zeros
    AddSeeds(0, overwritten, &seeds);
  }
  AddSeeds(0, Write<NoLogCodec>({}, synced, false, 1).substr(0, 100), &seeds);
  // Up to the largest sequence number: one more in a count is one too many.
  const std::vector<Entry> last = {{kMaxLogSequence - 7, 4, "x"}, {kMaxLogSequence - 2, 3, "y"}};
  AddSeeds(0, Write<NoLogCodec>(last, unsynced, false, 0), &seeds);
  AddSeeds(1, Write<RepeatCodec>(last, unsynced, true, kMaxLogSequence + 1), &seeds);
  return seeds;
}

bool FuzzRun(std::string_view input) {
  FuzzInput fuzzed(input);
  if (fuzzed.repair) RepairLog(kGeneration, &fuzzed.bytes);
  // The codec that the log says, or none, which refuses what is packed.
  return fuzzed.choice % 2 == 0 ? Run<NoLogCodec>(std::move(fuzzed.bytes))
                                : Run<RepeatCodec>(std::move(fuzzed.bytes));
}

}  // namespace kv::testing
