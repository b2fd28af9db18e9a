// A point read on its way through the tables of a tree: level 0 from the newest table on, then the
// one table of each deeper level whose range holds the key. It ends with the first version found at
// or before the sequence number.
//
// Thread safety: one thread. The tree must outlive the search, and the search what it found.
#ifndef ENGINES_LSM_TABLE_SEARCH_H_
#define ENGINES_LSM_TABLE_SEARCH_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engines/lsm/counters.h"
#include "engines/lsm/table.h"
#include "engines/lsm/version.h"
#include "kv/base/hash.h"
#include "kv/contract/record.h"

namespace kv {

template <typename Parts, typename Files>
class TableSearch {
 public:
  using TableType = Table<Parts, Files>;
  using Tree = Version<Parts, Files>;

  TableSearch(std::string_view key, Sequence at) : key_(key), hash_(HashKey(key)), at_(at) {}

  // A Run in steps, so that a batch of searches waits for memory together: each of these starts
  // loading what the next one looks at. They may be left out, but for those before one that is not.
  // All on the same tree.

  // Finds the tables whose ranges hold the key. Loads the lines of their filters.
  void Prepare(const Tree& tree) {
    if (tree.levels.empty()) return;
    for (const auto& file : tree.levels[0]) file->Get().PrefetchFilter(hash_);
    prepared_ = std::min(tree.levels.size(), kMaxPrepared);
    for (size_t level = 1; level < prepared_; ++level) {
      files_[level] = Tree::FileFor(tree.levels[level], key_);
      if (files_[level] != nullptr) files_[level]->Get().PrefetchFilter(hash_);
    }
  }

  // Asks the filters, up to the first table that may hold the key. Loads the directory of the block
  // there.
  void Aim(const Tree& tree) {
    while (const TableType* const table = NextTable(tree)) {
      answer_ = table->Locate(key_, hash_, &block_);
      if (answer_ == TableAnswer::kFound) {
        aimed_ = table;
        return table->PrefetchBlock(block_);
      }
      CountAnswer();
    }
  }

  // Asks the directory. Loads the entry.
  void Approach() {
    if (aimed_ != nullptr) aimed_->PrefetchEntry(block_, hash_);
  }

  void Run(const Tree& tree) {
    if (prepared_ == 0 && !tree.levels.empty()) {
      // The filters' lines are on their way while the first is asked.
      for (const auto& file : tree.levels[0]) file->Get().PrefetchFilter(hash_);
    }
    if (aimed_ != nullptr) {
      answer_ = aimed_->GetFrom(block_, key_, hash_, at_, &record_, &pin_, &status_);
      CountAnswer();
      if (Ended()) return;
    }
    while (const TableType* const table = NextTable(tree)) {
      answer_ = table->Get(key_, hash_, at_, &record_, &pin_, &status_);
      CountAnswer();
      if (Ended()) return;
    }
  }

  // kFound: record() is the version, perhaps a tombstone; its key is the view that was searched
  // for. kError: status() says why. Anything else: no table has one.
  TableAnswer answer() const { return answer_; }
  const Record& record() const { return record_; }
  const absl::Status& status() const { return status_; }

  void CountIn(LsmCounters& counters) const {
    if (searched_ != 0) counters.Add(LsmCounter::kTableSearches, searched_);
    if (filtered_ != 0) counters.Add(LsmCounter::kFilterNegatives, filtered_);
    if (absent_ != 0) counters.Add(LsmCounter::kFilterFalsePositives, absent_);
  }

 private:
  static constexpr size_t kMaxPrepared = 8;

  // The next table, from the newest on, whose range may hold the key; null after the last.
  const TableType* NextTable(const Tree& tree) {
    if (level_ == 0) {
      if (tree.levels.empty()) return nullptr;
      if (place_ < tree.levels[0].size()) return &tree.levels[0][place_++]->Get();
      level_ = 1;
    }
    while (level_ < tree.levels.size()) {
      const auto* const file =
          level_ < prepared_ ? files_[level_] : Tree::FileFor(tree.levels[level_], key_);
      ++level_;
      if (file != nullptr) return &file->Get();
    }
    return nullptr;
  }

  bool Ended() const { return answer_ == TableAnswer::kFound || answer_ == TableAnswer::kError; }

  void CountAnswer() {
    searched_ += answer_ != TableAnswer::kOutOfRange;
    filtered_ += answer_ == TableAnswer::kFiltered;
    absent_ += answer_ == TableAnswer::kAbsent;
  }

  const std::string_view key_;
  const uint64_t hash_;
  const Sequence at_;
  Record record_;
  typename TableType::Pin pin_;  // holds what record_ points to
  absl::Status status_;
  TableAnswer answer_ = TableAnswer::kAbsent;
  uint64_t searched_ = 0;
  uint64_t filtered_ = 0;
  uint64_t absent_ = 0;
  size_t level_ = 0;                  // of the next table
  size_t place_ = 0;                  // of the next table in level 0
  const TableType* aimed_ = nullptr;  // the table that Aim found, and the block in it
  size_t block_ = 0;
  size_t prepared_ = 0;  // levels of which files_ has the table, but for level 0
  std::array<const TableFile<Parts, Files>*, kMaxPrepared> files_;
};

}  // namespace kv

#endif  // ENGINES_LSM_TABLE_SEARCH_H_
