// VersionTable: the memtable that an ordered memory engine reads and writes, and its replacement
// while that is being made.
//
// A memtable never removes a record, so overwritten, deleted and expired versions are garbage that
// only a new memtable gets rid of. When garbage exceeds what is live (and kMinGarbage), writers
// rewrite: from then on every write goes into both the current table and the next one, and each
// write also copies a few of the keys that are older. When the last is copied, the next table
// becomes the current one.
//
// Why the writers and not a thread: the work is in proportion to the garbage that they make, comes
// in steps of kStep records (some 10 us), needs no second processor and no waking, and is the same
// on every run. Why both tables and not a frozen one beside a fresh one: readers ask one table
// always, and never merge.
//
// Invariants (the writer's lock is held throughout):
//   1. The current table answers every read at or after the last sequence at which it became
//      current: a reader takes the table first and the visible sequence second.
//   2. The next table holds every write since the rewrite began, and the deciding versions of all
//      keys up to resume_. A key whose newest version is since the beginning is not copied again.
//   3. A table that was replaced is not written any more, so cursors and snapshots that hold it see
//      what they saw.
//
// Cost: a rewrite scans each key and copies the live ones: amortised O(1) copies for each
// overwrite. Peak memory: some 2.3 times the live bytes in the old table, and once more in the new.
//
// Thread safety: one thread at a time, but Current() and the reads of its memtable from any thread
// within an epoch guard.
#ifndef ENGINES_MEMORY_VERSION_TABLE_H_
#define ENGINES_MEMORY_VERSION_TABLE_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/memory/epoch.h"
#include "engines/memory/expiry_forecast.h"
#include "engines/memory/version_cursor.h"
#include "kv/contract/record.h"
#include "kv/memtable/concept.h"

namespace kv::memory_internal {

template <kv::Memtable M>
struct Table : std::enable_shared_from_this<Table<M>> {
  using Memtable = M;
  M memtable;
  uint64_t bytes = 0;  // of all records, as RecordBytes counts; guarded by the writer's lock
};

template <kv::Memtable M, typename ExpiryPart>
class VersionTable {
 public:
  using TableType = Table<M>;
  static constexpr uint64_t kMinGarbage = uint64_t{1} << 20;

  explicit VersionTable(Epochs* epochs)
      : epochs_(epochs), owner_(std::make_shared<TableType>()), current_(owner_.get()) {}

  // acquire: pairs with the release in Finish. Within a guard only.
  const TableType* Current() const { return current_.load(std::memory_order_acquire); }

  // The rest is for the holder of the writer's lock.

  // Inserts a record that is newer than all before, unless it deletes what is not there. Whether it
  // was inserted, and its sequence with it used up.
  bool Insert(const Record& record) {
    Record before;
    const bool had = owner_->memtable.Get(record.key, kMaxSequence, &before) &&
                     before.kind == RecordKind::kValue;
    if (record.kind == RecordKind::kTombstone && !had) return false;
    InsertInto(*owner_, record);
    if (next_ != nullptr) InsertInto(*next_, record);
    if (had) Discount(before);
    if (record.kind == RecordKind::kValue) {
      const uint64_t bytes = RecordBytes(record);
      const bool counts =
          record.expires_at == kNeverExpires || forecast_.Add(record.expires_at, bytes);
      if (counts) live_bytes_ += bytes;
    }
    return true;
  }

  // After `records` writes up to `last`: does their share of a rewrite, begins one, or lets go of
  // an old table. `now()` gives Unix milliseconds. What is returned should be destroyed without the
  // lock: it may be large.
  template <typename NowFunction>
  std::shared_ptr<const TableType> Maintain(size_t records, Sequence last, NowFunction&& now) {
    if constexpr (ExpiryPart::kEnabled) {
      if (!forecast_.Empty()) live_bytes_ -= forecast_.Advance(now());
    }
    if (next_ != nullptr) {
      steps_due_ += records * kStepsPerWrite;
      while (next_ != nullptr && steps_due_ >= kStep) {
        steps_due_ -= kStep;
        CopyStep(now());
      }
    } else if (owner_->bytes > 2 * live_bytes_ + kMinGarbage) {
      next_ = std::make_shared<TableType>();
      begun_ = last;
      resuming_ = false;
      steps_due_ = 0;
    }
    return TakePassed();
  }

