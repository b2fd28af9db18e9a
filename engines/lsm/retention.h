// Which versions a flush or compaction keeps.
//
// A version is needed if some reader can still see it: a snapshot, or anyone who reads the newest.
// A reader sees it from its own sequence number on, up to that of the next newer version of its key
// or of the oldest range tombstone over it that is newer than it, whichever comes first. Expired
// values count as tombstones. Where nothing older can lie below the output (`bottommost`), a
// tombstone that every snapshot sees is dropped, for there is nothing left for it to hide, and
// sequence numbers that no snapshot can tell apart become 0, which takes fewer bytes: but not under
// a range tombstone, which would then seem newer than what was written after it.
//
// A pure decision: records go in, in internal order, and come out changed or not at all.
// Cost: O(1) a record, beside the walk along the range tombstones.
// Thread safety: one thread.
#ifndef ENGINES_LSM_RETENTION_H_
#define ENGINES_LSM_RETENTION_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/lsm/range_index.h"
#include "kv/contract/record.h"

namespace kv {

template <typename Expiry>
class Retention {
 public:
  // `snapshots`: sequence numbers that are being read at, in any order, with that of the newest
  // visible write among them. `now`: Unix milliseconds. `ranges`: the range tombstones that have
  // become, or become together with the output, part of the tree; it outlives this.
  Retention(std::vector<Sequence> snapshots, bool bottommost, uint64_t now,
            const RangeIndex& ranges = kNoRanges)
      : snapshots_(std::move(snapshots)), bottommost_(bottommost), now_(now), ranges_(ranges) {
    std::ranges::sort(snapshots_);
  }

  // Whether to write the record, which is then changed as it is to be written.
  bool Keep(Record* record) {
    const bool same_key = any_ && record->key == key_;
    const Sequence newer = same_key ? newer_ : kNever;
    if (!same_key) {
      key_.assign(record->key);
      range_ = RangeOver(record->key);
    }
    any_ = true;
    newer_ = record->sequence;
    const Sequence covered =
        range_ == nullptr ? kNever : ranges_.OldestAbove(*range_, record->sequence);
    if (!SeenBelow(record->sequence, std::min(newer, covered))) return false;
    if (covered != kNever) oldest_needed_ = std::min(oldest_needed_, covered);
    if (Expiry::Expired(record->expires_at, now_)) {
      ++expired_;
      record->kind = RecordKind::kTombstone;
      record->value = {};
      record->expires_at = kNeverExpires;
    }
    if (bottommost_ && record->sequence <= snapshots_.front()) {
      if (record->kind == RecordKind::kTombstone) return false;
      if (range_ == nullptr) record->sequence = 0;
    }
    return true;
  }

  // The oldest range tombstone that hides a record which was kept, since this was last asked; or
  // more than kMaxSequence.
  Sequence TakeOldestNeeded() { return std::exchange(oldest_needed_, kNever); }

  uint64_t Expired() const { return expired_; }

 private:
  static constexpr Sequence kNever = kMaxSequence + 1;
  static inline const RangeIndex kNoRanges;

  // Whether a reader of today or later sees version `sequence`, which is hidden from `until` on.
  bool SeenBelow(Sequence sequence, Sequence until) const {
    if (until > snapshots_.back()) return true;
    const auto reader = std::ranges::lower_bound(snapshots_, sequence);
    return reader != snapshots_.end() && *reader < until;
  }

  // The keys come in order, so the walk along the fragments does too.
  const RangeIndex::Fragment* RangeOver(std::string_view key) {
    const auto fragments = ranges_.fragments();
    while (next_range_ < fragments.size() && !IsBefore(key, fragments[next_range_].end)) {
      ++next_range_;
    }
    const bool over = next_range_ < fragments.size() && fragments[next_range_].begin <= key;
    return over ? &fragments[next_range_] : nullptr;
  }

  std::vector<Sequence> snapshots_;  // ascending
  const bool bottommost_;
  const uint64_t now_;
  const RangeIndex& ranges_;
  size_t next_range_ = 0;                        // the first fragment that ends behind key_
  const RangeIndex::Fragment* range_ = nullptr;  // over key_
  Sequence oldest_needed_ = kNever;
  std::string key_;
  Sequence newer_ = 0;  // of the version before this one
  bool any_ = false;
  uint64_t expired_ = 0;
};

}  // namespace kv

#endif  // ENGINES_LSM_RETENTION_H_
