// FreeSlots: the slots that are not in use, under a lock; the one that was given back last is the
// first to be used again.
//
// Thread safety: any thread. Complexity: a lock; 4 bytes a slot.
#ifndef COORD_FREE_SLOTS_H_
#define COORD_FREE_SLOTS_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "kv/base/shard_lock.h"

namespace coord {

class FreeSlots {
 public:
  // All of 0 .. slots - 1, the lowest first.
  explicit FreeSlots(size_t slots) {
    for (size_t slot = slots; slot > 0; --slot) free_.push_back(static_cast<uint32_t>(slot - 1));
  }

  // None: all are in use.
  std::optional<uint32_t> Take() {
    const std::lock_guard lock(lock_);
    if (free_.empty()) return std::nullopt;
    const uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }

  void GiveBack(uint32_t slot) {
    const std::lock_guard lock(lock_);
    free_.push_back(slot);
  }

 private:
  kv::ShardLock lock_;
  std::vector<uint32_t> free_;  // guarded by lock_
};

}  // namespace coord

#endif  // COORD_FREE_SLOTS_H_
