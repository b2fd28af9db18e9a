// A record as memtables keep it: one block of arena memory, written once and then only read.
//
//    0              8           12 (wide: 16)
//   +--------------+-----------+------------+-----+-------+
//   | tag          | lengths   | expires_at | key | value |
//   +--------------+-----------+------------+-----+-------+
//     tag         u64: sequence << 8 | wide << 5 | expires << 4 | kind
//     lengths     key, value; u16 each, or u32 each when wide is set (either is over 65535)
//     expires_at  u64, only when the expires bit is set
//
// Header and a short key share a cache line in most cases, and a record of 16 + 100 bytes takes
// exactly 128. In memory only: not a disk format.
//
// Thread safety: immutable once written; publish the pointer with a release, load it with an
// acquire (or through a dependency on one).
#ifndef KV_MEMTABLE_ENTRY_H_
#define KV_MEMTABLE_ENTRY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include "kv/base/bytes.h"
#include "kv/contract/record.h"

namespace kv {

class Entry {
 public:
  // What Write needs at an 8-byte aligned address.
  static size_t Bytes(const Record& record) {
    return sizeof(uint64_t) + (IsWide(record) ? 2 * sizeof(uint32_t) : 2 * sizeof(uint16_t)) +
           (record.expires_at == kNeverExpires ? 0 : sizeof(uint64_t)) + record.key.size() +
           record.value.size();
  }

  static const Entry* Write(char* to, const Record& record) {
    const bool wide = IsWide(record);
    const bool expires = record.expires_at != kNeverExpires;
    Entry* const entry =
        new (to) Entry(record.sequence << 8 | (wide ? kWide : 0) | (expires ? kExpires : 0) |
                       static_cast<uint64_t>(record.kind));
    char* next = to + sizeof(uint64_t);
    const auto key_bytes = static_cast<uint32_t>(record.key.size());
    const auto value_bytes = static_cast<uint32_t>(record.value.size());
    if (wide) [[unlikely]] {
      StoreFixed32(next, key_bytes);
      StoreFixed32(next + 4, value_bytes);
      next += 8;
    } else {
      StoreFixed32(next, key_bytes | value_bytes << 16);
      next += 4;
    }
    if (expires) {
      StoreFixed64(next, record.expires_at);
      next += 8;
    }
    // Empty views may have null data, which memcpy must not see.
    if (key_bytes > 0) std::memcpy(next, record.key.data(), key_bytes);
    if (value_bytes > 0) std::memcpy(next + key_bytes, record.value.data(), value_bytes);
    return entry;
  }

  Sequence sequence() const { return tag_ >> 8; }
  std::string_view key() const { return Parse().key; }

  Record record() const {
    const Parts parts = Parse();
    return {parts.key, std::string_view(parts.key.data() + parts.key.size(), parts.value_bytes),
            sequence(), (tag_ & kExpires) == 0 ? kNeverExpires : LoadFixed64(parts.key.data() - 8),
            static_cast<RecordKind>(tag_ & kKindMask)};
  }

  // Negative when this entry comes before (key, sequence) in the internal order.
  int Compare(std::string_view other, Sequence other_sequence) const {
    return CompareInternal(key(), sequence(), other, other_sequence);
  }

 private:
  static constexpr uint64_t kKindMask = 0x0f;
  static constexpr uint64_t kExpires = 0x10;
  static constexpr uint64_t kWide = 0x20;

  struct Parts {
    std::string_view key;
    size_t value_bytes;
  };

  explicit Entry(uint64_t tag) : tag_(tag) {}

  static bool IsWide(const Record& record) {
    return (record.key.size() | record.value.size()) > 0xffff;
  }

  Parts Parse() const {
    const char* next = reinterpret_cast<const char*>(this) + sizeof(uint64_t);
    size_t key_bytes = LoadFixed32(next);
    size_t value_bytes;
    if ((tag_ & kWide) == 0) [[likely]] {
      value_bytes = key_bytes >> 16;
      key_bytes &= 0xffff;
      next += 4;
    } else {
      value_bytes = LoadFixed32(next + 4);
      next += 8;
    }
    next += (tag_ & kExpires) == 0 ? 0 : 8;
    return {std::string_view(next, key_bytes), value_bytes};
  }

  const uint64_t tag_;
};

}  // namespace kv

#endif  // KV_MEMTABLE_ENTRY_H_
