// Range tombstones, cut into fragments that can be searched: disjoint key ranges in order, each
// with the sequence numbers of the tombstones over it, newest first.
//
//   tombstones   [a ------- 5 ------- m)
//                      [d -- 9 -- h)
//   fragments    [a,d):5  [d,h):9,5  [h,m):5
//
// Invariants: fragments are disjoint and ascending; each has at least one number, strictly
// descending; neighbours that touch differ in their numbers.
//
// Cost: a question takes O(log fragments); n tombstones make at most 2n - 1 fragments. To build
// takes O(n log n), and what their numbers take up: with `readers` at most one number for each of
// them and one more; without, in the worst case of ranges nested in one another, n a fragment.
//
// The keys are views: the tombstones must outlive the index and stay where they are.
// Thread safety: immutable once built.
#ifndef ENGINES_LSM_RANGE_INDEX_H_
#define ENGINES_LSM_RANGE_INDEX_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engines/lsm/range_tombstone.h"
#include "kv/contract/record.h"

namespace kv {

class RangeIndex {
 public:
  struct Fragment {
    std::string_view begin;
    std::string_view end;  // empty: no bound
    uint32_t first;        // of its numbers
    uint32_t count;
  };

  RangeIndex() = default;

  // Of all tombstones, for readers at any sequence number.
  template <typename Tombstones>
  explicit RangeIndex(const Tombstones& tombstones) : RangeIndex(tombstones, nullptr) {}

  // Only with what some reader can tell apart: those at `readers` (ascending, with the newest
  // visible number as the last) and those to come, which read at that number or later.
  template <typename Tombstones>
  RangeIndex(const Tombstones& tombstones, std::span<const Sequence> readers)
      : RangeIndex(tombstones, &readers) {}

  bool empty() const { return fragments_.empty(); }
  size_t size() const { return fragments_.size(); }
  std::span<const Fragment> fragments() const { return fragments_; }

  // Newest first.
  std::span<const Sequence> Numbers(const Fragment& fragment) const {
    return std::span(numbers_).subspan(fragment.first, fragment.count);
  }

  // The first fragment that ends behind `key`, or size(): the one over it, if any is.
  size_t Place(std::string_view key) const {
    return static_cast<size_t>(
        std::ranges::partition_point(fragments_,
                                     [key](const Fragment& f) { return !IsBefore(key, f.end); }) -
        fragments_.begin());
  }

  // The newest number at or before `at` over `key`, or 0: it hides the key's versions below it.
  Sequence NewestAt(std::string_view key, Sequence at) const {
    const size_t place = Place(key);
    if (place == size() || key < fragments_[place].begin) return 0;
    return NewestIn(fragments_[place], at);
  }

  Sequence NewestIn(const Fragment& fragment, Sequence at) const {
    for (const Sequence number : Numbers(fragment)) {
      if (number <= at) return number;
    }
    return 0;
  }

  // The oldest number above `sequence` in the fragment, or kMaxSequence + 1: readers from it on do
  // not see a version of that sequence.
  Sequence OldestAbove(const Fragment& fragment, Sequence sequence) const {
    Sequence oldest = kMaxSequence + 1;
    for (const Sequence number : Numbers(fragment)) {
      if (number <= sequence) break;
      oldest = number;
    }
    return oldest;
  }

  // The fragments as tombstones, in their order: a list that hides the same.
  std::vector<RangeTombstone> Tombstones() const {
    std::vector<RangeTombstone> list;
    list.reserve(numbers_.size());
    for (const Fragment& fragment : fragments_) {
      for (const Sequence number : Numbers(fragment)) {
        list.push_back({std::string(fragment.begin), std::string(fragment.end), number});
      }
    }
    return list;
  }

  size_t MemoryBytes() const {
    return fragments_.capacity() * sizeof(Fragment) + numbers_.capacity() * sizeof(Sequence);
  }

 private:
  // How many tombstones of a number are over the place that the sweep has come to.
  using Open = std::map<Sequence, size_t, std::greater<>>;
  struct Event {
    std::string_view key;
    Sequence sequence;
    bool begins;
  };

  // A sweep over the ends of the ranges.
  template <typename Tombstones>
  RangeIndex(const Tombstones& tombstones, const std::span<const Sequence>* readers) {
    std::vector<Event> events;
    for (const RangeTombstone& tombstone : tombstones) {
      events.push_back({tombstone.begin, tombstone.sequence, true});
      if (!tombstone.end.empty()) events.push_back({tombstone.end, tombstone.sequence, false});
    }
    std::ranges::sort(events, {}, &Event::key);
    Open open;
    for (size_t i = 0; i < events.size();) {
      const std::string_view key = events[i].key;
      for (; i < events.size() && events[i].key == key; ++i) {
        if (events[i].begins) {
          ++open[events[i].sequence];
        } else if (const auto found = open.find(events[i].sequence); --found->second == 0) {
          open.erase(found);
        }
      }
      // The key of the next event is not empty, for it comes after another.
      if (!open.empty()) {
        Append(key, i == events.size() ? std::string_view() : events[i].key, open, readers);
      }
    }
    fragments_.shrink_to_fit();
    numbers_.shrink_to_fit();
  }

  void Append(std::string_view begin, std::string_view end, const Open& open,
              const std::span<const Sequence>* readers) {
    const auto first = static_cast<uint32_t>(numbers_.size());
    if (readers == nullptr) {
      for (const auto& [number, unused] : open) numbers_.push_back(number);
    } else {
      AppendWhatIsRead(open, *readers);
    }
    const auto count = static_cast<uint32_t>(numbers_.size()) - first;
    if (!fragments_.empty()) {
      Fragment& before = fragments_.back();
      if (before.end == begin &&
          std::ranges::equal(Numbers(before), std::span(numbers_).subspan(first))) {
        before.end = end;
        numbers_.resize(first);
        return;
      }
    }
    fragments_.push_back({begin, end, first, count});
  }

  // Of each reader the newest number that it sees, and all that are not visible to anyone yet.
  void AppendWhatIsRead(const Open& open, std::span<const Sequence> readers) {
    for (const auto& [number, unused] : open) {
      if (number <= readers.back()) break;
      numbers_.push_back(number);
    }
    Sequence last = kMaxSequence + 1;
    for (size_t i = readers.size(); i-- > 0;) {
      const auto number = open.lower_bound(readers[i]);  // the newest at or before it
      if (number == open.end()) return;
      if (number->first != last) numbers_.push_back(number->first);
      last = number->first;
    }
  }

  std::vector<Fragment> fragments_;
  std::vector<Sequence> numbers_;
};

}  // namespace kv

#endif  // ENGINES_LSM_RANGE_INDEX_H_
