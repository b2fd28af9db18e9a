// Which versions a flush or compaction keeps.
//
// A version is needed if some reader can still see it: a snapshot, or anyone who reads the newest.
// So of each key the newest version is kept, and every version that is the newest at or before some
// snapshot. Expired values count as tombstones. Where nothing older can lie below the output
// (`bottommost`), a tombstone that every snapshot sees is dropped, for there is nothing left for it
// to hide, and sequence numbers that no snapshot can tell apart become 0, which takes fewer bytes.
//
// A pure decision: records go in, in internal order, and come out changed or not at all.
// Thread safety: one thread.
#ifndef ENGINES_LSM_RETENTION_H_
#define ENGINES_LSM_RETENTION_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kv/contract/record.h"

namespace kv {

template <typename Expiry>
class Retention {
 public:
  // `snapshots`: sequence numbers that are being read at, in any order, with that of the newest
  // visible write among them. `now`: Unix milliseconds.
  Retention(std::vector<Sequence> snapshots, bool bottommost, uint64_t now)
      : snapshots_(std::move(snapshots)), bottommost_(bottommost), now_(now) {
    std::ranges::sort(snapshots_);
  }

  // Whether to write the record, which is then changed as it is to be written.
  bool Keep(Record* record) {
    const bool same_key = any_ && record->key == key_;
    const Sequence newer = newer_;
    if (!same_key) key_.assign(record->key);
    any_ = true;
    newer_ = record->sequence;
    if (same_key && !SeenBelow(record->sequence, newer)) return false;
    if (Expiry::Expired(record->expires_at, now_)) {
      ++expired_;
      record->kind = RecordKind::kTombstone;
      record->value = {};
      record->expires_at = kNeverExpires;
    }
    if (bottommost_ && record->sequence <= snapshots_.front()) {
      if (record->kind == RecordKind::kTombstone) return false;
      record->sequence = 0;
    }
    return true;
  }

  uint64_t Expired() const { return expired_; }

 private:
  // Whether a snapshot sees version `sequence` although the next newer version is `newer`.
  bool SeenBelow(Sequence sequence, Sequence newer) const {
    const auto reader = std::ranges::lower_bound(snapshots_, sequence);
    return reader != snapshots_.end() && *reader < newer;
  }

  std::vector<Sequence> snapshots_;  // ascending
  const bool bottommost_;
  const uint64_t now_;
  std::string key_;
  Sequence newer_ = 0;  // of the version before this one
  bool any_ = false;
  uint64_t expired_ = 0;
};

}  // namespace kv

#endif  // ENGINES_LSM_RETENTION_H_
