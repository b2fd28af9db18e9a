// What an open table holds in memory of its file: all but the data blocks. Read and checked once,
// at Open(), and read anew by Verify().
//
// In memory: the index (25 bytes and a separator for each block). Filter and directories are views
// of the file where it is mapped; where it is not, they are copied, because a Get that had to wait
// for them too would wait three times: about 3.5 bytes an entry for directories, and what the
// filter takes (1.25 bytes a key at 10 bits). A dictionary is always copied, and digested: its own
// bytes and some 30 KiB.
//
// Thread safety: immutable once loaded.
#ifndef ENGINES_LSM_TABLE_LAYOUT_H_
#define ENGINES_LSM_TABLE_LAYOUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "engines/lsm/table_format.h"
#include "engines/lsm/table_index.h"
#include "engines/lsm/table_meta.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/base/status.h"
#include "kv/compression/concept.h"
#include "kv/reading/concept.h"

namespace kv {

template <typename Parts, typename Files>
class TableLayout {
 public:
  using Filter = typename Parts::Filter;
  using Compression = typename Parts::Compression;
  static_assert(kReadingAlignment % kTableFilterAlignment == 0);
  using Reader = typename Parts::Reading::template Reader<typename Files::ReadableFile>;

  TableLayout(std::string path, const TableMeta& expected)
      : path_(std::move(path)), meta_(expected) {}

  // Reads all but the data blocks, and checks it against the checksums and the meta that was
  // expected. `reader` outlives the layout.
  absl::Status Load(const Reader& reader) {
    if (reader.Size() != meta_.bytes) {
      return Corruption(
          path_, std::min(reader.Size(), meta_.bytes),
          fmt::format("the file has {} bytes, the manifest says {}", reader.Size(), meta_.bytes));
    }
    if (meta_.bytes < TableFooter::kBytes) return Corruption(path_, 0, "too short to be a table");
    const uint64_t footer_offset = meta_.bytes - TableFooter::kBytes;
    typename Reader::Room room;
    std::string_view bytes;
    KV_RETURN_IF_ERROR(reader.View(footer_offset, TableFooter::kBytes, &room, &bytes));
    KV_ASSIGN_OR_RETURN(footer_, TableFooter::Parse(bytes, meta_.bytes, meta_.number, path_));
    const uint64_t tail_offset = footer_.filter.end();
    KV_RETURN_IF_ERROR(reader.View(tail_offset, footer_offset - tail_offset, &room, &bytes));
    KV_RETURN_IF_ERROR(LoadTail(bytes, tail_offset));
    return LoadKept(reader);
  }

  const std::string& path() const { return path_; }
  const TableMeta& meta() const { return meta_; }
  const TableFooter& footer() const { return footer_; }
  const TableIndex& index() const { return index_; }

  // Empty when it must not be asked.
  std::string_view filter() const { return filter_; }

  std::string_view Directory(const TableIndex::Block& place) const {
    return {directories_.data() + place.directory_begin, place.directory_bytes};
  }

  // Whether `stored` is data block `block`, which lies at `place`.
  absl::Status CheckBlock(size_t block, const TableIndex::Block& place,
                          std::string_view stored) const {
    const uint64_t seed = Checksum(Directory(place), BlockSeed(meta_.number, place.offset));
    if (!BlockIntact(stored, seed)) {
      return Corruption(path_, place.offset,
                        fmt::format("data block {} or its directory at {} does not match its "
                                    "checksum",
                                    block, index_.data_bytes() + place.directory_begin));
    }
    const uint8_t id = static_cast<uint8_t>(stored[stored.size() - kBlockTrailerBytes]);
    if (id != (place.compressed ? Compression::kId : kCompressionNone)) {
      return Corruption(path_, place.offset,
                        fmt::format("data block {} has compression id {}", block, id));
    }
    return absl::OkStatus();
  }

  // Decompresses the contents of a compressed block into `*block`. False when they are malformed.
  bool Decompress(std::string_view contents, std::string* block) const {
    uint64_t size;
    return TakeVarint64(&contents, &size) && size <= kMaxUncompressedBytes &&
           Compression::Decompress(contents, block, size, dictionary_).ok();
  }

  absl::Status MalformedBlock(size_t block) const {
    return Corruption(path_, index_.block(block).offset,
                      fmt::format("data block {} is malformed", block));
  }

