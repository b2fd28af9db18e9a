// The bytes of a sorted table (SSTable), versions 2 and 3. Integers are little-endian.
//
//   +--------------+-----+----------------+-------------+---------+
//   | data block 0 | ... | data block n-1 | directories | padding |
//   +--------------+-----+----------------+-------------+---------+
//   | filter | dictionary | index | properties | footer |
//   +--------+------------+-------+------------+--------+
//
//   block       contents | u8 compression id | u64 checksum
//               The checksum covers contents and id, seeded with the file number and the block's
//               offset: a block in another place, or of another file, does not pass.
//   data block  table_block.h has the picture of its contents and of its directory. Compressed,
//               contents are stored as varint uncompressed size | what Compression made of them.
//               The seed of its checksum is the checksum of its directory, which has that of the
//               place: the two are checked together, when the block is first touched.
//   directories one for each data block, in order. Neither they nor the data blocks have gaps
//               between them, so the index needs sizes only.
//   padding     0-63 zeros, so that the filter begins at a multiple of 64: a blocked Bloom filter
//               is asked in place, one cache line a question. Open() checks them.
//   filter      the bytes of the Filter part; empty without one
//   dictionary  version 3 only, and then not empty: what Compression's Train() made of the first
//               blocks. All compressed blocks are compressed with it. A table without one is
//               written as version 2, which has index follow filter.
//   index       varint n, then for each data block
//                 varint (stored bytes, trailer included) << 1 | is compressed
//                 varint bytes of its directory / 8
//                 varint shared | varint unshared | unshared bytes of its separator
//               A separator is a string in [last key of the block, first key of the next); the
//               last one is the table's largest key.
//   properties  TableMeta | length-prefixed names of Compression and Filter |
//               u8 Compression::kId | u32 Filter::kFormat | u64 HashKey(kTableHashProbe)
//   footer      u64 file number | u64 file bytes | {u64 offset, u64 bytes} of filter, index and
//               properties, without trailers | u64 version | u64 magic | u64 checksum
//               The dictionary is what lies between filter and index.
//
// The footer's last 24 bytes and its size keep their places in every version, so that an old
// reader tells "newer" from "damaged". Filter, dictionary, index and properties are never
// compressed.
//
// Omits: range tombstones (the manifest has them), an index of more than one level (it is in
// memory while the table is open, at about 0.7 % of the table's size with blocks of 4 KiB).
#ifndef ENGINES_LSM_TABLE_FORMAT_H_
#define ENGINES_LSM_TABLE_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engines/lsm/table_meta.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/base/status.h"

namespace kv {

inline constexpr uint64_t kTableMagic = 0x454c'4254'5248'5341;  // "ASHRTBLE"
inline constexpr uint64_t kTableVersion = 2;
inline constexpr uint64_t kTableVersionWithDictionary = 3;

inline constexpr size_t kMaxTableKeyBytes = size_t{64} << 10;
inline constexpr size_t kMaxTableValueBytes = size_t{256} << 20;

// Filters and fingerprints hold hashes of keys, so a table is readable only with the HashKey that
// wrote it: the hash of this text tells.
inline constexpr std::string_view kTableHashProbe = "ashlar table";

// Of the filter's offset.
inline constexpr size_t kTableFilterAlignment = 64;

inline constexpr size_t kBlockTrailerBytes = 1 + sizeof(uint64_t);

// What a checksum is seeded with: different for any two places in the files of a store.
inline uint64_t BlockSeed(uint64_t file_number, uint64_t offset) {
  uint64_t seed = file_number * 0x9e3779b97f4a7c15 + offset;
  seed = (seed ^ (seed >> 32)) * 0xd6e8feb86659fd93;
  return seed ^ (seed >> 32);
}

// Appends `contents` and a trailer whose checksum is seeded with `seed`.
inline void AppendBlock(std::string* to, std::string_view contents, uint8_t compression,
                        uint64_t seed) {
  const size_t begin = to->size();
  to->append(contents);
  to->push_back(static_cast<char>(compression));
  AppendFixed64(to, Checksum(std::string_view(*to).substr(begin), seed));
}

// Whether `block`, trailer included, is what was written with `seed`.
inline bool BlockIntact(std::string_view block, uint64_t seed) {
  if (block.size() < kBlockTrailerBytes) return false;
  const size_t covered = block.size() - sizeof(uint64_t);
  return LoadFixed64(block.data() + covered) == Checksum(block.substr(0, covered), seed);
}

struct TableFooter {
  static constexpr size_t kBytes = 11 * sizeof(uint64_t);

  struct Extent {
    uint64_t offset = 0;
    uint64_t bytes = 0;  // without the trailer

    // One past the trailer.
    uint64_t end() const { return offset + bytes + kBlockTrailerBytes; }
  };

  uint64_t file_number = 0;
  uint64_t file_bytes = 0;
  Extent filter;
  Extent dictionary;  // both 0 if there is none
  Extent index;
  Extent properties;

