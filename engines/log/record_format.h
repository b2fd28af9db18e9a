// The bytes of one record of a segment.
//
//   record := checksum:u64  stamp:u64  key_size:u32  value_size:u32  [expires_at:u64]
//             key  value  zeros                          (to a multiple of kRecordAlignment)
//   stamp  := sequence number << 8 | flags
//   flags  := bit 0: it has a value (otherwise it is a tombstone)
//             bit 1: expires_at is there
//             bit 2: it was the first of what was handed to the file at one time
//             bit 3: it is the last record of its group
//
//   checksum   of everything after it, the zeros included, seeded with the number of the segment
//              and the record's offset: a record at another place does not pass
//   group      what was committed together. A crash keeps a group or loses it: recovery drops the
//              records behind the last one that ends a group
//   bit 2      tells damage from a torn tail (segment_format.h)
//
// A read touches one record and nothing else: key, value and checksum are together, 24 bytes
// of header in front of them.
//
// Thread safety: pure functions.
#ifndef ENGINES_LOG_RECORD_FORMAT_H_
#define ENGINES_LOG_RECORD_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engines/log/location.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/contract/record.h"

namespace kv {

inline constexpr size_t kLogEntryHeaderBytes = 24;

// The hash that the index goes by. Hint files hold it, so it is a checksum, whose output is frozen.
inline uint64_t LogKeyHash(std::string_view key) { return Checksum(key, 0); }

// Bytes of a record in a segment.
inline constexpr uint64_t LogEntryBytes(size_t key, size_t value, bool expires) {
  const uint64_t bytes = kLogEntryHeaderBytes + (expires ? 8 : 0) + key + value;
  return (bytes + kRecordAlignment - 1) / kRecordAlignment * kRecordAlignment;
}
inline uint64_t LogEntryBytes(const Record& record) {
  return LogEntryBytes(record.key.size(), record.value.size(), record.expires_at != kNeverExpires);
}

inline uint64_t LogEntrySeed(uint64_t segment, uint64_t offset) {
  return (segment * 0x9e3779b97f4a7c15) ^ offset;
}

struct GroupPlace {
  bool begins_write = true;  // bit 2
  bool ends_group = true;    // bit 3
};

// A record as it lies in a segment; key and value are views of it.
struct LogEntry {
  Record record;
  uint64_t bytes = 0;  // all of it
  GroupPlace group;

  // Reads the record at `offset` of the segment's bytes. False when there can be none: it does not
  // fit or has flags that are unknown. Whether it is intact is what Intact() says.
  bool Parse(std::string_view segment, uint64_t offset) {
    if (offset > segment.size() || segment.size() - offset < kLogEntryHeaderBytes) return false;
    const char* const header = segment.data() + offset;
    const uint64_t stamp = LoadFixed64(header + 8);
    const uint64_t key_size = LoadFixed32(header + 16);
    const uint64_t value_size = LoadFixed32(header + 20);
    const auto flags = static_cast<uint8_t>(stamp);
    if ((flags & ~kKnownFlags) != 0) return false;
    const bool expires = (flags & kExpiresFlag) != 0;
    bytes = LogEntryBytes(key_size, value_size, expires);
    if (bytes > segment.size() - offset) return false;
    const char* body = header + kLogEntryHeaderBytes;
    record.expires_at = kNeverExpires;
    if (expires) {
      record.expires_at = LoadFixed64(body);
      body += 8;
    }
    record.kind = (flags & kValueFlag) != 0 ? RecordKind::kValue : RecordKind::kTombstone;
    record.sequence = stamp >> 8;
    record.key = std::string_view(body, key_size);
    record.value = std::string_view(body + key_size, value_size);
    group = {.begins_write = (flags & kBeginsWriteFlag) != 0,
             .ends_group = (flags & kEndsGroupFlag) != 0};
    return true;
  }

  // Whether the record that was parsed at `offset` of `segment`, whose number is `number`, is as it
  // was written.
  bool Intact(std::string_view segment, uint64_t offset, uint64_t number) const {
    const char* const header = segment.data() + offset;
    return LoadFixed64(header) ==
           Checksum(std::string_view(header + 8, bytes - 8), LogEntrySeed(number, offset));
  }

  // Writes `record` at `to`, which has LogEntryBytes(record) bytes and is `offset` of segment
  // `number`. Returns them.
  static uint64_t Encode(const Record& record, GroupPlace group, uint64_t number, uint64_t offset,
                         char* to) {
    const bool expires = record.expires_at != kNeverExpires;
    const uint64_t bytes = LogEntryBytes(record);
    std::memset(to + bytes - kRecordAlignment, 0, kRecordAlignment);
    const uint64_t flags =
        (record.kind == RecordKind::kValue ? kValueFlag : 0) | (expires ? kExpiresFlag : 0) |
        (group.begins_write ? kBeginsWriteFlag : 0) | (group.ends_group ? kEndsGroupFlag : 0);
    StoreFixed64(to + 8, record.sequence << 8 | flags);
    StoreFixed32(to + 16, static_cast<uint32_t>(record.key.size()));
    StoreFixed32(to + 20, static_cast<uint32_t>(record.value.size()));
    char* body = to + kLogEntryHeaderBytes;
    if (expires) {
      StoreFixed64(body, record.expires_at);
      body += 8;
    }
    if (!record.key.empty()) std::memcpy(body, record.key.data(), record.key.size());
    body += record.key.size();
    if (!record.value.empty()) std::memcpy(body, record.value.data(), record.value.size());
    StoreFixed64(to, Checksum(std::string_view(to + 8, bytes - 8), LogEntrySeed(number, offset)));
    return bytes;
  }

 private:
  static constexpr uint8_t kValueFlag = 1;
  static constexpr uint8_t kExpiresFlag = 2;
  static constexpr uint8_t kBeginsWriteFlag = 4;
  static constexpr uint8_t kEndsGroupFlag = 8;
  static constexpr uint8_t kKnownFlags = 15;
};

}  // namespace kv

#endif  // ENGINES_LOG_RECORD_FORMAT_H_
