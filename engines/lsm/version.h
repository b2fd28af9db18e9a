// What a read looks at: the tables of the tree (Version) and the memtables over them (ReadView).
// Both are immutable once published; a change publishes a new one.
//
// Thread safety: immutable, shared by reference count.
#ifndef ENGINES_LSM_VERSION_H_
#define ENGINES_LSM_VERSION_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "engines/lsm/range_log.h"
#include "engines/lsm/table.h"
#include "engines/lsm/table_meta.h"
#include "engines/lsm/tree_ranges.h"
#include "engines/lsm/tree_values.h"
#include "engines/lsm/value_file.h"
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
  // One for each of Meta().values. Set before the table is part of a tree.
  const std::vector<std::shared_ptr<ValueFile<Parts, Files>>>& Values() const { return values_; }
  void SetValues(std::vector<std::shared_ptr<ValueFile<Parts, Files>>> values) {
    values_ = std::move(values);
  }
  // release: pairs with the destructor's load.
  void MarkObsolete() { obsolete_.store(true, std::memory_order_release); }

 private:
  Files files_;
  std::string path_;
  TableMeta meta_;
  std::unique_ptr<TableType> table_;
  std::vector<std::shared_ptr<ValueFile<Parts, Files>>> values_;
  std::atomic<bool> obsolete_{false};
};

template <typename Parts, typename Files>
struct Version {
  using File = TableFile<Parts, Files>;
  using Level = std::vector<std::shared_ptr<File>>;

  // Level 0: newest first, ranges overlap. Deeper levels: by key, ranges disjoint.
  std::vector<Level> levels;
  // Never null.
  std::shared_ptr<const TreeRanges> ranges =
      std::make_shared<TreeRanges>(std::vector<RangeTombstone>());
  // Null where the Values part separates nothing, and before there has been a table.
  std::shared_ptr<const TreeValues<Parts, Files>> values;

  // A new version with `removed` (numbers) taken out and `added` put in, in each level's order. In
  // level 0 the newest data comes first: an output of compaction takes the place of its inputs.
  Version With(const std::vector<std::pair<size_t, uint64_t>>& removed,
               const std::vector<std::pair<size_t, std::shared_ptr<File>>>& added) const {
    Version next = *this;
    for (const auto& [level, number] : removed) {
      std::erase_if(next.levels[level],
                    [n = number](const auto& file) { return file->Meta().number == n; });
    }
    for (const auto& [level, file] : added) {
      if (next.levels.size() <= level) next.levels.resize(level + 1);
      next.levels[level].push_back(file);
    }
    for (size_t level = 0; level < next.levels.size(); ++level) {
      std::ranges::sort(next.levels[level], [level](const auto& a, const auto& b) {
        return level == 0 ? IsNewer(a->Meta(), b->Meta()) : a->Meta().smallest < b->Meta().smallest;
      });
    }
    if constexpr (Parts::Values::kSeparates) {
      next.values = TreeValues<Parts, Files>::Of(next.levels);
    }
    return next;
  }

  // The shape that compaction policies decide on.
  TreeShape Shape(uint64_t now_unix_millis) const {
    TreeShape shape;
    shape.now_unix_millis = now_unix_millis;
    shape.levels.resize(levels.size());
    for (size_t level = 0; level < levels.size(); ++level) {
      for (const auto& file : levels[level]) {
        const TableMeta& meta = file->Meta();
        shape.levels[level].push_back({.number = meta.number,
                                       .bytes = meta.bytes,
                                       .smallest = meta.smallest,
                                       .largest = meta.largest,
                                       .entries = meta.entries,
                                       .tombstones = meta.tombstones,
                                       .latest_expiry = meta.AllExpiredAt()});
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

 private:
  static bool IsNewer(const TableMeta& a, const TableMeta& b) {
    return std::tie(a.max_sequence, a.number) > std::tie(b.max_sequence, b.number);
  }
};

// A memtable, its range tombstones, and the log that all of them are in.
template <typename Memtable>
struct LoggedMemtable {
  explicit LoggedMemtable(uint64_t log) : log_number(log) {}

  // Takes a record of any kind; as Memtable::Insert, and in one thread at a time.
  void Insert(const Record& record) {
    Add(&user_bytes_, record.key.size() + record.value.size());
    if (record.kind == RecordKind::kRangeTombstone) [[unlikely]] {
      ranges.Insert(record.key, record.value, record.sequence);
    } else {
      table.Insert(record);
    }
  }
  bool Empty() const { return table.Entries() == 0 && ranges.empty(); }
  size_t MemoryBytes() const { return table.MemoryBytes() + ranges.MemoryBytes(); }

  // Of keys and values, overwritten ones included.
  uint64_t UserBytes() const { return user_bytes_.load(std::memory_order_relaxed); }
  // Of the log's records.
  uint64_t LogBytes() const { return log_bytes_.load(std::memory_order_relaxed); }
  void CountLogged(uint64_t bytes) { Add(&log_bytes_, bytes); }

  Memtable table;
  RangeLog ranges;
  const uint64_t log_number;

 private:
  // relaxed: gauges, and one writer.
  static void Add(std::atomic<uint64_t>* gauge, uint64_t bytes) {
    gauge->store(gauge->load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  }

  std::atomic<uint64_t> user_bytes_{0};
  std::atomic<uint64_t> log_bytes_{0};
};

template <typename Parts, typename Files>
struct ReadView : std::enable_shared_from_this<ReadView<Parts, Files>> {
  using Memory = LoggedMemtable<typename Parts::Memtable>;

  std::shared_ptr<Memory> active;
  std::vector<std::shared_ptr<Memory>> immutable;  // newest first
  std::shared_ptr<const Version<Parts, Files>> version;

  // Whether a reader at `at` does not see version `sequence` of `key`, because of a range
  // tombstone. Costs next to nothing while there are none.
  bool Hidden(std::string_view key, Sequence sequence, Sequence at) const {
    if (active->ranges.NewestAt(key, at) > sequence) return true;
    for (const auto& memory : immutable) {
      if (memory->ranges.NewestAt(key, at) > sequence) return true;
    }
    const TreeRanges& tree = *version->ranges;
    return !tree.empty() && tree.index().NewestAt(key, at) > sequence;
  }
};

}  // namespace kv

#endif  // ENGINES_LSM_VERSION_H_
