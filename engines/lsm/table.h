// An open sorted table: point reads, cursors and a full check. table_format.h has the bytes.
//
// Parts supplies Filter, Cache, Compression and Reading; Files is a FileSystem.
//
// Contract:
//   - Open() checks everything but the data blocks, against the checksums and against the meta
//     that the manifest has (table_layout.h). A data block is checked when it is touched
//     (table_blocks.h).
//   - Damage is kDataLoss with path and offset, never a wrong value: from Get through `*status`,
//     from a cursor through status(). So is a read that fails, with the code of its error.
//   - Blocks that are stored uncompressed in a mapped file are read in place: no copy, no cache, no
//     lock. All others go through the cache, and a Pin keeps the bytes while they are in use.
//
// In memory: what table_layout.h and table_blocks.h say.
//
// Not for: data that exceeds memory by far with random reads of a mapped file (kv/reading/mmap.h).
//
// Thread safety: everything const may be called from any number of threads.
#ifndef ENGINES_LSM_TABLE_H_
#define ENGINES_LSM_TABLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engines/lsm/table_block.h"
#include "engines/lsm/table_blocks.h"
#include "engines/lsm/table_cursor.h"
#include "engines/lsm/table_index.h"
#include "engines/lsm/table_meta.h"
#include "engines/lsm/table_verify.h"
#include "kv/base/bytes.h"
#include "kv/base/status.h"
#include "kv/contract/record.h"
#include "kv/reading/concept.h"

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
  using Blocks = TableBlocks<Parts, Files>;
  using Cache = typename Parts::Cache;
  using Filter = typename Parts::Filter;
  // Keeps the bytes of a block in the cache alive. Empty, and not needed, where blocks are read in
  // place.
  using Pin = typename Blocks::Pin;
  using Scan = typename Blocks::Scan;
  using Cursor = TableCursor<Table>;

  // Opens the table that `expected` describes. `cache` outlives the table; it is not touched, and
  // may be null, when Compression is none and Reading is mapped. Fails with kDataLoss when the file
  // is not that table or is damaged, with kFailedPrecondition when it was written by a newer
  // version or by another Compression or HashKey. A filter of another format is not asked.
  static absl::StatusOr<std::unique_ptr<Table>> Open(Files files, const std::string& path,
                                                     const TableMeta& expected, Cache* cache) {
    KV_ASSIGN_OR_RETURN(Blocks blocks, Blocks::Open(std::move(files), path, expected, cache));
    return std::unique_ptr<Table>(new Table(std::move(blocks)));
  }

  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  // The newest version of `key` with sequence <= `at`; `key_hash` is HashKey(key). On kFound,
  // `*found` holds it: its key is the view `key`, its value lives as long as the table and
  // `*pin`. On kError, `*status` says why. Does not allocate, except for a block that has to go
  // through the cache and is not in it.
  TableAnswer Get(std::string_view key, uint64_t key_hash, Sequence at, Record* found, Pin* pin,
                  absl::Status* status) const {
    size_t block;
    const TableAnswer answer = Locate(key, key_hash, &block);
    return answer == TableAnswer::kFound ? GetFrom(block, key, key_hash, at, found, pin, status)
                                         : answer;
  }

  // A Get in steps, so that a batch of them waits for memory together: PrefetchFilter, Locate,
  // PrefetchBlock, PrefetchEntry, GetFrom, each some 100 ns after the one before. Those that
  // prefetch change no answer.

  // kFound: `*block` is the first block that may hold a version of `key`, for GetFrom. Otherwise
  // the answer of a Get. The filter's and the index's bytes are all that it looks at.
  TableAnswer Locate(std::string_view key, uint64_t key_hash, size_t* block) const {
    if (!InRange(key)) return TableAnswer::kOutOfRange;
    if constexpr (Filter::kEnabled) {
      if (!Filter::MayContain(layout().filter(), key_hash)) return TableAnswer::kFiltered;
    }
    *block = index().LowerBound(key);
    return *block == blocks() ? TableAnswer::kAbsent : TableAnswer::kFound;
  }

  // The rest of a Get after Locate.
  TableAnswer GetFrom(size_t block, std::string_view key, uint64_t key_hash, Sequence at,
                      Record* found, Pin* pin, absl::Status* status) const {
    TableAnswer answer = SearchBlock(block, key, key_hash, at, found, pin, status);
    if (answer == TableAnswer::kAbsent && index().SeparatorEquals(block, key)) [[unlikely]] {
      // The key's versions go on in the next blocks, and the ones so far are newer than `at`.
      const size_t first = block;
      if (!FindBlock(key, at, pin, &block, status)) return TableAnswer::kError;
      if (block != first && block != blocks()) {
        answer = SearchBlock(block, key, key_hash, at, found, pin, status);
      }
    }
    return answer;
  }

  void PrefetchBlock(size_t block) const { blocks_.PrefetchDirectory(block); }

  void PrefetchEntry(size_t block, uint64_t key_hash) const {
    BlockBytes bytes;
    BlockView view;
    if (blocks_.Peek(block, &bytes) && BlockView::Parse(bytes, &view)) {
      view.PrefetchEntry(BlockFingerprint(key_hash));
    }
  }

  // Starts loading the filter's bytes for a key, for a Get some 100 ns later. Changes no answer.
  void PrefetchFilter(uint64_t key_hash) const { Filter::Prefetch(layout().filter(), key_hash); }

  // Gives up the memory that the file's bytes occupy, until they are touched again.
  void ReleaseMapping() const { blocks_.reader().Release(); }

  // What the file holds, in the terms of the manifest.
  const TableMeta& meta() const { return layout().meta(); }
  const std::string& path() const { return layout().path(); }

  // Allocated by this table, neither a mapping nor the cache counted.
  size_t MemoryBytes() const { return sizeof *this + blocks_.MemoryBytes(); }

  // The bytes of the file before the first block that may hold `key`, or the bytes of all blocks
  // when none may. O(log blocks).
  uint64_t ApproximateOffset(std::string_view key) const {
    const size_t block = index().LowerBound(key);
    return block == blocks() ? index().data_bytes() : index().block(block).offset;
  }

  // The number of blocks that may hold keys in [lower, upper): an estimate of what a scan costs.
  size_t CountBlocksIn(std::string_view lower, std::string_view upper) const {
    const size_t end = std::min(index().LowerBound(upper) + 1, blocks());
    const size_t begin = std::min(index().LowerBound(lower), end);
    return lower < upper ? end - begin : 0;
  }

  // Reads and checks every byte, whatever was checked before. O(file); see table_verify.h.
  absl::Status Verify() const { return TableVerifier::Run(*this); }

  // For cursors and Verify ---------------------------------------------------------------------

  size_t blocks() const { return index().blocks(); }
  const TableIndex& index() const { return layout().index(); }

  // TableBlocks::Load and LoadNext.
  bool LoadBlock(size_t block, Pin* pin, BlockBytes* bytes, absl::Status* status) const {
    return blocks_.Load(block, pin, bytes, status);
  }
  bool LoadNextBlock(size_t block, ReadDirection direction, Scan* scan, Pin* pin, BlockBytes* bytes,
                     absl::Status* status) const {
    return blocks_.LoadNext(block, direction, scan, pin, bytes, status);
  }

  // Sets `*block` to the first block with an entry at or after (key, sequence); or the one before,
  // which then ends before the pair; or blocks(). False with `*status` set when damage is met.
  bool FindBlock(std::string_view key, Sequence sequence, Pin* pin, size_t* block,
                 absl::Status* status) const {
    size_t low = index().LowerBound(key);
    *block = low;
    if (low == blocks() || !index().SeparatorEquals(low, key)) [[likely]]
      return true;
    // Blocks [low, high) end with a version of the key (the first perhaps just before it).
    size_t high = low + 1;
    while (high < blocks() && index().SeparatorEquals(high, key)) ++high;
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

  absl::Status MalformedBlock(size_t block) const { return layout().MalformedBlock(block); }

 private:
  explicit Table(Blocks blocks)
      : blocks_(std::move(blocks)),
        smallest_head_(KeyHead(meta().smallest)),
        largest_head_(KeyHead(meta().largest)) {}

  const typename Blocks::Layout& layout() const { return blocks_.layout(); }

  // The heads decide unless they are equal.
  bool InRange(std::string_view key) const {
    const uint64_t head = KeyHead(key);
    if (head <= smallest_head_) [[unlikely]] {
      if (head < smallest_head_ || key < meta().smallest) return false;
    }
    if (head >= largest_head_) [[unlikely]] {
      if (head > largest_head_ || key > meta().largest) return false;
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

  friend class TableVerifier;

  Blocks blocks_;
  uint64_t smallest_head_;
  uint64_t largest_head_;
};

}  // namespace kv

#endif  // ENGINES_LSM_TABLE_H_
