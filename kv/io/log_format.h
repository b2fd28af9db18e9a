// The bytes of a write-ahead log.
//
//   log    := header record* tail
//   header := magic:8 "ashlrlog"  version:u32  flags:u32  generation:u64
//             previous_generation:u64  previous_end:u64  zeros:16  checksum:u64     (64 bytes)
//   flags  := synced:1  zeros:7  codec:8  zeros:16                          (lowest bit first)
//   record := checksum:u64  size:u32  marks:u32  first:u64  payload[size]           (24 + size)
//   marks  := count:30  joined:1  packed:1                                  (lowest bit first)
//   packed payload := raw_size:varint  bytes of the codec
//
//   generation  the log's number in its store. A log file is reused for later logs (overwriting in
//               place spares the file system an allocation in each sync), so what follows the last
//               record may be records of an earlier generation.
//   previous_*  the log before this one and the offset at which it was sealed; 0 if it had none to
//               follow. A reader that finds the previous log shorter than that has found a loss.
//   synced      each write to the file was synced before the next ("synced log").
//   codec       how packed payloads are compressed: an id of kv/compression/concept.h, which is
//               above this layer; 0 where there are none. A program that does not have the codec
//               refuses the log if there are packed records in it.
//   checksum    of everything after it in the header or record, seeded with the generation and the
//               offset: a record of another generation or at another place does not pass.
//   count       entries in the payload (kv/contract/write_batch.h), numbered first, first + 1, ...
//   joined      something ahead of this record may not have been durable when the record was
//               written: it shared its write with the record before it, or, in a log that is not
//               synced, a sync was due. Where not joined, all ahead of it was durable by then.
//   packed      the payload is compressed. Done where it is at least 512 bytes and saves an eighth.
//   seal        a record with count 0 and size 0: nothing follows; `first` is the next sequence
//               number. Written when the log is closed, after all before it has been synced.
//
// A group of writes is one record, so a crash keeps the group or loses it.
//
// Where reading stops at an invalid record, what follows tells a torn tail from damage: a crash can
// leave no record behind an invalid one but such as are joined. If there is another, or a seal, a
// byte was damaged after it had become durable, and reading fails.
//
// Versions: 1 had neither joined nor packed records, nor a codec. This program writes and reads 2.
#ifndef KV_IO_LOG_FORMAT_H_
#define KV_IO_LOG_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"

namespace kv {

inline constexpr std::string_view kLogMagic = "ashlrlog";
inline constexpr uint32_t kLogVersion = 2;
inline constexpr uint32_t kLogSyncedFlag = 1;
inline constexpr uint32_t kLogCodecShift = 8;
inline constexpr size_t kLogHeaderBytes = 64;
inline constexpr size_t kLogRecordHeaderBytes = 24;
// Sequence numbers have 56 bits (kv/contract/record.h, which is above this layer).
inline constexpr uint64_t kMaxLogSequence = (uint64_t{1} << 56) - 1;
// Before they are packed.
inline constexpr uint64_t kMaxLogPayloadBytes = uint64_t{1} << 30;
inline constexpr uint32_t kLogJoinedMark = uint32_t{1} << 30;
inline constexpr uint32_t kLogPackedMark = uint32_t{1} << 31;
inline constexpr uint32_t kLogCountMask = kLogJoinedMark - 1;
inline constexpr size_t kMinPackedPayloadBytes = 512;

// How payloads are packed: the interface of kv/compression/concept.h, whose models are the ones to
// use. This one packs nothing, and its functions are never called.
struct NoLogCodec {
  static constexpr uint8_t kId = 0;
  static absl::Status Compress(std::string_view bytes, std::string* out);
  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t expected_size);
};

struct LogHeader {
  uint64_t generation = 0;
  uint64_t previous_generation = 0;
  uint64_t previous_end = 0;
  uint32_t version = kLogVersion;
  bool synced = false;
  uint8_t codec = 0;

  std::string Encode() const {
    std::string bytes(kLogMagic);
    AppendFixed32(&bytes, version);
    AppendFixed32(&bytes, (synced ? kLogSyncedFlag : 0) | uint32_t{codec} << kLogCodecShift);
    AppendFixed64(&bytes, generation);
    AppendFixed64(&bytes, previous_generation);
    AppendFixed64(&bytes, previous_end);
    bytes.resize(kLogHeaderBytes - 8);
    AppendFixed64(&bytes, Checksum(bytes, 0));
    return bytes;
  }

  // False when `bytes` do not begin with an intact header.
  bool Decode(std::string_view bytes) {
    if (bytes.size() < kLogHeaderBytes || !bytes.starts_with(kLogMagic)) return false;
    const std::string_view body = bytes.substr(0, kLogHeaderBytes - 8);
    if (LoadFixed64(bytes.data() + body.size()) != Checksum(body, 0)) return false;
    version = LoadFixed32(bytes.data() + 8);
    const uint32_t flags = LoadFixed32(bytes.data() + 12);
    synced = (flags & kLogSyncedFlag) != 0;
    codec = static_cast<uint8_t>(flags >> kLogCodecShift);
    generation = LoadFixed64(bytes.data() + 16);
    previous_generation = LoadFixed64(bytes.data() + 24);
    previous_end = LoadFixed64(bytes.data() + 32);
    return true;
  }
};

inline uint64_t LogRecordSeed(uint64_t generation, uint64_t offset) {
  return (generation * 0x9e3779b97f4a7c15) ^ offset;
}

struct LogRecord {
  uint64_t first = 0;
  uint32_t count = 0;
  bool joined = false;
  bool packed = false;
  std::string_view payload;  // as it is stored

  bool IsSeal() const { return count == 0; }
  size_t Bytes() const { return kLogRecordHeaderBytes + payload.size(); }

  // False when there is no intact record of `generation` at `offset` of `log`.
  bool Decode(std::string_view log, uint64_t offset, uint64_t generation) {
    if (offset > log.size() || log.size() - offset < kLogRecordHeaderBytes) return false;
    const char* const header = log.data() + offset;
    const uint32_t size = LoadFixed32(header + 8);
    const uint32_t marks = LoadFixed32(header + 12);
    count = marks & kLogCountMask;
    joined = (marks & kLogJoinedMark) != 0;
    packed = (marks & kLogPackedMark) != 0;
    first = LoadFixed64(header + 16);
    if (size > log.size() - offset - kLogRecordHeaderBytes) return false;
    if ((size == 0) != (count == 0)) return false;
    payload = std::string_view(header + kLogRecordHeaderBytes, size);
    return LoadFixed64(header) ==
           Checksum(std::string_view(header + 8, kLogRecordHeaderBytes - 8 + size),
                    LogRecordSeed(generation, offset));
  }
};

}  // namespace kv

#endif  // KV_IO_LOG_FORMAT_H_
