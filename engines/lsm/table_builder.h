// Writes a sorted table; table_format.h has the picture of the bytes.
//
// Use: Create, Add in strict internal order, then Finish, which makes the file durable (its name
// is the caller's to make durable, by SyncDirectory), or Abandon. A builder that is destroyed
// unfinished has abandoned. The file is left to the caller to remove in either case.
//
// Errors: a record out of order, too large, or otherwise wrong is kInvalidArgument and changes
// nothing. After a failed write the builder is poisoned: every later call gives that error.
//
// Memory: a block, a write buffer of 512 KiB, and what the filter and the index need until Finish
// (12 bytes a key and about 20 bytes a block). If Compression trains dictionaries, also the first
// 512 KiB of blocks, which are held back until there are enough to train on (table_held_blocks.h).
// Records are copied; their views need not outlive Add.
//
// Omits: direct I/O, parallel compression. Not for: unsorted input.
// Thread safety: one thread at a time.
#ifndef ENGINES_LSM_TABLE_BUILDER_H_
#define ENGINES_LSM_TABLE_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engines/lsm/block_builder.h"
#include "engines/lsm/table_format.h"
#include "engines/lsm/table_held_blocks.h"
#include "engines/lsm/table_index.h"
#include "engines/lsm/table_meta.h"
#include "engines/lsm/value_pointer.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/base/status.h"
#include "kv/compression/concept.h"
#include "kv/contract/record.h"

namespace kv {

struct TableBuilderOptions {
  // Of a block before compression. A block is larger only when it holds a single record.
  size_t block_bytes = 4096;
  // Where the table will lie, which decides how hard it is compressed.
  CompressionDepth depth = CompressionDepth::kUpper;
};

template <typename Parts, typename Files>
class TableBuilder {
 public:
  static absl::StatusOr<TableBuilder> Create(Files files, const std::string& path,
                                             uint64_t file_number,
                                             TableBuilderOptions options = {}) {
    KV_ASSIGN_OR_RETURN(auto file, files.Create(path));
    return TableBuilder(std::move(file), path, file_number, options);
  }

  absl::Status Add(const Record& record) {
    KV_RETURN_IF_ERROR(Check(record));
    const bool same_key = meta_.entries != 0 && record.key == last_key_;
    const uint64_t key_hash = same_key ? last_hash_ : HashKey(record.key);
    if (!block_.empty() && block_.BytesWith(record) > options_.block_bytes) {
      KV_RETURN_IF_ERROR(EndBlock(record.key));
    }
    block_.Add(record, key_hash);
    if (!same_key) {
      filter_.Add(key_hash);
      last_key_.assign(record.key);
      last_hash_ = key_hash;
    }
    last_sequence_ = record.sequence;
    meta_.Count(record);
    return absl::OkStatus();
  }

  // What the file would take if it were finished now, but for its filter. Blocks that are held back
  // count as they are before compression.
  uint64_t FileBytes() const {
    return offset_ + held_.Bytes() + block_.Bytes() + directories_.size() + dictionary_.size() +
           index_.Bytes() + 4 * kBlockTrailerBytes + TableFooter::kBytes;
  }

  uint64_t Entries() const { return meta_.entries; }

  // What the meta will say (table_meta.h). Before Finish.
  void SetRangesApplied(Sequence sequence) { meta_.ranges_applied = sequence; }

  // Writes the rest, makes data and size durable, and closes the file. Nothing may follow.
  absl::StatusOr<TableMeta> Finish() {
    if (!status_.ok()) return status_;
    if (meta_.entries == 0) return Invalid(path_ + ": a table has at least one record");
    KV_RETURN_IF_ERROR(EndBlock(std::nullopt));
    KV_RETURN_IF_ERROR(StoreHeld());
    meta_.largest = last_key_;

    directories_.append((64 - (offset_ + directories_.size()) % 64) % 64, '\0');
    buffer_ += directories_;
    offset_ += directories_.size();
    TableFooter footer;
    footer.file_number = meta_.number;
    footer.filter = AppendUncompressed(filter_.Finish());
    if (!dictionary_.empty()) footer.dictionary = AppendUncompressed(dictionary_);
    footer.index = AppendUncompressed(index_.Finish());
    TableProperties properties{.meta = meta_,
                               .compression = std::string(Parts::Compression::kName),
                               .filter = std::string(Parts::Filter::kName),
                               .compression_id = Parts::Compression::kId,
                               .filter_format = Parts::Filter::kFormat,
                               .hash_probe = HashKey(kTableHashProbe)};
    std::string bytes;
    properties.AppendTo(&bytes);
    // The size of the properties does not depend on the size that they record.
    meta_.bytes = offset_ + bytes.size() + kBlockTrailerBytes + TableFooter::kBytes;
    properties.meta.bytes = meta_.bytes;
    bytes.clear();
    properties.AppendTo(&bytes);
    footer.properties = AppendUncompressed(bytes);
    footer.file_bytes = meta_.bytes;
    footer.AppendTo(&buffer_);

    absl::Status written = WriteBuffer();
    if (written.ok()) written = file_.Sync();
    if (written.ok()) written = file_.Close();
    status_ = written.ok() ? Ended() : written;
    if (!written.ok()) return written;
    return meta_;
  }

  // Closes the file as it is. Nothing may follow.
  void Abandon() {
    file_.Close().IgnoreError();
    status_ = Ended();
  }

 private:
  static constexpr size_t kWriteBytes = size_t{512} << 10;
  // What a dictionary is trained on.
  static constexpr size_t kSampleBytes = size_t{512} << 10;
  static constexpr size_t kWritebackBytes = size_t{1} << 20;

