// What a user walks over: the live keys of one instant, out of a cursor over all records.
//
// Of each key it shows the newest version with a sequence number up to `at`, unless that is a
// tombstone, has expired or is hidden by a range tombstone; an expired version hides the older ones
// just as a tombstone does. Where a range tombstone hides many records in a row, whole runs of them
// are skipped, if `Records` can tell that they are older than it (SkipTo, SkipBefore).
//
// Invariants while Valid():
//   forward:  records_ stands on the version shown; value() is its bytes.
//   backward: records_ stands before all versions of the key shown (or is invalid, at the front);
//             key, value and expiry are kept in buffers.
//
// Models Cursor (kv/contract/engine.h). Thread safety: one thread.
#ifndef KV_CONTRACT_VISIBLE_CURSOR_H_
#define KV_CONTRACT_VISIBLE_CURSOR_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "kv/contract/options.h"
#include "kv/contract/record.h"

namespace kv {

// For engines whose range deletes leave a tombstone at each key.
struct NoRanges {
  static constexpr bool Hides(std::string_view, Sequence) { return false; }
};

// `Keep` is whatever must live as long as the cursor; if it can, it fetches separated values:
// Fetch(record, &fetched), value() and Forget(). `Ranges` knows the range tombstones on the
// way: Hides(key, sequence), and of the piece of the key space around the key last asked for,
// within which nothing changes, begin() and end(), and newest(), below which every version in it is
// hidden.
template <RecordCursor Records, typename Expiry, typename Keep, typename Ranges = NoRanges>
class VisibleCursor {
 public:
  // `now` in Unix milliseconds: the instant that expiry is judged by.
  // `ranges` watches for a reader at `at`.
  VisibleCursor(Records records, Ranges ranges, CursorBounds bounds, Sequence at, uint64_t now,
                Keep keep)
      : keep_(std::move(keep)),
        records_(std::move(records)),
        ranges_(std::move(ranges)),
        bounds_(std::move(bounds)),
        at_(at),
        now_(now) {}

  // A cursor that is never valid and has this status.
  explicit VisibleCursor(absl::Status error) : error_(std::move(error)) {}

  bool Valid() const { return valid_; }
  std::string_view key() const { return key_; }
  std::string_view value() const {
    if constexpr (kFetches) {
      if (forward_ && fetched_) return keep_.value();
    }
    return forward_ ? records_.record().value : std::string_view(value_);
  }
  uint64_t expires_at() const { return forward_ ? records_.record().expires_at : expires_at_; }
  absl::Status status() const {
    if constexpr (kFetches) {
      if (!keep_.status().ok()) return keep_.status();
    }
    return error_.ok() ? records_.status() : error_;
  }

  void SeekToFirst() {
    if (bounds_.lower.empty()) {
      records_.SeekToFirst();
    } else {
      records_.Seek(bounds_.lower, kMaxSequence);
    }
    FindForward(false);
  }

  void SeekToLast() {
    if (bounds_.upper.empty()) {
      records_.SeekToLast();
    } else {
      SeekBefore(bounds_.upper, kMaxSequence);
    }
    FindBackward();
  }

  void Seek(std::string_view target) {
    records_.Seek(target < bounds_.lower ? std::string_view(bounds_.lower) : target, kMaxSequence);
    FindForward(false);
  }

  void SeekForPrev(std::string_view target) {
    if (!bounds_.upper.empty() && target >= bounds_.upper) return SeekToLast();
    records_.Seek(target, 0);
    if (!records_.Valid()) {
      if (records_.status().ok()) records_.SeekToLast();
    } else if (records_.record().key != target) {
      records_.Prev();
    }
    FindBackward();
  }

  void Next() {
    if (forward_) [[likely]] {
      records_.Next();
    } else {
      records_.Seek(key_, 0);
    }
    FindForward(true);
  }

  void Prev() {
    if (forward_) {
      do {
        records_.Prev();
      } while (records_.Valid() && records_.record().key == key_);
    }
    FindBackward();
  }

 private:
  bool Live(const Record& record) {
    hidden_ = ranges_.Hides(record.key, record.sequence);
    hidden_in_a_row_ = hidden_ ? hidden_in_a_row_ + 1 : 0;
    return !hidden_ && record.kind != RecordKind::kTombstone &&
           !Expiry::Expired(record.expires_at, now_);
  }

  // Puts records_ on the last record before (key, sequence).
  void SeekBefore(std::string_view key, Sequence sequence) {
    records_.Seek(key, sequence);
    if (records_.Valid()) {
      records_.Prev();
    } else if (records_.status().ok()) {
      records_.SeekToLast();
    }
  }

