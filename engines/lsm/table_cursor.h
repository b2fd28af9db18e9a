// A RecordCursor over one table (kv/contract/record.h has the contract).
//
// Cheap to make: it reads nothing until it is first positioned, and allocates once, for keys. Holds
// one block at a time; where files are not mapped and it goes on to the next, what it has read
// ahead as well (kv/reading/pread.h). An error makes it invalid and stays in status() until the
// next seek.
//
// Lifetimes: the table outlives its cursors. record().key lives until the next move. So does
// record().value, except that the values of blocks that are stored uncompressed in a mapped file
// are views of it and live as long as the table.
//
// Thread safety: one thread for each cursor; any number of cursors on a table.
#ifndef ENGINES_LSM_TABLE_CURSOR_H_
#define ENGINES_LSM_TABLE_CURSOR_H_

#include <cstddef>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "engines/lsm/block_cursor.h"
#include "kv/contract/record.h"
#include "kv/reading/concept.h"

namespace kv {

template <typename Table>
class TableCursor {
 public:
  explicit TableCursor(const Table* table) : table_(table) {}

  bool Valid() const { return valid_; }
  const Record& record() const { return cursor_.record(); }
  const absl::Status& status() const { return status_; }

  void SeekToFirst() {
    Restart();
    if (Enter(0)) Stand(cursor_.MoveTo(0));
  }

  void SeekToLast() {
    Restart();
    if (Enter(table_->blocks() - 1)) Stand(cursor_.MoveTo(cursor_.block().entries() - 1));
  }

  void Seek(std::string_view key, Sequence sequence) {
    Restart();
    size_t block;
    if (!table_->FindBlock(key, sequence, &pin_, &block, &status_)) return;
    if (block == table_->blocks() || !Enter(block)) return;
    size_t index;
    if (!cursor_.block().LowerBound(key, sequence, &index)) return Stand(false);
    // The separator may lie between the block's last key and the next block's first.
    if (index < cursor_.block().entries()) {
      Stand(cursor_.MoveTo(index));
    } else if (block + 1 < table_->blocks() && Enter(block + 1)) {
      Stand(cursor_.MoveTo(0));
    }
  }

  void Next() {
    if (!cursor_.AtLast()) [[likely]] {
      if (!cursor_.Advance()) [[unlikely]]
        Stand(false);
      return;
    }
    valid_ = false;
    if (block_ + 1 < table_->blocks() && EnterNext(block_ + 1, ReadDirection::kForward)) {
      Stand(cursor_.MoveTo(0));
    }
  }

  void Prev() {
    if (cursor_.index() != 0) [[likely]] {
      Stand(cursor_.MoveTo(cursor_.index() - 1));
      return;
    }
    valid_ = false;
    if (block_ > 0 && EnterNext(block_ - 1, ReadDirection::kBackward)) {
      Stand(cursor_.MoveTo(cursor_.block().entries() - 1));
    }
  }

 private:
  void Restart() {
    valid_ = false;
    if (!status_.ok()) [[unlikely]]
      status_ = absl::OkStatus();
  }

  // Loads a block without standing in it.
  bool Enter(size_t block) {
    BlockBytes bytes;
    block_ = block;
    return table_->LoadBlock(block, &pin_, &bytes, &status_) && Parse(bytes);
  }

  // Goes on to a neighbour of the block.
  bool EnterNext(size_t block, ReadDirection direction) {
    BlockBytes bytes;
    block_ = block;
    return table_->LoadNextBlock(block, direction, &scan_, &pin_, &bytes, &status_) && Parse(bytes);
  }

  bool Parse(const BlockBytes& bytes) {
    if (cursor_.Enter(bytes)) [[likely]]
      return true;
    Stand(false);
    return false;
  }

  void Stand(bool well_formed) {
    valid_ = well_formed;
    if (!well_formed) [[unlikely]]
      status_ = table_->MalformedBlock(block_);
  }

  const Table* table_;
  size_t block_ = 0;
  bool valid_ = false;
  typename Table::Scan scan_;
  typename Table::Pin pin_;
  BlockCursor cursor_;
  absl::Status status_;
};

}  // namespace kv

#endif  // ENGINES_LSM_TABLE_CURSOR_H_