  TableBuilder(typename Files::WritableFile file, std::string path, uint64_t number,
               TableBuilderOptions options)
      : file_(std::move(file)),
        path_(std::move(path)),
        options_(options),
        compressor_(options.depth) {
    meta_.number = number;
    buffer_.reserve(kWriteBytes + options.block_bytes);
  }

  absl::Status Ended() const { return Invalid(path_ + ": the table is finished or abandoned"); }

  absl::Status Check(const Record& record) const {
    if (!status_.ok()) [[unlikely]]
      return status_;
    const char* wrong = nullptr;
    if (record.key.size() > kMaxTableKeyBytes) {
      wrong = "a key is longer than 64 KiB";
    } else if (record.value.size() > kMaxTableValueBytes) {
      wrong = "a value is longer than 256 MiB";
    } else if (record.sequence > kMaxSequence) {
      wrong = "a sequence number is out of range";
    } else if (record.kind == RecordKind::kTombstone && !record.value.empty()) {
      wrong = "a tombstone has a value";
    } else if (ValuePointer pointer; record.kind == RecordKind::kSeparated &&
                                     !ValuePointer::Parse(record.value, &pointer)) {
      wrong = "a separated value has no pointer";
    } else if (meta_.entries != 0 &&
               CompareInternal(last_key_, last_sequence_, record.key, record.sequence) >= 0) {
      wrong = "records are not in strict internal order";
    }
    if (wrong == nullptr) [[likely]]
      return absl::OkStatus();
    return Invalid(fmt::format("{}: {}", path_, wrong));
  }

  // Ends the block; `next_key` is the first of the next block, if there is one.
  absl::Status EndBlock(std::optional<std::string_view> next_key) {
    HeldBlocks::Place place{.directory_begin = directories_.size()};
    const std::string_view contents = block_.Finish(last_key_, &directories_);
    place.directory_bytes = directories_.size() - place.directory_begin;
    const std::string_view separator = next_key
                                           ? ShortestSeparator(last_key_, *next_key, &separator_)
                                           : std::string_view(last_key_);
    if (holding_) {
      held_.Add(contents, place, separator);
      block_.Reset();
      return held_.Bytes() < kSampleBytes ? absl::OkStatus() : StoreHeld();
    }
    KV_RETURN_IF_ERROR(StoreBlock(contents, place, separator));
    block_.Reset();
    return absl::OkStatus();
  }

  // Stores the blocks that were held back, with a dictionary trained on them.
  absl::Status StoreHeld() {
    if (!holding_) return absl::OkStatus();
    holding_ = false;
    dictionary_ = compressor_.Train(held_.contents(), held_.sizes());
    const HeldBlocks held = std::move(held_);
    held_ = HeldBlocks();
    return held.ForEach(
        [this](std::string_view contents, const HeldBlocks::Place& place,
               std::string_view separator) { return StoreBlock(contents, place, separator); });
  }

  absl::Status StoreBlock(std::string_view contents, const HeldBlocks::Place& place,
                          std::string_view separator) {
    std::string_view stored = contents;
    uint8_t id = kCompressionNone;
    if constexpr (Parts::Compression::kId != kCompressionNone) {
      status_ = compressor_.Compress(contents, &compressed_);
      if (!status_.ok()) return status_;
      char size[kMaxVarint64Bytes];
      const size_t size_bytes = static_cast<size_t>(StoreVarint64(size, contents.size()) - size);
      if (CompressionPays(compressed_.size() + size_bytes, contents.size())) {
        compressed_.insert(0, size, size_bytes);
        stored = compressed_;
        id = Parts::Compression::kId;
      }
    }
    const std::string_view directory =
        std::string_view(directories_).substr(place.directory_begin, place.directory_bytes);
    AppendBlock(&buffer_, stored, id, Checksum(directory, BlockSeed(meta_.number, offset_)));
    const uint64_t stored_bytes = stored.size() + kBlockTrailerBytes;
    offset_ += stored_bytes;
    index_.Add(stored_bytes, id != kCompressionNone, directory.size(), separator);
    if (buffer_.size() < kWriteBytes) return absl::OkStatus();
    return WriteBuffer();
  }

  TableFooter::Extent AppendUncompressed(std::string_view contents) {
    const TableFooter::Extent extent{.offset = offset_, .bytes = contents.size()};
    AppendBlock(&buffer_, contents, kCompressionNone, BlockSeed(meta_.number, offset_));
    offset_ = extent.end();
    return extent;
  }

  absl::Status WriteBuffer() {
    status_ = file_.Append(buffer_);
    if (!status_.ok()) return status_;
    buffer_.clear();
    if (buffer_.capacity() > 4 * kWriteBytes) buffer_.shrink_to_fit();  // after a huge value
    const uint64_t size = file_.Size();
    if (size - written_back_ >= kWritebackBytes) {
      file_.StartWriteback(written_back_, size - written_back_);
      written_back_ = size;
    }
    return absl::OkStatus();
  }

  typename Files::WritableFile file_;
  std::string path_;
  TableBuilderOptions options_;
  absl::Status status_;  // of a write that failed, or that nothing may follow
  TableMeta meta_;       // `largest` and `bytes` are set by Finish
  BlockBuilder block_;
  typename Parts::Compression::Compressor compressor_;
  HeldBlocks held_;
  bool holding_ = Parts::Compression::kDictionaryBytes != 0;
  std::string dictionary_;
  typename Parts::Filter::Builder filter_;
  TableIndexBuilder index_;
  std::string directories_;
  std::string buffer_;  // of bytes that end at offset_
  uint64_t offset_ = 0;
  uint64_t written_back_ = 0;
  std::string last_key_;
  uint64_t last_hash_ = 0;
  Sequence last_sequence_ = 0;
  std::string compressed_;
  std::string separator_;
};

}  // namespace kv

#endif  // ENGINES_LSM_TABLE_BUILDER_H_