  // A skip is a search, so it takes a few records to be worth it.
  void StepForward() {
    if constexpr (kSkips) {
      if (hidden_in_a_row_ >= kHiddenBeforeSkip && std::exchange(hidden_, false) &&
          records_.SkipTo(ranges_.end(), ranges_.newest())) {
        return;
      }
    }
    records_.Next();
  }
  void StepBackward() {
    if constexpr (kSkips) {
      if (hidden_in_a_row_ >= kHiddenBeforeSkip && std::exchange(hidden_, false) &&
          records_.SkipBefore(ranges_.begin(), ranges_.newest())) {
        return;
      }
    }
    records_.Prev();
  }

  // Goes on to the first live key from here; `skip`: whose key is not key_.
  void FindForward(bool skip) {
    Forget();
    forward_ = true;
    hidden_ = false;
    for (; records_.Valid(); StepForward()) {
      const Record& record = records_.record();
      if (record.sequence > at_) continue;
      if (skip && record.key == key_) continue;
      if (!bounds_.upper.empty() && record.key >= bounds_.upper) break;
      key_.assign(record.key);
      if (Live(record)) {
        valid_ = Fetch(record);
        return;
      }
      skip = true;
    }
    valid_ = false;
  }

  // Goes back to the last live key from here. Versions of a key come oldest first this way, so the
  // last one that is seen is the one to show.
  void FindBackward() {
    Forget();
    forward_ = false;
    bool live = false;
    bool any = false;
    hidden_ = false;
    RecordKind kind = RecordKind::kValue;
    for (; records_.Valid(); StepBackward()) {
      const Record& record = records_.record();
      if (record.key < bounds_.lower) break;
      if (any && record.key != key_) {
        if (live) break;
        any = false;
      }
      if (record.sequence > at_) continue;
      if (!any) key_.assign(record.key);
      any = true;
      live = Live(record);
      if (!live) continue;
      value_.assign(record.value);
      expires_at_ = record.expires_at;
      kind = record.kind;
    }
    valid_ = any && live && records_.status().ok();
    if (valid_ && kind == RecordKind::kSeparated) {
      const Record record{.key = key_, .value = value_, .kind = kind};
      valid_ = Fetch(record);
      if constexpr (kFetches) {
        if (fetched_) value_.assign(keep_.value());
      }
    }
  }

  void Forget() {
    if constexpr (kFetches) keep_.Forget();
  }

  // Gets the value that a separated record points to, so that Valid() is true only once it is
  // there; false when it cannot be had, and status() says why.
  bool Fetch(const Record& record) {
    if constexpr (kFetches) return keep_.Fetch(record, &fetched_);
    return true;
  }

  static constexpr bool kSkips = !std::same_as<Ranges, NoRanges>;
  static constexpr size_t kHiddenBeforeSkip = 4;
  static constexpr bool kFetches = requires(Keep & keep, const Record& record, bool* fetched) {
    keep.Fetch(record, fetched);
  };

  Keep keep_;
  Records records_;
  [[no_unique_address]] Ranges ranges_;
  bool fetched_ = false;  // the value shown is keep_'s
  bool hidden_ = false;   // a range tombstone hides the record stood on
  size_t hidden_in_a_row_ = 0;
  CursorBounds bounds_;
  Sequence at_ = 0;
  uint64_t now_ = 0;
  absl::Status error_;
  std::string key_;
  std::string value_;  // backward only, as is expires_at_
  uint64_t expires_at_ = kNeverExpires;
  bool forward_ = true;
  bool valid_ = false;
};

// The keys from the record that `records` stands on up to `upper` (empty: to the end) which a
// reader at `at` sees: of each the newest version up to `at`, unless that is a tombstone, has
// expired by `now` (Unix milliseconds) or is hidden by a range tombstone. What a VisibleCursor
// would show, without its copy of each key: the views in record() must live on after a move.
//
// O(records walked). Thread safety: that of the cursor.
template <typename Expiry, RecordCursor Records, typename Ranges>
uint64_t CountVisible(Records& records, std::string_view upper, Sequence at, uint64_t now,
                      Ranges ranges) {
  uint64_t count = 0;
  std::optional<std::string_view> judged;
  for (; records.Valid() && IsBefore(records.record().key, upper); records.Next()) {
    const Record& record = records.record();
    if (record.sequence > at || judged == record.key) continue;
    judged = record.key;
    const bool live = record.kind != RecordKind::kTombstone &&
                      !Expiry::Expired(record.expires_at, now) &&
                      !ranges.Hides(record.key, record.sequence);
    count += live ? 1 : 0;
  }
  return count;
}

}  // namespace kv

#endif  // KV_CONTRACT_VISIBLE_CURSOR_H_