  // Allocated, the layout itself not counted.
  size_t MemoryBytes() const { return index_.MemoryBytes() + kept_.Bytes() + dictionary_.Bytes(); }

 private:
  // What lies between the filter and the footer.
  absl::Status LoadTail(std::string_view tail, uint64_t tail_offset) {
    const auto extent = [&](const TableFooter::Extent& place) {
      return tail.substr(place.offset - tail_offset, place.bytes + kBlockTrailerBytes);
    };
    const auto contents = [&](const TableFooter::Extent& place) {
      return tail.substr(place.offset - tail_offset, place.bytes);
    };
    KV_RETURN_IF_ERROR(
        CheckExtent(footer_.properties, extent(footer_.properties), "the properties block"));
    TableProperties properties;
    if (!TableProperties::Parse(contents(footer_.properties), &properties)) {
      return Corruption(path_, footer_.properties.offset, "the properties are malformed");
    }
    if (properties.meta != meta_) {
      return Corruption(path_, footer_.properties.offset,
                        "the properties differ from what the manifest says of the table");
    }
    KV_RETURN_IF_ERROR(CheckParts(properties));
    if (const TableFooter::Extent& place = footer_.dictionary; place.bytes != 0) {
      KV_RETURN_IF_ERROR(CheckExtent(place, extent(place), "the dictionary"));
      auto dictionary = Compression::Dictionary::Open(contents(place));
      if (properties.compression_id != Compression::kId || !dictionary.ok()) {
        return Corruption(path_, place.offset, "the dictionary is malformed");
      }
      dictionary_ = *std::move(dictionary);
    }
    filter_is_ours_ = properties.filter_format == Filter::kFormat;
    KV_RETURN_IF_ERROR(CheckExtent(footer_.index, extent(footer_.index), "the index block"));
    if (!TableIndex::Parse(contents(footer_.index), footer_.filter.offset, &index_) ||
        footer_.filter.offset - DirectoriesEnd() >= kTableFilterAlignment) {
      return Corruption(path_, footer_.index.offset, "the index is malformed");
    }
    return absl::OkStatus();
  }

  // Directories, padding and filter.
  absl::Status LoadKept(const Reader& reader) {
    const uint64_t begin = index_.data_bytes();
    std::string_view bytes;
    KV_RETURN_IF_ERROR(reader.View(begin, footer_.filter.end() - begin, &kept_, &bytes));
    directories_ = bytes.substr(0, index_.directories_bytes());
    const std::string_view filter = bytes.substr(footer_.filter.offset - begin);
    KV_RETURN_IF_ERROR(CheckExtent(footer_.filter, filter, "the filter block"));
    if (filter_is_ours_) filter_ = filter.substr(0, footer_.filter.bytes);
    const uint64_t padding = DirectoriesEnd();
    const size_t other =
        bytes.substr(padding - begin, footer_.filter.offset - padding).find_first_not_of('\0');
    if (other == std::string_view::npos) return absl::OkStatus();
    return Corruption(path_, padding + other, "the padding before the filter is not zero");
  }

  absl::Status CheckParts(const TableProperties& properties) const {
    if (properties.compression_id != kCompressionNone &&
        properties.compression_id != Compression::kId) {
      return absl::FailedPreconditionError(fmt::format("{}: compressed with {}, opened with {}",
                                                       path_, properties.compression,
                                                       Compression::kName));
    }
    if (properties.hash_probe != HashKey(kTableHashProbe)) {
      return absl::FailedPreconditionError(
          fmt::format("{}: written with another hash of keys", path_));
    }
    return absl::OkStatus();
  }

  absl::Status CheckExtent(const TableFooter::Extent& extent, std::string_view bytes,
                           std::string_view what) const {
    if (BlockIntact(bytes, BlockSeed(meta_.number, extent.offset))) return absl::OkStatus();
    return Corruption(path_, extent.offset, fmt::format("{} does not match its checksum", what));
  }

  uint64_t DirectoriesEnd() const { return index_.data_bytes() + index_.directories_bytes(); }

  std::string path_;
  TableMeta meta_;
  TableFooter footer_;
  TableIndex index_;
  typename Compression::Dictionary dictionary_;
  typename Reader::Room kept_;  // directories and filter, unless they are mapped
  std::string_view directories_;
  std::string_view filter_;
  bool filter_is_ours_ = false;
};

}  // namespace kv

#endif  // ENGINES_LSM_TABLE_LAYOUT_H_
