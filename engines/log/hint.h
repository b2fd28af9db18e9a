// A hint: where the records of a sealed segment are, so that a store opens without reading values.
// Derived from its segment: one that is missing or damaged is made again in memory.
//
//   hint   := magic:8 "ashlrhnt"  version:u32  zeros:4  number:u64  end:u64  count:u64
//             newest_tombstone:u64  newest_expiry:u64  entry[count]  checksum:u64
//   entry  := hash:u64  offset:u32  size:u32                                       (16 bytes)
//
//   number, end   the segment, and where it ends
//   newest_*      the highest sequence number of a tombstone, and the latest expires_at; 0 if none
//   hash          of the record's key (LogKeyHash)
//   offset        of the record, in units of kRecordAlignment
//   size          of the record, in the same units; bit 31: it is a tombstone; bit 30: it expires
//   checksum      of everything before it, seeded with the number
//
// Entries are in the order of the records, so each begins where the one before it ends, the first
// behind the segment's header, and the last one ends where the segment does.
//
// Thread safety: HintBuilder: one thread; HintView: a value.
#ifndef ENGINES_LOG_HINT_H_
#define ENGINES_LOG_HINT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "engines/log/location.h"
#include "engines/log/record_format.h"
#include "engines/log/segment_format.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/base/status.h"

namespace kv {

inline constexpr std::string_view kHintMagic = "ashlrhnt";
inline constexpr uint32_t kHintVersion = 1;
inline constexpr size_t kHintHeaderBytes = 56;
inline constexpr size_t kHintEntryBytes = 16;

struct HintEntry {
  uint64_t hash = 0;
  uint64_t offset = 0;  // in bytes
  uint64_t bytes = 0;
  bool tombstone = false;
  bool expires = false;
};

class HintBuilder {
 public:
  HintBuilder() : bytes_(kHintHeaderBytes, '\0') {}

  void Add(const LogEntry& entry, uint64_t offset, uint64_t hash) {
    const bool tombstone = entry.record.kind == RecordKind::kTombstone;
    const bool expires = entry.record.expires_at != kNeverExpires;
    if (tombstone) newest_tombstone_ = std::max(newest_tombstone_, entry.record.sequence);
    if (expires) newest_expiry_ = std::max(newest_expiry_, entry.record.expires_at);
    AppendFixed64(&bytes_, hash);
    AppendFixed32(&bytes_, static_cast<uint32_t>(offset / kRecordAlignment));
    AppendFixed32(&bytes_, static_cast<uint32_t>(entry.bytes / kRecordAlignment) |
                               (tombstone ? kTombstoneBit : 0) | (expires ? kExpiresBit : 0));
  }

  // The hint's bytes; the builder is spent.
  std::string Finish(uint64_t number, uint64_t end) {
    kHintMagic.copy(bytes_.data(), kHintMagic.size());
    StoreFixed32(bytes_.data() + 8, kHintVersion);
    StoreFixed64(bytes_.data() + 16, number);
    StoreFixed64(bytes_.data() + 24, end);
    StoreFixed64(bytes_.data() + 32, (bytes_.size() - kHintHeaderBytes) / kHintEntryBytes);
    StoreFixed64(bytes_.data() + 40, newest_tombstone_);
    StoreFixed64(bytes_.data() + 48, newest_expiry_);
    AppendFixed64(&bytes_, Checksum(bytes_, number));
    return std::move(bytes_);
  }

 private:
  friend class HintView;
  static constexpr uint32_t kTombstoneBit = uint32_t{1} << 31;
  static constexpr uint32_t kExpiresBit = uint32_t{1} << 30;

  std::string bytes_;
  Sequence newest_tombstone_ = 0;
  uint64_t newest_expiry_ = 0;
};

// The bytes of a hint, checked.
class HintView {
 public:
  // False when `bytes` are not an intact hint of the segment `number` that ends at `end`, or its
  // entries do not lead from there to there: a location outside of its segment would be another's.
  // An unknown version is as good as none.
  bool Decode(std::string_view bytes, uint64_t number, uint64_t end) {
    if (bytes.size() < kHintHeaderBytes + 8 || !bytes.starts_with(kHintMagic)) return false;
    const std::string_view covered = bytes.substr(0, bytes.size() - 8);
    if (LoadFixed64(bytes.data() + covered.size()) != Checksum(covered, number)) return false;
    if (LoadFixed32(bytes.data() + 8) != kHintVersion) return false;
    if (LoadFixed64(bytes.data() + 16) != number || LoadFixed64(bytes.data() + 24) != end) {
      return false;
    }
    newest_tombstone_ = LoadFixed64(bytes.data() + 40);
    newest_expiry_ = LoadFixed64(bytes.data() + 48);
    entries_ = covered.substr(kHintHeaderBytes);
    return entries_.size() % kHintEntryBytes == 0 && LoadFixed64(bytes.data() + 32) == Count() &&
           FillsSegment(end);
  }

  Sequence NewestTombstone() const { return newest_tombstone_; }
  uint64_t NewestExpiry() const { return newest_expiry_; }
  size_t Count() const { return entries_.size() / kHintEntryBytes; }

  HintEntry Entry(size_t i) const {
    const char* const at = entries_.data() + i * kHintEntryBytes;
    const uint32_t size = LoadFixed32(at + 12);
    return {.hash = LoadFixed64(at),
            .offset = uint64_t{LoadFixed32(at + 8)} * kRecordAlignment,
            .bytes = uint64_t{size & ~(HintBuilder::kTombstoneBit | HintBuilder::kExpiresBit)} *
                     kRecordAlignment,
            .tombstone = (size & HintBuilder::kTombstoneBit) != 0,
            .expires = (size & HintBuilder::kExpiresBit) != 0};
  }

 private:
  bool FillsSegment(uint64_t end) const {
    uint64_t at = kSegmentHeaderBytes;
    for (size_t i = 0; i < Count(); ++i) {
      const HintEntry entry = Entry(i);
      if (entry.offset != at) return false;
      at += entry.bytes;
    }
    return at == end;
  }

  std::string_view entries_;
  Sequence newest_tombstone_ = 0;
  uint64_t newest_expiry_ = 0;
};

// Makes the hint of the segment's `bytes`, which end at `end`. O(end); kDataLoss where the segment
// is damaged.
inline absl::StatusOr<std::string> MakeHint(std::string_view path, std::string_view bytes,
                                            uint64_t number, uint64_t end) {
  HintBuilder builder;
  KV_RETURN_IF_ERROR(
      ScanSegment(path, bytes, number, end, [&](const LogEntry& entry, uint64_t offset) {
        builder.Add(entry, offset, LogKeyHash(entry.record.key));
        return absl::OkStatus();
      }));
  return builder.Finish(number, end);
}

}  // namespace kv

#endif  // ENGINES_LOG_HINT_H_
