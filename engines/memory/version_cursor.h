// VersionCursor: the live keys of one instant, out of a memtable that holds many versions of them.
//
// A key's newest version with sequence <= at() decides: it is the key's value, or, as a tombstone
// or expired, its absence; older versions are never looked at in its place. Models Cursor.
//
// The cursor holds a reference to its table, so that it stays readable when the engine has moved on
// to another. Inserts may run beside it; their sequences are above at(), so they are passed over.
//
// Cost: a step is one or a few steps of the memtable's cursor; a key with many versions costs one
// seek, not a walk over them.
// Thread safety: one thread at a time.
#ifndef ENGINES_MEMORY_VERSION_CURSOR_H_
#define ENGINES_MEMORY_VERSION_CURSOR_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "kv/contract/options.h"
#include "kv/contract/record.h"

namespace kv::memory_internal {

// The instant at which a cursor or snapshot stands: what was written, and what time it was.
struct Instant {
  Sequence sequence = 0;
  uint64_t now = 0;  // Unix milliseconds
};

// Whether the record that decides about a key says that the key is there.
template <typename ExpiryPart>
bool IsLive(const Record& record, uint64_t now) {
  return record.kind == RecordKind::kValue && !ExpiryPart::Expired(record.expires_at, now);
}

template <typename Table, typename ExpiryPart>
class VersionCursor {
  using In = typename Table::Memtable::Cursor;

 public:
  // Never valid; says why.
  VersionCursor(std::shared_ptr<const Table> table, absl::Status status)
      : VersionCursor(std::move(table), Instant{}, {}) {
    status_ = std::move(status);
  }
  VersionCursor(std::shared_ptr<const Table> table, Instant at, CursorBounds bounds)
      : table_(std::move(table)), in_(&table_->memtable), at_(at), bounds_(std::move(bounds)) {}

  bool Valid() const { return valid_; }
  std::string_view key() const { return record_.key; }
  std::string_view value() const { return record_.value; }
  uint64_t expires_at() const { return record_.expires_at; }
  const absl::Status& status() const { return status_; }

  void SeekToFirst() { Seek(bounds_.lower); }

  void Seek(std::string_view key) {
    if (key < bounds_.lower) key = bounds_.lower;
    in_.Seek(key, at_.sequence);
    SettleForward();
  }

  void SeekToLast() {
    if (bounds_.upper.empty()) {
      in_.SeekToLast();
    } else {
      PlaceBefore(bounds_.upper, kMaxSequence);
    }
    SettleBackward();
  }

  void SeekForPrev(std::string_view key) {
    if (!bounds_.upper.empty() && key >= bounds_.upper) return SeekToLast();
    PlaceBefore(key, 0);
    SettleBackward();
  }

  void Next() {
    SkipKey(record_.key);
    SettleForward();
  }

  void Prev() {
    in_.Prev();
    if (in_.Valid() && At().key == record_.key) PlaceBefore(record_.key, kMaxSequence);
    SettleBackward();
  }

 private:
  Record At() const { return in_.record(); }

  // To the last record before (key, sequence) in internal order.
  void PlaceBefore(std::string_view key, Sequence sequence) {
    in_.Seek(key, sequence);
    if (in_.Valid()) {
      in_.Prev();
    } else {
      in_.SeekToLast();
    }
  }

  // From a version of `key` to the first record after all of them.
  void SkipKey(std::string_view key) {
    constexpr int kStepsBeforeSeek = 3;
    for (int step = 0; step < kStepsBeforeSeek; ++step) {
      in_.Next();
      if (!in_.Valid() || At().key != key) return;
    }
    in_.Seek(key, 0);
  }

  // From here on to the first key that is there.
  void SettleForward() {
    valid_ = false;
    if (!status_.ok()) return;
    while (in_.Valid()) {
      const Record record = At();
      if (!bounds_.upper.empty() && record.key >= bounds_.upper) return;
      if (record.sequence > at_.sequence) {
        in_.Next();
        if (in_.Valid() && At().key == record.key) in_.Seek(record.key, at_.sequence);
        continue;
      }
      if (IsLive<ExpiryPart>(record, at_.now)) return Stand(record);
      SkipKey(record.key);
    }
  }

  // From the oldest version of a key on back to the last key that is there.
  void SettleBackward() {
    valid_ = false;
    if (!status_.ok()) return;
    while (in_.Valid()) {
      const Record oldest = At();
      if (oldest.key < bounds_.lower) return;
      const bool found = PlaceAtNewest(oldest);
      if (found && IsLive<ExpiryPart>(At(), at_.now)) return Stand(At());
      PlaceBefore(oldest.key, kMaxSequence);
    }
  }

  // From the oldest version of its key to the one that decides; false when all are too new.
  bool PlaceAtNewest(const Record& oldest) {
    if (oldest.sequence > at_.sequence) return false;
    in_.Prev();
    if (!in_.Valid() || At().key != oldest.key) {  // the only version
      if (in_.Valid()) {
        in_.Next();
        // An insert beside us may have come in between.
        if (in_.Valid() && At().key.data() == oldest.key.data()) return true;
      }
      in_.Seek(oldest.key, oldest.sequence);
      return true;
    }
    in_.Seek(oldest.key, at_.sequence);
    return true;
  }

  void Stand(const Record& record) {
    record_ = record;
    valid_ = true;
  }

  std::shared_ptr<const Table> table_;
  In in_;
  Instant at_;
  CursorBounds bounds_;
  absl::Status status_;
  Record record_;  // its bytes live as long as the table
  bool valid_ = false;
};

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_VERSION_CURSOR_H_
