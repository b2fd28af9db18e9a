// Makes the checksums of a write-ahead log right, for fuzz targets: a mutation of its bytes is then
// met by the code behind the checksums (format: log_format.h). And records that no engine writes,
// for the tests of what was found that way.
//
// Thread safety: functions of their arguments.
#ifndef KV_IO_LOG_REPAIR_H_
#define KV_IO_LOG_REPAIR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/io/log_format.h"

namespace kv {

// Makes of `log` one of this generation: its header, and its records as far as their sizes lead
// from one to the next. Zeros, and what does not fit, stay the tail.
inline void RepairLog(uint64_t generation, std::string* log) {
  if (log->size() < kLogHeaderBytes) return;
  char* const bytes = log->data();
  const std::string_view whole(*log);
  constexpr size_t kCovered = kLogHeaderBytes - sizeof(uint64_t);
  kLogMagic.copy(bytes, kLogMagic.size());
  StoreFixed64(bytes + 16, generation);
  StoreFixed64(bytes + kCovered, Checksum(whole.substr(0, kCovered), 0));
  size_t offset = kLogHeaderBytes;
  while (whole.size() - offset >= kLogRecordHeaderBytes) {
    const uint64_t size = LoadFixed32(bytes + offset + 8);
    const std::string_view rest = whole.substr(offset + sizeof(uint64_t));
    if (size > whole.size() - offset - kLogRecordHeaderBytes) return;
    if (SkipZeros(rest.substr(0, kLogRecordHeaderBytes - sizeof(uint64_t)), 0) ==
        kLogRecordHeaderBytes - sizeof(uint64_t)) {
      return;
    }
    StoreFixed64(bytes + offset,
                 Checksum(rest.substr(0, kLogRecordHeaderBytes - sizeof(uint64_t) + size),
                          LogRecordSeed(generation, offset)));
    offset += kLogRecordHeaderBytes + size;
  }
}

// Puts at `end` of the unsealed `log` a record of `count` entries, which are numbered from `first`
// on. Nothing follows it.
inline void AppendLogRecord(uint64_t generation, uint64_t end, uint64_t first, uint32_t count,
                            std::string_view payload, std::string* log) {
  log->resize(end + kLogRecordHeaderBytes);
  char* const header = log->data() + end;
  StoreFixed32(header + 8, static_cast<uint32_t>(payload.size()));
  StoreFixed32(header + 12, count);
  StoreFixed64(header + 16, first);
  log->append(payload);
  StoreFixed64(log->data() + end,
               Checksum(std::string_view(*log).substr(end + 8), LogRecordSeed(generation, end)));
}

}  // namespace kv

#endif  // KV_IO_LOG_REPAIR_H_
