// The bytes of a segment: a header, and records in the order in which they took effect.
//
//   segment := header record* tail
//   header  := magic:8 "ashlrseg"  version:u32  flags:u32  number:u64  previous_number:u64
//              previous_end:u64  zeros:16  checksum:u64                             (64 bytes)
//   record  := record_format.h; sequence numbers ascend
//
//   number       the segment's, never used twice in its store; a copy of a segment at another
//                number does not pass
//   previous_*   the segment written before this one and the offset at which it ended; 0 in the
//                first one of an open and in what a merge has written
//   flags        bit 0: all that was handed to the file at one time was synced before anything
//                behind it was handed out ("synced")
//   tail         zeros or what a crash left; nothing reads it. Where a sealed segment ends is in
//                the manifest; an unsealed one ends behind its last intact group
//
// Where the records of an unsealed segment stop at an invalid one, what follows tells a torn tail
// from damage: a crash can tear what was handed out last in any order, but in a synced segment it
// can leave nothing behind that. If a record is there that was the first of a later write, a byte
// was damaged after it had been synced, and reading fails.
//
// Thread safety: pure functions.
#ifndef ENGINES_LOG_SEGMENT_FORMAT_H_
#define ENGINES_LOG_SEGMENT_FORMAT_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engines/log/record_format.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/base/status.h"

namespace kv {

inline constexpr std::string_view kSegmentMagic = "ashlrseg";
inline constexpr uint32_t kSegmentVersion = 1;
inline constexpr uint64_t kSegmentHeaderBytes = 64;

struct SegmentHeader {
  uint64_t number = 0;
  uint64_t previous_number = 0;
  uint64_t previous_end = 0;
  bool synced = false;
  uint32_t version = kSegmentVersion;

  std::string Encode() const {
    std::string bytes(kSegmentMagic);
    AppendFixed32(&bytes, version);
    AppendFixed32(&bytes, synced ? 1 : 0);
    AppendFixed64(&bytes, number);
    AppendFixed64(&bytes, previous_number);
    AppendFixed64(&bytes, previous_end);
    bytes.resize(kSegmentHeaderBytes - 8);
    AppendFixed64(&bytes, Checksum(bytes, 0));
    return bytes;
  }

  // False when `bytes` do not begin with an intact header.
  bool Decode(std::string_view bytes) {
    if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kSegmentMagic)) return false;
    const std::string_view body = bytes.substr(0, kSegmentHeaderBytes - 8);
    if (LoadFixed64(bytes.data() + body.size()) != Checksum(body, 0)) return false;
    version = LoadFixed32(bytes.data() + 8);
    synced = (LoadFixed32(bytes.data() + 12) & 1) != 0;
    number = LoadFixed64(bytes.data() + 16);
    previous_number = LoadFixed64(bytes.data() + 24);
    previous_end = LoadFixed64(bytes.data() + 32);
    return true;
  }

  absl::Status CheckVersion(std::string_view path) const {
    if (version <= kSegmentVersion) return absl::OkStatus();
    return absl::FailedPreconditionError(
        fmt::format("{}: segment format version {} is newer than this program's {}", path, version,
                    kSegmentVersion));
  }
};

// Calls visit(const LogEntry&, offset) -> absl::Status for every record of a segment that ends at
// `end`. kDataLoss for a header or record that is damaged or does not belong here.
template <typename Visit>
absl::Status ScanSegment(std::string_view path, std::string_view bytes, uint64_t number,
                         uint64_t end, Visit&& visit) {
  SegmentHeader header;
  if (!header.Decode(bytes) || header.number != number) {
    return Corruption(path, 0, "segment header does not match its checksum or number");
  }
  KV_RETURN_IF_ERROR(header.CheckVersion(path));
  if (end > bytes.size()) {
    return Corruption(path, bytes.size(),
                      fmt::format("the segment ends here instead of at {}", end));
  }
  bytes = bytes.substr(0, end);
  LogEntry entry;
  Sequence last = 0;
  for (uint64_t offset = kSegmentHeaderBytes; offset < end; offset += entry.bytes) {
    if (!entry.Parse(bytes, offset) || !entry.Intact(bytes, offset, number)) {
      return Corruption(path, offset, "record does not match its checksum");
    }
    if (entry.record.sequence <= last) {
      return Corruption(path, offset,
                        fmt::format("sequence number {} follows {}", entry.record.sequence, last));
    }
    last = entry.record.sequence;
    KV_RETURN_IF_ERROR(visit(static_cast<const LogEntry&>(entry), offset));
  }
  return absl::OkStatus();
}

// What an unsealed segment holds.
struct UnsealedSegment {
  // False: there is no header. The segment was being started, so nothing in it was acknowledged.
  bool started = false;
  SegmentHeader header;
  uint64_t end = 0;   // behind its last whole group
  Sequence last = 0;  // the last sequence number before `end`; 0 when there is none
};

// Whether the first record of a later write lies behind offset `from`, with a sequence number of at
// least `next`. Looks at every place where a record can begin, the cheap tests first.
inline bool WriteBehindDamage(std::string_view bytes, uint64_t from, uint64_t number,
                              Sequence next) {
  LogEntry entry;
  next = std::max<Sequence>(next, 1);  // no record has 0, which the zeros in the tail would show
  for (uint64_t at = from + kRecordAlignment; at + kLogEntryHeaderBytes <= bytes.size();
       at += kRecordAlignment) {
    const uint64_t sequence = LoadFixed64(bytes.data() + at + 8) >> 8;
    if (sequence < next || !entry.Parse(bytes, at) || !entry.group.begins_write) continue;
    if (entry.Intact(bytes, at, number)) return true;
  }
  return false;
}

// Finds the end of a segment that was never sealed. kDataLoss for damage that no crash explains.
inline absl::StatusOr<UnsealedSegment> FindSegmentEnd(std::string_view path, std::string_view bytes,
                                                      uint64_t number) {
  UnsealedSegment found;
  if (!found.header.Decode(bytes) || found.header.number != number) {
    if (WriteBehindDamage(bytes, kSegmentHeaderBytes - kRecordAlignment, number, 1)) {
      return Corruption(path, 0, "segment header does not match its checksum or number");
    }
    return found;
  }
  KV_RETURN_IF_ERROR(found.header.CheckVersion(path));
  found.started = true;
  found.end = kSegmentHeaderBytes;
  LogEntry entry;
  uint64_t offset = kSegmentHeaderBytes;
  Sequence last = 0;
  while (entry.Parse(bytes, offset) && entry.Intact(bytes, offset, number)) {
    if (entry.record.sequence <= last) {
      return Corruption(path, offset,
                        fmt::format("sequence number {} follows {}", entry.record.sequence, last));
    }
    last = entry.record.sequence;
    offset += entry.bytes;
    if (!entry.group.ends_group) continue;
    found.end = offset;
    found.last = last;
  }
  if (found.header.synced && WriteBehindDamage(bytes, offset, number, last + 1)) {
    return Corruption(path, offset, "record does not match its checksum");
  }
  return found;
}

}  // namespace kv

#endif  // ENGINES_LOG_SEGMENT_FORMAT_H_
