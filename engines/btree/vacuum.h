// What keeps the file from staying as long as it ever was: each checkpoint moves some of what lies
// far behind to free places in front, so that the file's end empties and can be cut off.
//
// "Far behind" is beyond what the file would need if it were packed, and an eighth more, so that a
// store which only changes is left alone. A checkpoint looks at a bounded number of ids, in turn,
// and moves a bounded number of units; so nobody waits for a vacuum, and it ends some checkpoints
// after the last delete.
//
// Thread safety: pure decisions; one thread.
#ifndef ENGINES_BTREE_VACUUM_H_
#define ENGINES_BTREE_VACUUM_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engines/btree/page.h"
#include "engines/btree/space.h"

namespace kv::btree {

class Vacuum {
 public:
  static constexpr uint64_t kMaxUnits = 1024;
  static constexpr size_t kMaxIds = size_t{1} << 16;

  // From where on `space` should have nothing. At its end or beyond, there is nothing to do.
  static Place Limit(const Space& space) {
    return space.Used() + std::max<uint64_t>(space.Used() / 8, kSlackUnits);
  }

  // How many calls of Choose look at every id.
  static size_t Rounds(const std::vector<Extent>& places) {
    return (places.size() + kMaxIds - 1) / kMaxIds;
  }

  // The next ids whose places are at or beyond `limit`: together of at most kMaxUnits, or one.
  std::vector<PageId> Choose(const std::vector<Extent>& places, Place limit) {
    std::vector<PageId> chosen;
    uint64_t units = 0;
    const size_t looks = std::min(places.size(), kMaxIds);
    for (size_t i = 0; i < looks; ++i, ++next_) {
      if (next_ >= places.size()) next_ = 0;
      const Extent& at = places[next_];
      if (at.units == 0 || at.place < limit) continue;
      if (units != 0 && units + at.units > kMaxUnits) break;
      units += at.units;
      chosen.push_back(static_cast<PageId>(next_));
    }
    return chosen;
  }

 private:
  static constexpr uint64_t kSlackUnits = 64;

  size_t next_ = 0;  // the id to look at first
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_VACUUM_H_
