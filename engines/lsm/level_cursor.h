// A RecordCursor over tables with disjoint, ascending key ranges, one after the other: a level of
// the tree, or any single table.
//
// Omits: reading ahead in the next table. Record views live until the next move.
// Thread safety: one thread. The tables must outlive the cursor.
#ifndef ENGINES_LSM_LEVEL_CURSOR_H_
#define ENGINES_LSM_LEVEL_CURSOR_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "engines/lsm/range_tombstone.h"
#include "engines/lsm/version.h"
#include "kv/contract/record.h"

namespace kv {

template <typename Parts, typename Files>
class LevelCursor {
 public:
  using File = TableFile<Parts, Files>;
  using TableCursor = typename File::TableType::Cursor;

  explicit LevelCursor(std::span<const std::shared_ptr<File>> files) : files_(files) {}

  bool Valid() const { return cursor_.has_value() && cursor_->Valid(); }

  void SeekToFirst() {
    if (!Enter(0)) return;
    cursor_->SeekToFirst();
    SkipForward();
  }

  void SeekToLast() {
    if (!Enter(files_.size() - 1)) return;
    cursor_->SeekToLast();
    SkipBackward();
  }

  void Seek(std::string_view key, Sequence sequence) {
    const auto file = std::ranges::lower_bound(
        files_, key, {}, [](const auto& f) { return std::string_view(f->Meta().largest); });
    if (!Enter(static_cast<size_t>(file - files_.begin()))) return;
    cursor_->Seek(key, sequence);
    SkipForward();
  }

  void Next() {
    cursor_->Next();
    if (!cursor_->Valid()) [[unlikely]]
      SkipForward();
  }

  void Prev() {
    cursor_->Prev();
    if (!cursor_->Valid()) [[unlikely]]
      SkipBackward();
  }

  // Goes on to the first record at or behind `end` (empty: to the next table), if every record of
  // this table is older than `newest`; otherwise stays and is false. The same backward: to the last
  // record before `begin`.
  bool SkipTo(std::string_view end, Sequence newest) {
    const TableMeta& meta = files_[index_]->Meta();
    if (meta.max_sequence >= newest) return false;
    if (IsBefore(meta.largest, end)) {
      if (Enter(index_ + 1)) cursor_->SeekToFirst();
    } else {
      cursor_->Seek(end, kMaxSequence);
    }
    if (cursor_) SkipForward();
    return true;
  }
  bool SkipBefore(std::string_view begin, Sequence newest) {
    const TableMeta& meta = files_[index_]->Meta();
    if (meta.max_sequence >= newest) return false;
    if (begin <= meta.smallest) {
      if (Enter(index_ - 1)) cursor_->SeekToLast();
    } else {
      cursor_->Seek(begin, kMaxSequence);
      if (cursor_->Valid()) cursor_->Prev();
    }
    if (cursor_) SkipBackward();
    return true;
  }

  const Record& record() const { return cursor_->record(); }
  absl::Status status() const { return cursor_ ? cursor_->status() : absl::OkStatus(); }

 private:
  bool Enter(size_t index) {
    if (index >= files_.size()) {  // also the "last" of no files
      cursor_.reset();
      return false;
    }
    if (!cursor_ || index != index_) cursor_.emplace(&files_[index]->Get());
    index_ = index;
    return true;
  }

  // An error stops the walk where it is, so that status() keeps it.
  void SkipForward() {
    while (!cursor_->Valid() && cursor_->status().ok()) {
      if (!Enter(index_ + 1)) return;
      cursor_->SeekToFirst();
    }
  }

  void SkipBackward() {
    while (!cursor_->Valid() && cursor_->status().ok()) {
      if (!Enter(index_ - 1)) return;  // before 0 is past the end
      cursor_->SeekToLast();
    }
  }

  std::span<const std::shared_ptr<File>> files_;
  size_t index_ = 0;
  std::optional<TableCursor> cursor_;
};

}  // namespace kv

#endif  // ENGINES_LSM_LEVEL_CURSOR_H_
