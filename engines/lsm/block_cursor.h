// Stands on an entry of one data block and moves to its neighbours.
//
// The caller keeps the block's bytes alive and knows the bounds: Advance() needs a next entry,
// MoveTo() an index below entries(). A move that answers false met a malformed entry.
//
// Invariant: buffer_ begins with the whole key of restart_ wherever an entry may share it. Going
// forwards this needs no copy of shared bytes, because within an interval the keys ascend, and so
// share ever less with its first key.
//
// The record's value is a view of the block, its key of the cursor's buffer until the next move.
// Thread safety: none.
#ifndef ENGINES_LSM_BLOCK_CURSOR_H_
#define ENGINES_LSM_BLOCK_CURSOR_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include "engines/lsm/table_block.h"
#include "engines/lsm/table_format.h"
#include "kv/contract/record.h"

namespace kv {

class BlockCursor {
 public:
  // Enters a block without standing on an entry yet; false when it is no block.
  bool Enter(const BlockBytes& bytes) { return BlockView::Parse(bytes, &block_); }

  const BlockView& block() const { return block_; }
  size_t index() const { return index_; }
  bool AtLast() const { return index_ + 1 == block_.entries(); }
  const Record& record() const { return record_; }
  // One past the entry that the cursor stands on.
  const char* entry_end() const { return next_; }

  bool MoveTo(size_t index) {
    index_ = index;
    BlockEntry entry;
    if (!block_.RestartKey(index / kBlockRestartInterval, &restart_) ||
        restart_.size() > kMaxTableKeyBytes || !block_.DecodeAt(index, &entry) ||
        entry.shared > restart_.size()) {
      return false;
    }
    Reserve(restart_.size());
    if (!restart_.empty()) std::memcpy(buffer_.get(), restart_.data(), restart_.size());
    return Take(entry);
  }

  bool Advance() {
    ++index_;
    BlockEntry entry;
    if (!block_.Decode(next_, &entry)) [[unlikely]]
      return false;
    if (index_ % kBlockRestartInterval == 0) {
      restart_ = std::string_view(entry.suffix, entry.unshared);
      if (entry.shared != 0) [[unlikely]]
        return false;
    }
    if (entry.shared > restart_.size()) [[unlikely]]
      return false;
    return Take(entry);
  }

 private:
  // Short suffixes are copied as a fixed number of bytes where the block has that many; the buffer
  // has, because Reserve() adds them.
  static constexpr ptrdiff_t kShort = 16;

  bool Take(const BlockEntry& entry) {
    const size_t size = size_t{entry.shared} + entry.unshared;
    if (size > capacity_) [[unlikely]] {
      if (size > kMaxTableKeyBytes) return false;
      Reserve(size);
    }
    char* const to = buffer_.get() + entry.shared;
    if (entry.unshared <= kShort && block_.end() - entry.suffix >= kShort) [[likely]] {
      std::memcpy(to, entry.suffix, kShort);
    } else {
      std::memcpy(to, entry.suffix, entry.unshared);
    }
    record_.key = std::string_view(buffer_.get(), size);
    entry.FillExceptKey(&record_);
    next_ = entry.end();
    return true;
  }

  // Room for a key of `size` bytes; keeps what is there.
  void Reserve(size_t size) {
    if (size <= capacity_ && buffer_ != nullptr) [[likely]]
      return;
    const size_t capacity = std::max({size, capacity_ * 2, size_t{128}});
    std::unique_ptr<char[]> buffer(new char[capacity + kShort]);
    if (buffer_ != nullptr) std::memcpy(buffer.get(), buffer_.get(), capacity_);
    buffer_ = std::move(buffer);
    capacity_ = capacity;
  }

  BlockView block_;
  size_t index_ = 0;
  const char* next_ = nullptr;
  std::string_view restart_;
  std::unique_ptr<char[]> buffer_;  // capacity_ + kShort bytes
  size_t capacity_ = 0;
  Record record_;
};

}  // namespace kv

#endif  // ENGINES_LSM_BLOCK_CURSOR_H_
