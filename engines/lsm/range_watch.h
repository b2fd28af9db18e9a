// Range tombstones on the way of a cursor: which of them hides the record that it stands on.
//
// Remembers the piece of the key space around the last key in which the answer does not change, so
// that a walk searches once a piece and not once a record.
//
// Thread safety: one thread. The indexes must outlive the watch.
#ifndef ENGINES_LSM_RANGE_WATCH_H_
#define ENGINES_LSM_RANGE_WATCH_H_

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "engines/lsm/range_index.h"
#include "engines/lsm/range_tombstone.h"
#include "kv/contract/record.h"

namespace kv {

class RangeWatch {
 public:
  // Watches nothing.
  RangeWatch() = default;
  // For a reader at `at`.
  explicit RangeWatch(Sequence at) : at_(at) {}

  void Add(const RangeIndex* index) {
    if (!index->empty()) indexes_.push_back(index);
  }

  // Whether version `sequence` of `key`, which the reader would see otherwise, is hidden.
  bool Hides(std::string_view key, Sequence sequence) {
    if (indexes_.empty()) [[likely]]
      return false;
    if (!known_ || key < begin_ || !IsBefore(key, end_)) Search(key);
    return sequence < newest_;
  }

  // Of the piece around the last key: where it begins and ends (empty: no bound), and the number
  // below which every version in it is hidden.
  std::string_view begin() const { return begin_; }
  std::string_view end() const { return end_; }
  Sequence newest() const { return newest_; }

 private:
  void Search(std::string_view key) {
    known_ = true;
    newest_ = 0;
    begin_ = {};
    end_ = {};
    for (const RangeIndex* index : indexes_) {
      const auto fragments = index->fragments();
      const size_t place = index->Place(key);
      if (place == fragments.size()) {
        Narrow(fragments.back().end, {});
      } else if (key < fragments[place].begin) {
        Narrow(place == 0 ? std::string_view() : fragments[place - 1].end, fragments[place].begin);
      } else {
        Narrow(fragments[place].begin, fragments[place].end);
        newest_ = std::max(newest_, index->NewestIn(fragments[place], at_));
      }
    }
  }

  void Narrow(std::string_view begin, std::string_view end) {
    begin_ = std::max(begin_, begin);
    if (!end.empty() && IsBefore(end, end_)) end_ = end;
  }

  std::vector<const RangeIndex*> indexes_;
  Sequence at_ = 0;
  bool known_ = false;
  std::string_view begin_;
  std::string_view end_;
  Sequence newest_ = 0;
};

}  // namespace kv

#endif  // ENGINES_LSM_RANGE_WATCH_H_
