// An entry of a data block, decoded: views into the block's bytes (table_block.h has the picture).
//
// Thread safety: a view of immutable bytes.
#ifndef ENGINES_LSM_BLOCK_ENTRY_H_
#define ENGINES_LSM_BLOCK_ENTRY_H_

#include <cstdint>
#include <string_view>

#include "engines/lsm/value_pointer.h"
#include "kv/contract/record.h"

namespace kv {

struct BlockEntry {
  const char* suffix;  // `unshared` bytes
  const char* value;   // `value_bytes` bytes
  uint64_t value_bytes;
  uint64_t tag;
  uint64_t expires_at;
  uint32_t shared;
  uint32_t unshared;

  const char* end() const { return value + value_bytes; }
  Sequence sequence() const { return tag >> 2; }

  void FillExceptKey(Record* record) const {
    record->value = std::string_view(value, value_bytes);
    record->sequence = sequence();
    record->expires_at = expires_at;
    record->kind = KindFromBit(tag & 1, value_bytes);
  }
};

inline constexpr uint64_t kBlockTagExpires = 2;

inline uint64_t BlockTag(const Record& record) {
  return record.sequence << 2 | (record.expires_at != kNeverExpires ? kBlockTagExpires : 0) |
         KindBit(record.kind);
}

}  // namespace kv

#endif  // ENGINES_LSM_BLOCK_ENTRY_H_
