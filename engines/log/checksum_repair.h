// Makes the checksums of a log-structured store's files right, for fuzz targets: a mutation of
// their bytes is then met by the code behind the checksums.
//
// Each function goes along its format as far as that leads, and leaves what it does not understand
// as it is: the reader's refusal of that is what is tested.
//
// Thread safety: functions of their arguments.
#ifndef ENGINES_LOG_CHECKSUM_REPAIR_H_
#define ENGINES_LOG_CHECKSUM_REPAIR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engines/log/record_format.h"
#include "engines/log/segment_format.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"

namespace kv {

// Makes of `segment` the one of this number: its header, and its records as far as their sizes lead
// from one to the next. Zeros, and what does not fit, stay the tail.
inline void RepairSegment(uint64_t number, std::string* segment) {
  if (segment->size() < kSegmentHeaderBytes) return;
  char* const bytes = segment->data();
  const std::string_view whole(*segment);
  constexpr size_t kCovered = kSegmentHeaderBytes - sizeof(uint64_t);
  kSegmentMagic.copy(bytes, kSegmentMagic.size());
  StoreFixed64(bytes + 16, number);
  StoreFixed64(bytes + kCovered, Checksum(whole.substr(0, kCovered), 0));
  LogEntry entry;
  for (uint64_t offset = kSegmentHeaderBytes; entry.Parse(whole, offset); offset += entry.bytes) {
    const std::string_view header = whole.substr(offset + 8, kLogEntryHeaderBytes - 8);
    if (SkipZeros(header, 0) == header.size()) return;
    StoreFixed64(bytes + offset,
                 Checksum(whole.substr(offset + 8, entry.bytes - 8), LogEntrySeed(number, offset)));
  }
}

// A hint of this segment, or, with number 0, a manifest: a checksum of everything ends both.
inline void RepairHintOrManifest(uint64_t number, std::string* file) {
  if (file->size() < sizeof(uint64_t)) return;
  const size_t covered = file->size() - sizeof(uint64_t);
  StoreFixed64(file->data() + covered,
               Checksum(std::string_view(*file).substr(0, covered), number));
}

}  // namespace kv

#endif  // ENGINES_LOG_CHECKSUM_REPAIR_H_
