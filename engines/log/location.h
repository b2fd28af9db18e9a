// Where a record is: a segment and an offset in it, in 48 bits, as the index keeps it.
//
//   bits 28 to 47   the segment's place in the directory (segment.h); places are used again
//   bits 0 to 27    the record's offset in units of kRecordAlignment
//
// So a store has up to 2^20 segments at a time and a segment up to 2 GiB. Offset 0 is a segment's
// header, so no record is at location 0, which stands for "nowhere".
//
// Thread safety: a value.
#ifndef ENGINES_LOG_LOCATION_H_
#define ENGINES_LOG_LOCATION_H_

#include <cstddef>
#include <cstdint>

namespace kv {

inline constexpr size_t kRecordAlignment = 8;
inline constexpr uint32_t kMaxSegments = uint32_t{1} << 20;
inline constexpr uint64_t kMaxSegmentBytes = (uint64_t{1} << 28) * kRecordAlignment;

class Location {
 public:
  constexpr Location() = default;
  constexpr Location(uint32_t place, uint64_t offset)
      : bits_(uint64_t{place} << kOffsetBits | offset / kRecordAlignment) {}
  static constexpr Location FromBits(uint64_t bits) {
    Location location;
    location.bits_ = bits;
    return location;
  }

  constexpr uint32_t place() const { return static_cast<uint32_t>(bits_ >> kOffsetBits); }
  constexpr uint64_t offset() const {
    return (bits_ & ((uint64_t{1} << kOffsetBits) - 1)) * kRecordAlignment;
  }
  constexpr uint64_t bits() const { return bits_; }
  constexpr explicit operator bool() const { return bits_ != 0; }
  friend constexpr bool operator==(Location, Location) = default;

 private:
  static constexpr unsigned kOffsetBits = 28;
  uint64_t bits_ = 0;
};

}  // namespace kv

#endif  // ENGINES_LOG_LOCATION_H_
