// The data blocks of an open table, on their way from the file to a search or a cursor: read,
// checked, decompressed, and kept in the cache, as Reading and Compression make it necessary.
//
//                          stored uncompressed            compressed
//   Reading is mapped      in place: no copy, no lock     cache, or decompressed and inserted
//   Reading is not         cache, or read and inserted    cache, or read, decompressed and inserted
//
// A mapped block is checked when it is first touched, once for each Open; any other one each time
// that it is read from the file. The cache holds blocks, not stored bytes, and only checked ones.
//
// Scans: a cursor that goes on to a neighbouring block asks LoadNext(). It takes what the cache
// has, but what it reads itself it reads ahead, into memory of its own (Scan), and leaves the cache
// as it is: blocks that a scan passes once would drive out those that point reads come back to.
//
// In memory: a bit for each block where the file is mapped.
//
// Thread safety: everything const may be called from any number of threads.
#ifndef ENGINES_LSM_TABLE_BLOCKS_H_
#define ENGINES_LSM_TABLE_BLOCKS_H_

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
#include "engines/lsm/table_layout.h"
#include "kv/base/status.h"
#include "kv/reading/concept.h"

namespace kv {

template <typename Parts, typename Files>
class TableBlocks {
 public:
  using Cache = typename Parts::Cache;
  using Pin = typename Cache::Handle;
  using Layout = TableLayout<Parts, Files>;
  using Reader = typename Layout::Reader;

  // What a cursor that scans keeps between its blocks.
  class Scan {
   private:
    friend class TableBlocks;
    typename Reader::Window window_;
    // On the heap, so that the bytes of a short block stay put when the cursor moves.
    std::unique_ptr<std::string> decompressed_;
  };

  // `cache` outlives the blocks. It may be null when Compression is none and Reading is mapped.
  static absl::StatusOr<TableBlocks> Open(Files files, const std::string& path,
                                          const TableMeta& expected, Cache* cache) {
    KV_ASSIGN_OR_RETURN(auto file, files.OpenForRead(path));
    KV_ASSIGN_OR_RETURN(auto reader, Reader::Open(std::move(file)));
    TableBlocks blocks(std::move(reader), Layout(path, expected), cache);
    KV_RETURN_IF_ERROR(blocks.layout_.Load(blocks.reader_));
    if constexpr (Reading::kMapped) {
      blocks.verified_ = std::make_unique<std::atomic<uint64_t>[]>(blocks.VerifiedWords());
    }
    return blocks;
  }

  const Layout& layout() const { return layout_; }
  const Reader& reader() const { return reader_; }

  // Sets `*bytes` to a block and its directory, checked, which live as long as the table and
  // `*pin`. False with `*status` set when it is damaged or cannot be read.
  bool Load(size_t block, Pin* pin, BlockBytes* bytes, absl::Status* status) const {
    const TableIndex::Block place = layout_.index().block(block);
    SetDirectory(place, bytes);
    if constexpr (Reading::kMapped) {
      std::string_view stored;
      reader_.View(place.offset, place.stored_bytes, nullptr, &stored).IgnoreError();
      if (!CheckOnce(block, place, stored, status)) [[unlikely]]
        return false;
      bytes->contents = Contents(stored);
      return !place.compressed || FromCache(place, pin, &bytes->contents) ||
             Insert(block, place, pin, &bytes->contents, status);
    } else {
      if (FromCache(place, pin, &bytes->contents)) return true;
      thread_local typename Reader::Room room;
      *status = reader_.View(place.offset, place.stored_bytes, &room, &bytes->contents);
      if (status->ok()) *status = layout_.CheckBlock(block, place, bytes->contents);
      if (!status->ok()) [[unlikely]]
        return false;
      bytes->contents = Contents(bytes->contents);
      return Insert(block, place, pin, &bytes->contents, status);
    }
  }

  // Starts loading what Load() and a search of the directory will touch, for some 100 ns later.
  void PrefetchDirectory(size_t block) const {
    BlockBytes bytes;
    SetDirectory(layout_.index().block(block), &bytes);
    if constexpr (Reading::kMapped) __builtin_prefetch(&verified_[block / 64]);
  }

  // Sets `*bytes` to a block that is read in place, unchecked: for prefetching, and no more. False
  // when its bytes are not to be had without reading or decompressing.
  bool Peek(size_t block, BlockBytes* bytes) const {
    if constexpr (Reading::kMapped) {
      const TableIndex::Block place = layout_.index().block(block);
      if (place.compressed) return false;
      bytes->directory = layout_.Directory(place);
      std::string_view stored;
      if (!reader_.View(place.offset, place.stored_bytes, nullptr, &stored).ok()) return false;
      bytes->contents = Contents(stored);
      return true;
    }
    return false;
  }

