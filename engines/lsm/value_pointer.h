// ValuePointer: what a table has in the place of a separated value: where in which value file it
// is. ValueReference: what a table needs of one value file, all of its pointers taken together.
//
//   pointer    varint file number | varint offset of the record | varint bytes of the value
//   reference  varint file number | varint bytes of the records that are pointed to
//
// Thread safety: plain values.
#ifndef ENGINES_LSM_VALUE_POINTER_H_
#define ENGINES_LSM_VALUE_POINTER_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kv/base/bytes.h"
#include "kv/contract/record.h"

namespace kv {

// Of a record, beside the value (value_format.h).
inline constexpr uint64_t kValueRecordHeaderBytes = 12;

struct ValuePointer {
  uint64_t file = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;

  friend bool operator==(const ValuePointer&, const ValuePointer&) = default;

  uint64_t RecordBytes() const { return kValueRecordHeaderBytes + bytes; }

  void AppendTo(std::string* to) const {
    for (const uint64_t part : {file, offset, bytes}) AppendVarint64(to, part);
  }

  // False when `from` is not exactly one pointer.
  static bool Parse(std::string_view from, ValuePointer* pointer) {
    return TakeVarint64(&from, &pointer->file) && TakeVarint64(&from, &pointer->offset) &&
           TakeVarint64(&from, &pointer->bytes) && from.empty();
  }
};

// How an entry of a block says in one bit what it is: the bit is set for a value that lies beside
// its key. An entry without it is a tombstone if it has no bytes of value, and has a pointer if it
// has some. No branch: blocks are decoded by the million.
inline uint64_t KindBit(RecordKind kind) { return kind == RecordKind::kValue ? 1 : 0; }
inline RecordKind KindFromBit(uint64_t bit, uint64_t value_bytes) {
  const auto separated = static_cast<uint64_t>(value_bytes != 0) & ~bit;
  return static_cast<RecordKind>(bit | separated * static_cast<uint64_t>(RecordKind::kSeparated));
}

struct ValueReference {
  uint64_t file = 0;
  uint64_t bytes = 0;  // of records, headers included

  friend bool operator==(const ValueReference&, const ValueReference&) = default;

  void AppendTo(std::string* to) const {
    AppendVarint64(to, file);
    AppendVarint64(to, bytes);
  }
  static bool Take(std::string_view* from, ValueReference* reference) {
    return TakeVarint64(from, &reference->file) && TakeVarint64(from, &reference->bytes);
  }
};

// Adds to `references`, which are in order of their files, each file once.
inline void AddReference(std::vector<ValueReference>* references, const ValueReference& more) {
  auto place = std::ranges::lower_bound(*references, more.file, {}, &ValueReference::file);
  if (place == references->end() || place->file != more.file) {
    place = references->insert(place, {.file = more.file});
  }
  place->bytes += more.bytes;
}

}  // namespace kv

#endif  // ENGINES_LSM_VALUE_POINTER_H_