  void AppendTo(std::string* to) const {
    const size_t begin = to->size();
    const uint64_t version = dictionary.bytes == 0 ? kTableVersion : kTableVersionWithDictionary;
    for (const uint64_t value :
         {file_number, file_bytes, filter.offset, filter.bytes, index.offset, index.bytes,
          properties.offset, properties.bytes, version, kTableMagic}) {
      AppendFixed64(to, value);
    }
    const uint64_t seed = BlockSeed(file_number, file_bytes - kBytes);
    AppendFixed64(to, Checksum(std::string_view(*to).substr(begin), seed));
  }

  // Reads a footer: the last kBytes of table `file_number`, which has `file_bytes` as it should.
  // The extents of the answer lie within the file, in order and without gaps between them.
  static absl::StatusOr<TableFooter> Parse(std::string_view last, uint64_t file_bytes,
                                           uint64_t file_number, std::string_view path) {
    const uint64_t at = file_bytes - kBytes;
    const char* const bytes = last.data();
    const auto word = [bytes](size_t i) { return LoadFixed64(bytes + i * sizeof(uint64_t)); };
    if (word(9) != kTableMagic) return Corruption(path, at + 72, "not a table: no magic number");
    if (word(10) !=
        Checksum(std::string_view(bytes, kBytes - sizeof(uint64_t)), BlockSeed(file_number, at))) {
      return Corruption(path, at, "the footer does not match its checksum");
    }
    const uint64_t version = word(8);
    if (version != kTableVersion && version != kTableVersionWithDictionary) {
      return absl::FailedPreconditionError(
          fmt::format("{}: table format version {}; this program reads versions {} and {}", path,
                      version, kTableVersion, kTableVersionWithDictionary));
    }
    TableFooter footer{.file_number = word(0),
                       .file_bytes = word(1),
                       .filter = {word(2), word(3)},
                       .index = {word(4), word(5)},
                       .properties = {word(6), word(7)}};
    if (footer.file_number != file_number || footer.file_bytes != file_bytes) {
      return Corruption(path, at, "the footer is of another file");
    }
    if (version == kTableVersionWithDictionary) {
      // What does not fit makes an extent that the loop refuses.
      footer.dictionary.offset = footer.filter.offset + footer.filter.bytes + kBlockTrailerBytes;
      footer.dictionary.bytes = footer.index.offset - footer.dictionary.offset - kBlockTrailerBytes;
      if (footer.dictionary.bytes == 0) return Corruption(path, at, "the dictionary is empty");
    }
    // Each extent is bounded before the next is derived from it, so no sum overflows.
    uint64_t expected = footer.filter.offset;
    const auto follows = [&](const Extent& extent) {
      if (extent.offset != expected || extent.offset > at || extent.bytes > at - extent.offset ||
          at - extent.offset - extent.bytes < kBlockTrailerBytes) {
        return false;
      }
      expected = extent.end();
      return true;
    };
    const bool has_dictionary = version == kTableVersionWithDictionary;
    if (!follows(footer.filter) || (has_dictionary && !follows(footer.dictionary)) ||
        !follows(footer.index) || !follows(footer.properties)) {
      return Corruption(path, at, "the footer's extents are not in order");
    }
    if (expected != at || footer.filter.offset % kTableFilterAlignment != 0) {
      return Corruption(path, at, "the footer's extents do not fill the file");
    }
    return footer;
  }
};

struct TableProperties {
  TableMeta meta;
  std::string compression;  // the names inform people; the numbers below decide
  std::string filter;
  uint8_t compression_id = 0;
  uint32_t filter_format = 0;
  uint64_t hash_probe = 0;

  void AppendTo(std::string* to) const {
    meta.AppendTo(to);
    AppendLengthPrefixed(to, compression);
    AppendLengthPrefixed(to, filter);
    to->push_back(static_cast<char>(compression_id));
    AppendFixed32(to, filter_format);
    AppendFixed64(to, hash_probe);
  }

  // False when `bytes` are not exactly one set of properties.
  static bool Parse(std::string_view bytes, TableProperties* properties) {
    std::string_view compression;
    std::string_view filter;
    if (!TableMeta::Take(&bytes, &properties->meta) || !TakeLengthPrefixed(&bytes, &compression) ||
        !TakeLengthPrefixed(&bytes, &filter) ||
        bytes.size() != 1 + sizeof(uint32_t) + sizeof(uint64_t)) {
      return false;
    }
    properties->compression = compression;
    properties->filter = filter;
    properties->compression_id = static_cast<uint8_t>(bytes.front());
    properties->filter_format = LoadFixed32(bytes.data() + 1);
    properties->hash_probe = LoadFixed64(bytes.data() + 1 + sizeof(uint32_t));
    return true;
  }
};

}  // namespace kv

#endif  // ENGINES_LSM_TABLE_FORMAT_H_
