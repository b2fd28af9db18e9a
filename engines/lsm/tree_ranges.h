// The range tombstones of a tree: one list for all of its tables, part of each version of it.
//
// A list is what is left of all tombstones that were flushed so far when they are cut into
// fragments (range_index.h), without what no reader can tell apart, and without those that hide
// nothing: no table with keys in their range may hold an older record. So ten thousand deletes of
// the same range are one tombstone in the list, and so are those of a queue that is trimmed from
// the front.
//
// Thread safety: immutable.
#ifndef ENGINES_LSM_TREE_RANGES_H_
#define ENGINES_LSM_TREE_RANGES_H_

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engines/lsm/manifest_edit.h"
#include "engines/lsm/range_index.h"
#include "engines/lsm/range_tombstone.h"
#include "engines/lsm/table_meta.h"
#include "kv/contract/record.h"

namespace kv {

class TreeRanges {
 public:
  explicit TreeRanges(std::vector<RangeTombstone> tombstones)
      : tombstones_(std::move(tombstones)), index_(tombstones_) {
    for (const RangeTombstone& tombstone : tombstones_) {
      newest_ = std::max(newest_, tombstone.sequence);
    }
  }
  TreeRanges(const TreeRanges&) = delete;
  TreeRanges& operator=(const TreeRanges&) = delete;

  // This list and the tombstones `fresh` of a memtable, for readers as in range_index.h.
  template <typename Tombstones>
  std::shared_ptr<const TreeRanges> With(const Tombstones& fresh,
                                         std::span<const Sequence> readers) const {
    std::vector<RangeTombstone> all = tombstones_;
    all.insert(all.end(), fresh.begin(), fresh.end());
    return std::make_shared<TreeRanges>(RangeIndex(all, readers).Tombstones());
  }

  // What a manifest edit must say to make `next` of this list.
  void Difference(const TreeRanges& next, ManifestEdit* edit) const {
    std::set_difference(next.tombstones_.begin(), next.tombstones_.end(), tombstones_.begin(),
                        tombstones_.end(), std::back_inserter(edit->ranges_added));
    std::set_difference(tombstones_.begin(), tombstones_.end(), next.tombstones_.begin(),
                        next.tombstones_.end(), std::back_inserter(edit->ranges_removed));
  }

  // This list without the tombstones for which needs(const RangeTombstone&) is false.
  template <typename Needs>
  std::vector<RangeTombstone> Needed(Needs&& needs) const {
    std::vector<RangeTombstone> needed;
    std::ranges::copy_if(tombstones_, std::back_inserter(needed), std::forward<Needs>(needs));
    return needed;
  }

  bool empty() const { return tombstones_.empty(); }
  size_t size() const { return tombstones_.size(); }
  // In their order (range_tombstone.h).
  const std::vector<RangeTombstone>& tombstones() const { return tombstones_; }
  const RangeIndex& index() const { return index_; }
  // The newest number in the list, or 0. No tombstone up to it is anywhere else, for memtables are
  // flushed in the order of their records.
  Sequence newest() const { return newest_; }

 private:
  std::vector<RangeTombstone> tombstones_;
  RangeIndex index_;  // its keys are those of tombstones_
  Sequence newest_ = 0;
};

// Whether a table may hold a record that only the tombstone hides.
inline bool NeedsRange(const TableMeta& table, const RangeTombstone& tombstone) {
  return table.largest >= tombstone.begin && IsBefore(table.smallest, tombstone.end) &&
         table.min_sequence < tombstone.sequence && table.ranges_applied < tombstone.sequence;
}

}  // namespace kv

#endif  // ENGINES_LSM_TREE_RANGES_H_