  uint64_t LiveBytes() const { return live_bytes_; }
  uint64_t Rewrites() const { return rewrites_; }
  uint64_t ExpiredDropped() const { return expired_dropped_; }
  // Tables that only cursors and snapshots hold are not counted.
  uint64_t MemoryBytes() const {
    uint64_t bytes = owner_->memtable.MemoryBytes();
    if (next_ != nullptr) bytes += next_->memtable.MemoryBytes();
    for (const Retired& retired : retired_) bytes += retired.table->memtable.MemoryBytes();
    return bytes;
  }

 private:
  static constexpr size_t kStepsPerWrite = 8;
  static constexpr size_t kStep = 64;

  struct Retired {
    std::shared_ptr<const TableType> table;
    Epochs::Ticket ticket;
  };

  // With what a memtable adds to a record, roughly.
  static uint64_t RecordBytes(const Record& record) {
    return record.key.size() + record.value.size() + 40;
  }

  static void InsertInto(TableType& table, const Record& record) {
    table.memtable.Insert(record);
    table.bytes += RecordBytes(record);
  }

  // A value that was live until now.
  void Discount(const Record& before) {
    const uint64_t bytes = RecordBytes(before);
    const bool counted =
        before.expires_at == kNeverExpires || forecast_.Remove(before.expires_at, bytes);
    if (counted) live_bytes_ -= bytes;
  }

  // Copies what decides about each of the next kStep keys.
  void CopyStep(uint64_t now) {
    typename M::Cursor from(&owner_->memtable);
    if (resuming_) {
      from.Seek(resume_, 0);
    } else {
      from.SeekToFirst();
    }
    for (size_t step = 0; from.Valid(); ++step) {
      const Record newest = from.record();
      if (step == kStep) return;
      if (newest.sequence <= begun_) {
        if (IsLive<ExpiryPart>(newest, now)) {
          InsertInto(*next_, newest);
        } else if (newest.kind == RecordKind::kValue) {
          ++expired_dropped_;
        }
      }
      resume_.assign(newest.key);
      resuming_ = true;
      from.Next();
      if (!from.Valid()) break;
      const Record& next = from.record();
      if (next.key == newest.key) from.Seek(newest.key, 0);
    }
    Finish();
  }

  void Finish() {
    // release: the next table's records come before it is found.
    current_.store(next_.get(), std::memory_order_release);
    retired_.push_back({std::exchange(owner_, std::move(next_)), epochs_->Advance()});
    next_ = nullptr;
    ++rewrites_;
  }

  std::shared_ptr<const TableType> TakePassed() {
    if (retired_.empty() || !epochs_->Passed(retired_.front().ticket)) return nullptr;
    std::shared_ptr<const TableType> passed = std::move(retired_.front().table);
    retired_.erase(retired_.begin());
    return passed;
  }

  Epochs* epochs_;
  std::shared_ptr<TableType> owner_;
  std::shared_ptr<TableType> next_;  // null: no rewrite
  std::vector<Retired> retired_;     // readers may still be in them
  Sequence begun_ = 0;               // the last sequence before the rewrite
  bool resuming_ = false;
  std::string resume_;  // if resuming_: the last key that the rewrite has done
  size_t steps_due_ = 0;
  uint64_t live_bytes_ = 0;
  ExpiryForecast forecast_;
  uint64_t rewrites_ = 0;
  uint64_t expired_dropped_ = 0;
  // Loaded by every read, stored once in a rewrite.
  alignas(kCacheLineBytes) std::atomic<const TableType*> current_;
};

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_VERSION_TABLE_H_
