// An open sorted table: point reads, cursors and a full check. table_format.h has the bytes.
//
// Parts supplies Filter, Cache and Compression; Files is a FileSystem.
//
// Contract:
//   - Open() checks everything but the data blocks, against the checksums and against the meta
//     that the manifest has. A data block is checked when it is first touched, once for each Open.
//   - Damage is kDataLoss with path and offset, never a wrong value: from Get through `*status`,
//     from a cursor through status().
//   - Blocks that are stored uncompressed are read in place from the mapping: no copy, no cache, no
//     lock. Compressed ones go through the cache, and a Pin keeps the bytes while they are in use.
//
// In memory: the index (25 bytes and a separator for each block) and one bit a block.
//
// Not for: data that exceeds memory by far with random reads; a page fault costs more than a read
// of the block, and reads in flight would win.
//
// Thread safety: everything const may be called from any number of threads.
#ifndef ENGINES_LSM_TABLE_H_
#define ENGINES_LSM_TABLE_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engines/lsm/table_block.h"
#include "engines/lsm/table_cursor.h"
#include "engines/lsm/table_format.h"
#include "engines/lsm/table_index.h"
#include "engines/lsm/table_meta.h"
#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/hash.h"
#include "kv/base/status.h"
#include "kv/compression/concept.h"
#include "kv/contract/record.h"

namespace kv {

// How a table answered a Get.
enum class TableAnswer : uint8_t {
  kOutOfRange,  // the key is not between smallest and largest
  kFiltered,    // the filter excluded it
  kAbsent,      // a block was searched in vain: with a filter, a false positive or an old snapshot
  kFound,       // a record, perhaps a tombstone
  kError,       // see the status
};

template <typename Parts, typename Files>
class Table {
 public:
  using Cache = typename Parts::Cache;
  using Filter = typename Parts::Filter;
  using Compression = typename Parts::Compression;
  // Keeps the bytes of a decompressed block alive. Empty, and not needed, for other blocks.
  using Pin = typename Cache::Handle;
  using Cursor = TableCursor<Table>;

  // Opens the table that `expected` describes. `cache` outlives the table; it is not touched, and
  // may be null, when Compression is none. Fails with kDataLoss when the file is not that table or
  // is damaged, with kFailedPrecondition when it was written by a newer version or by another
  // Compression or HashKey. A filter of another format is not asked.
  static absl::StatusOr<std::unique_ptr<Table>> Open(Files files, const std::string& path,
                                                     const TableMeta& expected, Cache* cache) {
    KV_ASSIGN_OR_RETURN(auto file, files.OpenForRead(path));
    std::unique_ptr<Table> table(new Table(std::move(file), path, expected, cache));
    KV_RETURN_IF_ERROR(table->Load());
    return table;
  }

  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  // The newest version of `key` with sequence <= `at`; `key_hash` is HashKey(key). On kFound,
  // `*found` holds it: its key is the view `key`, its value lives as long as the table, or, when it
  // comes from a compressed block, as long as `*pin`. On kError, `*status` says why. Does not
  // allocate, except for a compressed block that is not in the cache.
  TableAnswer Get(std::string_view key, uint64_t key_hash, Sequence at, Record* found, Pin* pin,
                  absl::Status* status) const {
    if (!InRange(key)) return TableAnswer::kOutOfRange;
    if constexpr (Filter::kEnabled) {
      if (!Filter::MayContain(filter_, key_hash)) return TableAnswer::kFiltered;
    }
    size_t block = index_.LowerBound(key);
    if (block == blocks()) [[unlikely]]
      return TableAnswer::kAbsent;
    TableAnswer answer = SearchBlock(block, key, key_hash, at, found, pin, status);
    if (answer == TableAnswer::kAbsent && index_.SeparatorEquals(block, key)) [[unlikely]] {
      // The key's versions go on in the next blocks, and the ones so far are newer than `at`.
      const size_t first = block;
      if (!FindBlock(key, at, pin, &block, status)) return TableAnswer::kError;
      if (block != first && block != blocks()) {
        answer = SearchBlock(block, key, key_hash, at, found, pin, status);
      }
    }
    return answer;
  }

  // Starts loading the filter's bytes for a key, for a Get some 100 ns later. Changes no answer.
  void PrefetchFilter(uint64_t key_hash) const { Filter::Prefetch(filter_, key_hash); }

  // Gives up the memory that the file's bytes occupy, until they are touched again.
  void ReleaseMapping() const { file_.ReleaseMapping(); }

  // What the file holds, in the terms of the manifest.
  const TableMeta& meta() const { return meta_; }
  const std::string& path() const { return path_; }

  // Allocated by this table, the mapping not counted.
  size_t MemoryBytes() const {
    return sizeof *this + index_.MemoryBytes() + VerifiedWords() * sizeof(uint64_t);
  }

  // The bytes of the file before the first block that may hold `key`, or the bytes of all blocks
  // when none may. O(log blocks).
  uint64_t ApproximateOffset(std::string_view key) const {
    const size_t block = index_.LowerBound(key);
    return block == blocks() ? index_.data_bytes() : index_.block(block).offset;
  }

