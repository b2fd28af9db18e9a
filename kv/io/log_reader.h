// Reads one write-ahead log back (format, and how damage is told from a torn tail: log_format.h).
//
// Thread safety: a function; nothing shared.
#ifndef KV_IO_LOG_READER_H_
#define KV_IO_LOG_READER_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "kv/base/status.h"
#include "kv/io/file_system.h"
#include "kv/io/log_format.h"

namespace kv {

struct LogSummary {
  // False: the file holds no log of the generation that was asked for. It was created or recycled
  // for it, and the header never became durable, so nothing in it was acknowledged.
  bool started = false;
  bool sealed = false;
  LogHeader header;
  uint64_t end = 0;   // offset after the last record (after the seal, in a sealed log)
  uint64_t next = 0;  // one after the last sequence number in it; 0 when it has none
};

// Which intact records behind an invalid one a crash can not explain: any (the header is durable
// before there are records), or those that are not joined to what is ahead of them.
enum class Unexplained { kAnyRecord, kUnjoinedRecord };

// Whether an intact record that a crash cannot explain lies behind offset `from`. The cheap test on
// the sequence number comes first: this looks at each offset, for lengths cannot be trusted here.
// No record begins with sequence number 0, which the zeros ahead of the records would be full of.
inline bool RecordBehindDamage(std::string_view log, uint64_t from, uint64_t generation,
                               uint64_t next, Unexplained unexplained) {
  next = std::max<uint64_t>(next, 1);
  for (uint64_t offset = from + 1; offset + kLogRecordHeaderBytes <= log.size(); ++offset) {
    const uint64_t first = LoadFixed64(log.data() + offset + 16);
    if (first == 0) {  // to the first offset whose number holds a byte that is not zero
      offset = SkipZeros(log, offset + 24) - 24;
      continue;
    }
    if (first < next || first > kMaxLogSequence) continue;
    LogRecord record;
    if (!record.Decode(log, offset, generation)) continue;
    if (unexplained == Unexplained::kAnyRecord || record.IsSeal() || !record.joined) return true;
  }
  return false;
}

// Puts what is packed in the record into `scratch` and makes it the record's payload. `codec` is
// the log's.
template <typename Codec>
absl::Status UnpackLogRecord(uint8_t codec, LogRecord* record, std::string* scratch) {
  if (!record->packed) return absl::OkStatus();
  if (codec == NoLogCodec::kId)
    return absl::DataLossError("packed record in a log without a codec");
  if (codec != Codec::kId) {
    return absl::FailedPreconditionError(
        fmt::format("records are compressed with codec {}, and this program reads codec {}", codec,
                    Codec::kId));
  }
  if constexpr (Codec::kId != NoLogCodec::kId) {
    std::string_view packed = record->payload;
    uint64_t raw_size = 0;
    if (!TakeVarint64(&packed, &raw_size) || raw_size > kMaxLogPayloadBytes) {
      return absl::DataLossError("packed payload has no size, or one that is too large");
    }
    KV_RETURN_IF_ERROR(Codec::Decompress(packed, scratch, raw_size));
    record->payload = *scratch;
    record->packed = false;
  }
  return absl::OkStatus();
}

// `error`, met at `offset` of `path`, with these in its message.
inline absl::Status InLog(const absl::Status& error, const std::string& path, uint64_t offset) {
  const std::string what(error.message());
  if (absl::IsDataLoss(error)) return Corruption(path, offset, what);
  return absl::Status(error.code(), fmt::format("{}: offset {}: {}", path, offset, what));
}

// Reads the log of `generation` at `path` and calls visit(const LogRecord&) -> absl::Status for
// each record, in order; its payload is unpacked and lives during the call. O(file size).
//
// Errors: kDataLoss with path and offset for damage; kFailedPrecondition for a newer format, or
// records that are packed with another codec than `Codec`; those of the file system and of `visit`.
template <typename Codec = NoLogCodec, FileSystem Files, typename Visitor>
absl::StatusOr<LogSummary> ReadLog(Files& files, const std::string& path, uint64_t generation,
                                   Visitor&& visit) {
  KV_ASSIGN_OR_RETURN(const auto file, files.OpenForRead(path));
  KV_ASSIGN_OR_RETURN(const std::string_view log, file.Map());
  LogSummary summary;
  if (!summary.header.Decode(log) || summary.header.generation != generation) {
    // A log of this generation has records behind its header: then the header was damaged.
    if (RecordBehindDamage(log, 0, generation, 1, Unexplained::kAnyRecord)) {
      return Corruption(path, 0, "log header does not match its checksum or generation");
    }
    return summary;
  }
  if (summary.header.version > kLogVersion) {
    return absl::FailedPreconditionError(
        fmt::format("{}: log format version {} is newer than this program's {}", path,
                    summary.header.version, kLogVersion));
  }
  summary.started = true;
  uint64_t offset = kLogHeaderBytes;
  std::string scratch;
  LogRecord record;
  while (record.Decode(log, offset, generation)) {
    if (record.first < summary.next) {
      return Corruption(path, offset,
                        fmt::format("sequence number {} follows {}", record.first, summary.next));
    }
    // A seal has the number of the next write, which may be one above the largest.
    if (record.first > kMaxLogSequence + 1 || record.count > kMaxLogSequence + 1 - record.first) {
      return Corruption(path, offset,
                        fmt::format("sequence number {} is above the largest", record.first));
    }
    const uint64_t end = offset + record.Bytes();
    if (record.IsSeal()) {
      summary.sealed = true;
    } else {
      absl::Status unpacked = UnpackLogRecord<Codec>(summary.header.codec, &record, &scratch);
      if (!unpacked.ok()) return InLog(unpacked, path, offset);
      KV_RETURN_IF_ERROR(visit(static_cast<const LogRecord&>(record)));
    }
    summary.next = record.first + record.count;
    offset = end;
    if (summary.sealed) break;
  }
  summary.end = offset;
  if (!summary.sealed &&
      RecordBehindDamage(log, offset, generation, summary.next, Unexplained::kUnjoinedRecord)) {
    return Corruption(path, offset, "log record does not match its checksum");
  }
  return summary;
}

}  // namespace kv

#endif  // KV_IO_LOG_READER_H_
