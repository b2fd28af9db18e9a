// What a read looks at: the tables of the tree (Version) and the memtables over them (ReadView).
// Both are immutable once published; a change publishes a new one.
//
// Thread safety: immutable, shared by reference count.
#ifndef ENGINES_LSM_VERSION_H_
#define ENGINES_LSM_VERSION_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/lsm/table.h"
#include "engines/lsm/table_meta.h"
#include "kv/compaction/choice.h"

namespace kv {

// An open table and its file. The file is removed when the last reference goes after the table has
// left the tree, so that a cursor never loses what it stands on.
template <typename Parts, typename Files>
class TableFile {
 public:
  using TableType = Table<Parts, Files>;

  TableFile(Files files, std::string path, TableMeta meta, std::unique_ptr<TableType> table)
      : files_(std::move(files)),
        path_(std::move(path)),
        meta_(std::move(meta)),
        table_(std::move(table)) {}
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;
  ~TableFile() {
    table_.reset();
    // A file that cannot be removed now is removed as unreferenced by the next open.
    // acquire: pairs with MarkObsolete.
    if (obsolete_.load(std::memory_order_acquire)) files_.Remove(path_).IgnoreError();
  }

  const TableMeta& Meta() const { return meta_; }
  const TableType& Get() const { return *table_; }
  // release: pairs with the destructor's load.
  void MarkObsolete() { obsolete_.store(true, std::memory_order_release); }

 private:
  Files files_;
  std::string path_;
  TableMeta meta_;
  std::unique_ptr<TableType> table_;
  std::atomic<bool> obsolete_{false};
};

template <typename Parts, typename Files>
struct Version {
  using File = TableFile<Parts, Files>;
  using Level = std::vector<std::shared_ptr<File>>;

  // Level 0: newest first, ranges overlap. Deeper levels: by key, ranges disjoint.
  std::vector<Level> levels;

  // A new version with `removed` (numbers) taken out and `added` put in, in each level's order.
  std::shared_ptr<const Version> With(
      const std::vector<std::pair<size_t, uint64_t>>& removed,
      const std::vector<std::pair<size_t, std::shared_ptr<File>>>& added) const {
    auto next = std::make_shared<Version>(*this);
    for (const auto& [level, number] : removed) {
      std::erase_if(next->levels[level],
                    [n = number](const auto& file) { return file->Meta().number == n; });
    }
    for (const auto& [level, file] : added) {
      if (next->levels.size() <= level) next->levels.resize(level + 1);
      next->levels[level].push_back(file);
    }
    for (size_t level = 0; level < next->levels.size(); ++level) {
      std::ranges::sort(next->levels[level], [level](const auto& a, const auto& b) {
        return level == 0 ? a->Meta().number > b->Meta().number
                          : a->Meta().smallest < b->Meta().smallest;
      });
    }
    return next;
  }

  // The shape that compaction policies decide on.
  TreeShape Shape() const {
    TreeShape shape;
    shape.levels.resize(levels.size());
    for (size_t level = 0; level < levels.size(); ++level) {
      for (const auto& file : levels[level]) {
        const TableMeta& meta = file->Meta();
        shape.levels[level].push_back({.number = meta.number,
                                       .bytes = meta.bytes,
                                       .smallest = meta.smallest,
                                       .largest = meta.largest,
                                       .entries = meta.entries,
                                       .tombstones = meta.tombstones});
      }
    }
    return shape;
  }

  std::shared_ptr<File> Find(size_t level, uint64_t number) const {
    if (level >= levels.size()) return nullptr;
    const auto found = std::ranges::find_if(
        levels[level], [number](const auto& file) { return file->Meta().number == number; });
    return found == levels[level].end() ? nullptr : *found;
  }

  // The one file of a deeper level that may hold `key`, or nullptr. O(log files).
  static const File* FileFor(const Level& level, std::string_view key) {
    const auto file = std::ranges::lower_bound(
        level, key, {}, [](const auto& f) { return std::string_view(f->Meta().largest); });
    return file == level.end() || key < (*file)->Meta().smallest ? nullptr : file->get();
  }
};

// A memtable and the log that its records are in.
template <typename Memtable>
struct LoggedMemtable {
  explicit LoggedMemtable(uint64_t log) : log_number(log) {}

  Memtable table;
  const uint64_t log_number;
};

template <typename Parts, typename Files>
struct ReadView : std::enable_shared_from_this<ReadView<Parts, Files>> {
  using Memory = LoggedMemtable<typename Parts::Memtable>;

  std::shared_ptr<Memory> active;
  std::vector<std::shared_ptr<Memory>> immutable;  // newest first
  std::shared_ptr<const Version<Parts, Files>> version;
};

}  // namespace kv

#endif  // ENGINES_LSM_VERSION_H_
