// Reads all live records of a log-structured store as they are at one instant, while writes go on.
//
// The index is frozen (index.h) together with the list of segments; records are read where the
// frozen index points. O(keys), in the order of the index, which is none: about a cache miss or two
// a key when the store is in memory, and a random read when it is not.
//
// Thread safety: any thread, outside the store's gate.
#ifndef ENGINES_LOG_SCAN_H_
#define ENGINES_LOG_SCAN_H_

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "engines/log/store.h"
#include "kv/base/status.h"

namespace kv {

// Calls visit(const LogEntry&) for each key's record; the entry lives during the call.
// `at_instant()` runs at the instant whose state is shown. kDataLoss where a record is damaged.
template <typename Environment, typename AtInstant, typename Visit>
absl::Status ScanLive(LogStore<Environment>& store, AtInstant&& at_instant, Visit&& visit) {
  using SegmentRef = typename LogStore<Environment>::SegmentRef;
  std::vector<SegmentRef> by_place;  // holds the segments while they are read
  std::optional<LogIndex::Frozen> frozen;
  {
    const std::lock_guard move_lock(store.move_mutex());
    frozen.emplace(store.keydir().index().Freeze());
    std::forward<AtInstant>(at_instant)();
    // Segments are added, sealed and retired, but what the index has pointed to is in the list.
    for (SegmentRef& segment : store.AllSegments()) {
      if (by_place.size() <= segment->place) by_place.resize(segment->place + 1);
      by_place[segment->place] = std::move(segment);
    }
  }
  absl::Status status;
  LogEntry entry;
  frozen->ForEach([&](Location at) {
    if (!status.ok()) return;
    const auto guard =
        store.keydir().Enter();  // a segment may change from memory to file meanwhile
    status = by_place[at.place()]->Read(at.offset(), &entry);
    if (status.ok()) visit(static_cast<const LogEntry&>(entry));
  });
  return status;
}

}  // namespace kv

#endif  // ENGINES_LOG_SCAN_H_