  // Load() of the neighbour, in `direction`, of the block that `*scan` or `*pin` is on, which is
  // given up. The bytes live until the next call with either of them.
  bool LoadNext(size_t block, ReadDirection direction, Scan* scan, Pin* pin, BlockBytes* bytes,
                absl::Status* status) const {
    if constexpr (Reading::kMapped) {
      return Load(block, pin, bytes, status);
    } else {
      const TableIndex::Block place = layout_.index().block(block);
      SetDirectory(place, bytes);
      std::string_view stored;
      if (!scan->window_.Holds(place.offset, place.stored_bytes, &stored)) {
        if (FromCache(place, pin, &bytes->contents)) return true;
        *status = scan->window_.Read(reader_, place.offset, place.stored_bytes,
                                     layout_.index().data_bytes(), direction, &stored);
        if (!status->ok()) [[unlikely]]
          return false;
      }
      *pin = Pin();
      *status = layout_.CheckBlock(block, place, stored);
      if (!status->ok()) [[unlikely]]
        return false;
      bytes->contents = Contents(stored);
      if (!place.compressed) return true;
      if (scan->decompressed_ == nullptr) scan->decompressed_ = std::make_unique<std::string>();
      if (!layout_.Decompress(bytes->contents, scan->decompressed_.get())) [[unlikely]] {
        *status = layout_.MalformedBlock(block);
        return false;
      }
      bytes->contents = *scan->decompressed_;
      return true;
    }
  }

  // Allocated, the object itself not counted.
  size_t MemoryBytes() const {
    const size_t words = Reading::kMapped ? VerifiedWords() : 0;
    return layout_.MemoryBytes() + words * sizeof(uint64_t);
  }

 private:
  using Reading = typename Parts::Reading;

  TableBlocks(Reader reader, Layout layout, Cache* cache)
      : reader_(std::move(reader)), layout_(std::move(layout)), cache_(cache) {}

  static std::string_view Contents(std::string_view stored) {
    return stored.substr(0, stored.size() - kBlockTrailerBytes);
  }

  void SetDirectory(const TableIndex::Block& place, BlockBytes* bytes) const {
    bytes->directory = layout_.Directory(place);
    __builtin_prefetch(bytes->directory.data());
    __builtin_prefetch(bytes->directory.data() + 64);
  }

  size_t VerifiedWords() const { return (layout_.index().blocks() + 63) / 64; }

  // Checks a block's checksum unless that was done before. relaxed: the bit says that immutable
  // bytes were seen intact and publishes nothing else; two threads that both miss it both check.
  bool CheckOnce(size_t block, const TableIndex::Block& place, std::string_view stored,
                 absl::Status* status) const {
    std::atomic<uint64_t>& word = verified_[block / 64];
    const uint64_t bit = uint64_t{1} << (block % 64);
    if ((word.load(std::memory_order_relaxed) & bit) != 0) [[likely]]
      return true;
    *status = layout_.CheckBlock(block, place, stored);
    if (!status->ok()) return false;
    word.fetch_or(bit, std::memory_order_relaxed);
    return true;
  }

  bool FromCache(const TableIndex::Block& place, Pin* pin, std::string_view* contents) const {
    if constexpr (Cache::kEnabled) {
      Pin cached = cache_->Lookup(layout_.meta().number, place.offset);
      if (!cached) return false;
      *contents = cached.bytes();
      *pin = std::move(cached);
      return true;
    }
    return false;
  }

  // Replaces `*contents`, checked, by the block, which `*pin` keeps.
  bool Insert(size_t block, const TableIndex::Block& place, Pin* pin, std::string_view* contents,
              absl::Status* status) const {
    std::string bytes;
    if (!place.compressed) {
      bytes = *contents;
    } else if (!layout_.Decompress(*contents, &bytes)) [[unlikely]] {
      *status = layout_.MalformedBlock(block);
      return false;
    }
    *pin = cache_->Insert(layout_.meta().number, place.offset, std::move(bytes));
    *contents = pin->bytes();
    return true;
  }

  Reader reader_;
  Layout layout_;
  Cache* cache_;
  std::unique_ptr<std::atomic<uint64_t>[]> verified_;  // a bit for each block, if mapped
};

}  // namespace kv

#endif  // ENGINES_LSM_TABLE_BLOCKS_H_
