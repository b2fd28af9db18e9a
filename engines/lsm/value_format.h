// The bytes of a value file, version 1. Integers are little-endian.
//
//   file    := header record* footer
//   header  := magic:u64 "ASHRVALS"  version:u32  number:u64  checksum:u64
//   record  := checksum:u64  size:u32  value[size]
//   footer  := number:u64  file bytes:u64  records:u64  magic:u64  checksum:u64
//
// Each checksum covers the rest of its part, and is seeded with the number of the file and the
// offset of the part (BlockSeed): a part in another place, or of another file, does not pass. There
// are no gaps, so a walk from the header meets every record and ends at the footer.
//
// A record has no key: who points to it has checked bytes of its own to say so, and one value is
// not told from another by what it belongs to. A pointer to another record than its own would need
// the same file, offset and size.
//
// The header keeps its size and the places of its first three fields in every version, so that an
// old reader tells "newer" from "damaged".
//
// Omits: compression of values.
#ifndef ENGINES_LSM_VALUE_FORMAT_H_
#define ENGINES_LSM_VALUE_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engines/lsm/table_format.h"
#include "engines/lsm/value_pointer.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/base/status.h"

namespace kv {

inline constexpr uint64_t kValueMagic = 0x534c'4156'5248'5341;  // "ASHRVALS"
inline constexpr uint32_t kValueVersion = 1;
inline constexpr uint64_t kValueHeaderBytes = 28;
inline constexpr uint64_t kValueFooterBytes = 40;

// What the manifest says of a value file:
//   varint number | varint bytes | varint records
struct ValueFileMeta {
  uint64_t number = 0;
  uint64_t bytes = 0;    // of the file
  uint64_t records = 0;  // at least 1

  friend bool operator==(const ValueFileMeta&, const ValueFileMeta&) = default;

  // Where the footer begins.
  uint64_t RecordsEnd() const { return bytes - kValueFooterBytes; }
  uint64_t RecordBytes() const { return RecordsEnd() - kValueHeaderBytes; }

  void AppendTo(std::string* to) const {
    for (const uint64_t part : {number, bytes, records}) AppendVarint64(to, part);
  }
  // False when `from` does not begin with one that can be.
  static bool Take(std::string_view* from, ValueFileMeta* meta) {
    return TakeVarint64(from, &meta->number) && TakeVarint64(from, &meta->bytes) &&
           TakeVarint64(from, &meta->records) &&
           meta->bytes >= kValueHeaderBytes + kValueRecordHeaderBytes + kValueFooterBytes;
  }
};

inline void AppendValueHeader(std::string* to, uint64_t number) {
  const size_t begin = to->size();
  AppendFixed64(to, kValueMagic);
  AppendFixed32(to, kValueVersion);
  AppendFixed64(to, number);
  AppendFixed64(to, Checksum(std::string_view(*to).substr(begin), BlockSeed(number, 0)));
}

inline void AppendValueRecord(std::string* to, std::string_view value, uint64_t number,
                              uint64_t offset) {
  const size_t begin = to->size();
  to->append(sizeof(uint64_t), '\0');
  AppendFixed32(to, static_cast<uint32_t>(value.size()));
  to->append(value);
  const std::string_view covered = std::string_view(*to).substr(begin + sizeof(uint64_t));
  StoreFixed64(to->data() + begin, Checksum(covered, BlockSeed(number, offset)));
}

inline void AppendValueFooter(std::string* to, const ValueFileMeta& meta) {
  const size_t begin = to->size();
  for (const uint64_t part : {meta.number, meta.bytes, meta.records, kValueMagic}) {
    AppendFixed64(to, part);
  }
  const uint64_t seed = BlockSeed(meta.number, meta.RecordsEnd());
  AppendFixed64(to, Checksum(std::string_view(*to).substr(begin), seed));
}

// Checks the first kValueHeaderBytes of file `number`. kFailedPrecondition for a newer version.
inline absl::Status CheckValueHeader(std::string_view header, uint64_t number,
                                     std::string_view path) {
  if (LoadFixed64(header.data()) != kValueMagic) {
    return Corruption(path, 0, "not a value file: no magic number");
  }
  if (LoadFixed64(header.data() + 20) != Checksum(header.substr(0, 20), BlockSeed(number, 0))) {
    return Corruption(path, 0, "the header does not match its checksum");
  }
  if (LoadFixed64(header.data() + 12) != number) {
    return Corruption(path, 12, "the header is of another file");
  }
  if (const uint32_t version = LoadFixed32(header.data() + 8); version != kValueVersion) {
    return absl::FailedPreconditionError(
        fmt::format("{}: value file format version {}; this program reads version {}", path,
                    version, kValueVersion));
  }
  return absl::OkStatus();
}

// Checks the last kValueFooterBytes.
inline absl::Status CheckValueFooter(std::string_view footer, const ValueFileMeta& meta,
                                     std::string_view path) {
  std::string expected;
  AppendValueFooter(&expected, meta);
  if (footer == expected) return absl::OkStatus();
  return Corruption(path, meta.RecordsEnd(),
                    "the footer does not match its checksum, or is of another file");
}

// Checks a whole record at `offset` of file `number`, of which the value should take all but the
// header.
inline absl::Status CheckValueRecord(std::string_view record, uint64_t number, uint64_t offset,
                                     std::string_view path) {
  const std::string_view covered = record.substr(sizeof(uint64_t));
  if (LoadFixed64(record.data()) != Checksum(covered, BlockSeed(number, offset))) [[unlikely]] {
    return Corruption(path, offset, "the value does not match its checksum");
  }
  if (LoadFixed32(covered.data()) != record.size() - kValueRecordHeaderBytes) [[unlikely]] {
    return Corruption(path, offset, "the value is of another size than its record");
  }
  return absl::OkStatus();
}

}  // namespace kv

#endif  // ENGINES_LSM_VALUE_FORMAT_H_
