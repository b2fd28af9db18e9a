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

  TableSearch(std::string_view key, Sequence at) : key_(key), hash_(HashKey(key)), at_(at) {}

  // Looks up which tables may hold the key and starts loading the lines of their filters, for a Run
  // on the same tree some 100 ns later.
  void Prepare(const Version<Parts, Files>& tree) {
    if (tree.levels.empty()) return;
    for (const auto& file : tree.levels[0]) file->Get().PrefetchFilter(hash_);
    prepared_ = std::min(tree.levels.size(), kMaxPrepared);
    for (size_t level = 1; level < prepared_; ++level) {
      files_[level] = Version<Parts, Files>::FileFor(tree.levels[level], key_);
      if (files_[level] != nullptr) files_[level]->Get().PrefetchFilter(hash_);
    }
  }

  void Run(const Version<Parts, Files>& tree) {
    if (tree.levels.empty()) return;
    if (prepared_ == 0) {
      // The filters' lines are on their way while the first is asked.
      for (const auto& file : tree.levels[0]) file->Get().PrefetchFilter(hash_);
    }
    for (const auto& file : tree.levels[0]) {
      if (EndsIn(file->Get())) return;
    }
    for (size_t level = 1; level < tree.levels.size(); ++level) {
      const auto* const file = level < prepared_
                                   ? files_[level]
                                   : Version<Parts, Files>::FileFor(tree.levels[level], key_);
      if (file != nullptr && EndsIn(file->Get())) return;
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

  bool EndsIn(const TableType& table) {
    answer_ = table.Get(key_, hash_, at_, &record_, &pin_, &status_);
    searched_ += answer_ != TableAnswer::kOutOfRange;
    filtered_ += answer_ == TableAnswer::kFiltered;
    absent_ += answer_ == TableAnswer::kAbsent;
    return answer_ == TableAnswer::kFound || answer_ == TableAnswer::kError;
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
  size_t prepared_ = 0;  // levels of which files_ has the table, but for level 0
  std::array<const TableFile<Parts, Files>*, kMaxPrepared> files_;
};

}  // namespace kv

#endif  // ENGINES_LSM_TABLE_SEARCH_H_