  // The number of blocks that may hold keys in [lower, upper): an estimate of what a scan costs.
  size_t CountBlocksIn(std::string_view lower, std::string_view upper) const {
    const size_t end = std::min(index_.LowerBound(upper) + 1, blocks());
    const size_t begin = std::min(index_.LowerBound(lower), end);
    return lower < upper ? end - begin : 0;
  }

  // Reads and checks every byte, whatever was checked before. O(file); defined in table_verify.h.
  absl::Status Verify() const;

  // For cursors and Verify ---------------------------------------------------------------------

  size_t blocks() const { return index_.blocks(); }
  const TableIndex& index() const { return index_; }

  // Sets `*bytes` to a block and its directory, checked, which live as long as the table or `*pin`.
  // False with `*status` set when it is damaged.
  bool LoadBlock(size_t block, Pin* pin, BlockBytes* bytes, absl::Status* status) const {
    const TableIndex::Block place = index_.block(block);
    bytes->directory = Directory(place);
    __builtin_prefetch(bytes->directory.data());
    __builtin_prefetch(bytes->directory.data() + 64);
    if (!CheckOnce(block, place, status)) [[unlikely]]
      return false;
    bytes->contents = {mapped_.data() + place.offset, place.stored_bytes - kBlockTrailerBytes};
    return !place.compressed || Decompress(block, place, pin, &bytes->contents, status);
  }

  // Sets `*block` to the first block with an entry at or after (key, sequence); or the one before,
  // which then ends before the pair; or blocks(). False with `*status` set when damage is met.
  bool FindBlock(std::string_view key, Sequence sequence, Pin* pin, size_t* block,
                 absl::Status* status) const {
    size_t low = index_.LowerBound(key);
    *block = low;
    if (low == blocks() || !index_.SeparatorEquals(low, key)) [[likely]]
      return true;
    // Blocks [low, high) end with a version of the key (the first perhaps just before it).
    size_t high = low + 1;
    while (high < blocks() && index_.SeparatorEquals(high, key)) ++high;
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      BlockBytes bytes;
      if (!LoadBlock(middle, pin, &bytes, status)) return false;
      BlockView view;
      int order;
      if (!BlockView::Parse(bytes, &view) ||
          !view.Compare(view.entries() - 1, key, sequence, &order)) {
        *status = MalformedBlock(middle);
        return false;
      }
      (order < 0 ? low : high) = order < 0 ? middle + 1 : middle;
    }
    *block = low;
    return true;
  }

  absl::Status MalformedBlock(size_t block) const {
    return Corruption(path_, index_.block(block).offset,
                      fmt::format("data block {} is malformed", block));
  }

 private:
  Table(typename Files::ReadableFile file, std::string path, const TableMeta& expected,
        Cache* cache)
      : file_(std::move(file)),
        path_(std::move(path)),
        meta_(expected),
        smallest_head_(KeyHead(meta_.smallest)),
        largest_head_(KeyHead(meta_.largest)),
        cache_(cache) {}

