// The range tombstones of one memtable, in the order of their arrival.
//
// They are indexed in runs whose sizes are powers of two, like the digits of a counter: a new
// tombstone is a run of one, and runs of equal size become one. So n tombstones are in at most
// log2(n) + 1 indexes, an insert moves O(log n) tombstones in the long run (O(n) now and then), and
// a question takes O(log^2 n). What readers may still look at is kept until the log goes, and
// counted in MemoryBytes(), so that a memtable with many of them is full in time.
//
// A memtable without range tombstones costs a reader one load.
//
// Thread safety: Insert in one thread at a time; everything const in any thread, beside it.
// Memory order: the list of indexes is published with a release and loaded with an acquire; what it
// points to is immutable. An insert that happens before a question is seen by it.
#ifndef ENGINES_LSM_RANGE_LOG_H_
#define ENGINES_LSM_RANGE_LOG_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/lsm/range_index.h"
#include "engines/lsm/range_tombstone.h"
#include "kv/base/atomic.h"
#include "kv/contract/record.h"

namespace kv {

class RangeLog {
 public:
  RangeLog() = default;
  RangeLog(const RangeLog&) = delete;
  RangeLog& operator=(const RangeLog&) = delete;

  void Insert(std::string_view begin, std::string_view end, Sequence sequence) {
    bytes_ += sizeof(RangeTombstone) + begin.size() + end.size();
    tombstones_.push_back({std::string(begin), std::string(end), sequence});
    Indexes next = lists_.empty() ? Indexes() : *lists_.back();
    size_t first = tombstones_.size() - 1;
    size_t run = 1;
    while (!next.empty() && next.back().run == run) {
      first -= run;
      run *= 2;
      next.pop_back();
    }
    const auto from = tombstones_.begin() + static_cast<ptrdiff_t>(first);
    indexes_.push_back(std::make_unique<RangeIndex>(Members{from, tombstones_.end()}));
    next.push_back({run, indexes_.back().get()});
    bytes_ += indexes_.back()->MemoryBytes() + next.size() * sizeof(Run) + kListBytes;
    lists_.push_back(std::make_unique<const Indexes>(std::move(next)));
    // release: pairs with the acquire in ForEachIndex.
    current_.store(lists_.back().get(), std::memory_order_release);
    // relaxed: for the flush trigger.
    memory_bytes_.store(bytes_, std::memory_order_relaxed);
  }

  // relaxed: who then asks for a key loads the list again, and whoever flushes the log comes behind
  // the last insert in any case.
  bool empty() const { return current_.load(std::memory_order_relaxed) == nullptr; }

  // The newest number at or before `at` over `key`, or 0.
  Sequence NewestAt(std::string_view key, Sequence at) const {
    Sequence newest = 0;
    ForEachIndex(
        [&](const RangeIndex& index) { newest = std::max(newest, index.NewestAt(key, at)); });
    return newest;
  }

  // Calls visit(const RangeIndex&) for indexes that together hold all tombstones so far. They live
  // as long as the log.
  template <typename Visitor>
  void ForEachIndex(Visitor&& visit) const {
    // acquire: pairs with the release in Insert.
    const Indexes* const runs = current_.load(std::memory_order_acquire);
    if (runs == nullptr) [[likely]]
      return;
    for (const Run& run : *runs) visit(*run.index);
  }

  // All of them, oldest first. Only when no insert is under way, nor comes.
  const std::deque<RangeTombstone>& Tombstones() const { return tombstones_; }

  // relaxed: for the flush trigger.
  size_t MemoryBytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Run {
    size_t run;  // how many tombstones
    const RangeIndex* index;
  };
  // Clang 14 cannot read std::ranges::subrange of GCC 12's library.
  struct Members {
    std::deque<RangeTombstone>::const_iterator first;
    std::deque<RangeTombstone>::const_iterator last;
    auto begin() const { return first; }
    auto end() const { return last; }
  };
  using Indexes = std::vector<Run>;  // the longest run, which is the oldest, first
  // What the allocator and the lists of pointers take for each insert, roughly.
  static constexpr size_t kListBytes = 128;

  std::deque<RangeTombstone> tombstones_;  // a deque: they stay where they are
  std::vector<std::unique_ptr<const RangeIndex>> indexes_;
  std::vector<std::unique_ptr<const Indexes>> lists_;
  size_t bytes_ = 0;
  Atomic<size_t> memory_bytes_{0};
  Atomic<const Indexes*> current_{nullptr};
};

}  // namespace kv

#endif  // ENGINES_LSM_RANGE_LOG_H_
