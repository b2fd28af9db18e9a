// Which places of the file are free: a bitmap, one bit for each unit of page_bytes.
//
// First fit from the lowest place that may be free, so that the file's end empties and can be cut
// off. A search looks at a bounded number of words, and then the file grows instead: no fill or
// fragmentation makes an allocation crawl.
//
// It is not stored: whoever opens the store marks what the page table names.
//
// Thread safety: one thread at a time.
#ifndef ENGINES_BTREE_SPACE_H_
#define ENGINES_BTREE_SPACE_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engines/btree/page.h"

namespace kv::btree {

struct Extent {
  Place place = 0;
  uint64_t units = 0;
};

class Space {
 public:
  // False when a unit is taken already.
  bool Mark(Extent extent) {
    Grow(extent.place + extent.units);
    for (uint64_t unit = extent.place; unit < extent.place + extent.units; ++unit) {
      if (Taken(unit)) return false;
      words_[unit / 64] |= uint64_t{1} << (unit % 64);
    }
    end_ = std::max(end_, extent.place + extent.units);
    used_ += extent.units;
    return true;
  }

  // Up to `units` free units in a row, at least one.
  Extent AllocateRun(uint64_t units) {
    const Place first = FirstFree(lowest_);
    Extent extent{first, 1};
    while (extent.units < units && !Taken(first + extent.units)) ++extent.units;
    Mark(extent);
    // A search that was given up has seen that much taken, and nothing of what is behind.
    lowest_ = std::min(first + extent.units, lowest_ / 64 * 64 + kMaxSearch);
    return extent;
  }

  // Exactly `units` in a row.
  Extent Allocate(uint64_t units) {
    if (units == 1) return AllocateRun(1);
    const Place limit = std::min<Place>(end_, lowest_ + kMaxSearch);
    Place from = FirstFit(units, limit);
    if (from >= limit) from = end_;
    const Extent extent{from, units};
    Mark(extent);
    return extent;
  }

  // Exactly `units` in a row that end at or before `limit`; no units when a bounded search finds
  // none.
  Extent AllocateBelow(uint64_t units, Place limit) {
    const Place searched = std::min(limit, lowest_ + kMaxSearch);
    const Place from = FirstFit(units, searched);
    if (from >= searched || from + units > limit) return {};
    const Extent extent{from, units};
    Mark(extent);
    return extent;
  }

  void Release(Extent extent) {
    for (uint64_t unit = extent.place; unit < extent.place + extent.units; ++unit) {
      words_[unit / 64] &= ~(uint64_t{1} << (unit % 64));
    }
    used_ -= extent.units;
    lowest_ = std::min(lowest_, extent.place);
    while (end_ > 0 && !Taken(end_ - 1)) --end_;
  }

  bool Taken(Place place) const {
    const size_t word = place / 64;
    return word < words_.size() && (words_[word] >> (place % 64) & 1) != 0;
  }

  // One past the last unit in use.
  Place End() const { return end_; }
  // The same when these are released.
  Place EndWithout(const std::vector<Extent>& extents) const {
    Space rest = *this;
    for (const Extent extent : extents) rest.Release(extent);
    return rest.End();
  }
  uint64_t Used() const { return used_; }

 private:
  static constexpr Place kMaxSearch = Place{1} << 20;
  static_assert(kMaxSearch % 64 == 0);

  // Where the first `units` free units in a row begin, or `limit` or above when that is not below
  // it.
  Place FirstFit(uint64_t units, Place limit) const {
    Place from = FirstFree(lowest_);
    while (from < limit) {
      uint64_t run = 1;
      while (run < units && !Taken(from + run)) ++run;
      if (run == units) break;
      from = FirstFree(from + run);
    }
    return from;
  }

  void Grow(Place end) {
    if (words_.size() * 64 < end) words_.resize(std::max<size_t>(end / 64 + 1, words_.size() * 2));
  }

  Place FirstFree(Place from) const {
    size_t word = from / 64;
    if (word >= words_.size()) return from;
    uint64_t free = ~words_[word] & (~uint64_t{0} << (from % 64));
    const size_t last = std::min<size_t>(words_.size(), word + kMaxSearch / 64);
    while (free == 0 && ++word < last) free = ~words_[word];
    if (free == 0) return std::max<Place>(end_, from);
    return word * 64 + static_cast<Place>(std::countr_zero(free));
  }

  std::vector<uint64_t> words_;
  Place lowest_ = 0;  // nothing below is free
  Place end_ = 0;
  uint64_t used_ = 0;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_SPACE_H_