  // Maps the file and checks all but its data blocks.
  absl::Status Load() {
    if (file_.Size() != meta_.bytes) {
      return Corruption(
          path_, std::min(file_.Size(), meta_.bytes),
          fmt::format("the file has {} bytes, the manifest says {}", file_.Size(), meta_.bytes));
    }
    KV_ASSIGN_OR_RETURN(mapped_, file_.Map());
    KV_ASSIGN_OR_RETURN(const TableFooter footer, TableFooter::Parse(mapped_, meta_.number, path_));
    KV_RETURN_IF_ERROR(CheckExtent(footer.properties, "the properties block"));
    TableProperties properties;
    if (!TableProperties::Parse(Contents(footer.properties), &properties)) {
      return Corruption(path_, footer.properties.offset, "the properties are malformed");
    }
    if (properties.meta != meta_) {
      return Corruption(path_, footer.properties.offset,
                        "the properties differ from what the manifest says of the table");
    }
    KV_RETURN_IF_ERROR(CheckParts(properties));
    KV_RETURN_IF_ERROR(CheckExtent(footer.filter, "the filter block"));
    if (properties.filter_format == Filter::kFormat) filter_ = Contents(footer.filter);
    KV_RETURN_IF_ERROR(CheckExtent(footer.index, "the index block"));
    if (!TableIndex::Parse(Contents(footer.index), footer.filter.offset, &index_) ||
        footer.filter.offset - DirectoriesEnd() >= 64) {
      return Corruption(path_, footer.index.offset, "the index is malformed");
    }
    KV_RETURN_IF_ERROR(CheckPadding(footer));
    verified_ = std::make_unique<std::atomic<uint64_t>[]>(VerifiedWords());
    return absl::OkStatus();
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

  absl::Status CheckExtent(const TableFooter::Extent& extent, std::string_view what) const {
    const std::string_view block = mapped_.substr(extent.offset, extent.bytes + kBlockTrailerBytes);
    if (!BlockIntact(block, BlockSeed(meta_.number, extent.offset))) {
      return Corruption(path_, extent.offset, fmt::format("{} does not match its checksum", what));
    }
    return absl::OkStatus();
  }

  absl::Status CheckPadding(const TableFooter& footer) const {
    const uint64_t begin = DirectoriesEnd();
    const size_t other =
        mapped_.substr(begin, footer.filter.offset - begin).find_first_not_of('\0');
    if (other == std::string_view::npos) return absl::OkStatus();
    return Corruption(path_, begin + other, "the padding before the filter is not zero");
  }

  std::string_view Contents(const TableFooter::Extent& extent) const {
    return mapped_.substr(extent.offset, extent.bytes);
  }

  uint64_t DirectoriesEnd() const { return index_.data_bytes() + index_.directories_bytes(); }

  std::string_view Directory(const TableIndex::Block& place) const {
    return {mapped_.data() + index_.data_bytes() + place.directory_begin, place.directory_bytes};
  }

  // The heads decide unless they are equal.
  bool InRange(std::string_view key) const {
    const uint64_t head = KeyHead(key);
    if (head <= smallest_head_) [[unlikely]] {
      if (head < smallest_head_ || key < meta_.smallest) return false;
    }
    if (head >= largest_head_) [[unlikely]] {
      if (head > largest_head_ || key > meta_.largest) return false;
    }
    return true;
  }

  TableAnswer SearchBlock(size_t block, std::string_view key, uint64_t key_hash, Sequence at,
                          Record* found, Pin* pin, absl::Status* status) const {
    BlockBytes bytes;
    if (!LoadBlock(block, pin, &bytes, status)) [[unlikely]]
      return TableAnswer::kError;
    BlockView view;
    BlockView::Outcome outcome = BlockView::Outcome::kMalformed;
    if (BlockView::Parse(bytes, &view)) [[likely]] {
      outcome = view.Find(key, BlockFingerprint(key_hash), at, found);
    }
    if (outcome == BlockView::Outcome::kMalformed) [[unlikely]] {
      *status = MalformedBlock(block);
      return TableAnswer::kError;
    }
    if (outcome == BlockView::Outcome::kAbsent) return TableAnswer::kAbsent;
    found->key = key;
    return TableAnswer::kFound;
  }

  size_t VerifiedWords() const { return (blocks() + 63) / 64; }

  // Checks a block's checksum unless that was done before. relaxed: the bit says that immutable
  // bytes were seen intact and publishes nothing else; two threads that both miss it both check.
  bool CheckOnce(size_t block, const TableIndex::Block& place, absl::Status* status) const {
    std::atomic<uint64_t>& word = verified_[block / 64];
    const uint64_t bit = uint64_t{1} << (block % 64);
    if ((word.load(std::memory_order_relaxed) & bit) != 0) [[likely]]
      return true;
    *status = CheckBlock(block, place);
    if (!status->ok()) return false;
    word.fetch_or(bit, std::memory_order_relaxed);
    return true;
  }

  absl::Status CheckBlock(size_t block, const TableIndex::Block& place) const {
    const std::string_view bytes = mapped_.substr(place.offset, place.stored_bytes);
    const uint64_t seed = Checksum(Directory(place), BlockSeed(meta_.number, place.offset));
    if (!BlockIntact(bytes, seed)) {
      return Corruption(path_, place.offset,
                        fmt::format("data block {} or its directory at {} does not match its "
                                    "checksum",
                                    block, index_.data_bytes() + place.directory_begin));
    }
    const uint8_t id = static_cast<uint8_t>(bytes[bytes.size() - kBlockTrailerBytes]);
    if (id != (place.compressed ? Compression::kId : kCompressionNone)) {
      return Corruption(path_, place.offset,
                        fmt::format("data block {} has compression id {}", block, id));
    }
    return absl::OkStatus();
  }

  // Replaces `*contents`, the stored bytes, by the block.
  bool Decompress(size_t block, const TableIndex::Block& place, Pin* pin,
                  std::string_view* contents, absl::Status* status) const {
    if constexpr (Compression::kId != kCompressionNone) {
      if constexpr (Cache::kEnabled) {
        Pin cached = cache_->Lookup(meta_.number, place.offset);
        if (cached) {
          *contents = cached.bytes();
          *pin = std::move(cached);
          return true;
        }
      }
      uint64_t size;
      std::string decompressed;
      if (TakeVarint64(contents, &size) && size <= kMaxUncompressedBytes &&
          Compression::Decompress(*contents, &decompressed, size).ok()) {
        *pin = cache_->Insert(meta_.number, place.offset, std::move(decompressed));
        *contents = pin->bytes();
        return true;
      }
    }
    *status = MalformedBlock(block);
    return false;
  }

  friend class TableVerifier;

  typename Files::ReadableFile file_;
  std::string path_;
  TableMeta meta_;
  uint64_t smallest_head_;
  uint64_t largest_head_;
  Cache* cache_;
  std::string_view mapped_;
  std::string_view filter_;  // within mapped_; empty when it must not be asked
  TableIndex index_;
  std::unique_ptr<std::atomic<uint64_t>[]> verified_;  // a bit for each block
};

}  // namespace kv

#include "engines/lsm/table_verify.h"  // defines Table::Verify

#endif  // ENGINES_LSM_TABLE_H_
