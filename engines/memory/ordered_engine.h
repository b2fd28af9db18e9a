// OrderedMemory: an ordered, volatile engine with cursors both ways and snapshots: versions by
// sequence number in a memtable.
//
//   Parts::Memtable  what holds the versions (kv/memtable)
//   Parts::Expiry    whether and when records expire (kv/expiry)
//
// How it keeps the contract:
//   Writes hold one lock, number their records, insert them, and then publish the last number: the
//   instant at which they take effect, a whole batch at once. CompareAndSet and ExpireAt read under
//   that lock, so nothing comes between their look and their write. DeleteRange is a batch of the
//   keys that it finds under that lock.
//   Reads take no lock and never wait for writers: they look the table up, then the visible
//   sequence, then the newest version at or below it.
//   Cursors and snapshots keep a reference to the table, a sequence and the time; they see what was
//   live then. Garbage is reclaimed around them (version_table.h): a replaced table that one of
//   them holds stays as it is until they go.
//
// Everything in memory: nothing survives Close. Options are ignored.
//
// Cost: Get: one search of the memtable. Put: a search for the version before (which says what has
// become garbage, and brings the path into cache for the insert) and an insert. Count: O(keys with
// the prefix).
//
// Omits: concurrent inserts (Memtable::kConcurrentInsert is not used, nor lock stripes: what is
// garbage can only be known in the order of the writes).
// For: scans beside writes of data that may be lost (docs/policies.md).
// Not for: loads without scans (hash_engine.h writes twice as fast), or many writers; scans of what
// no longer changes (a B+tree keeps neighbours side by side, a memtable where they were written).
#ifndef ENGINES_MEMORY_ORDERED_ENGINE_H_
#define ENGINES_MEMORY_ORDERED_ENGINE_H_

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engines/memory/epoch.h"
#include "engines/memory/version_cursor.h"
#include "engines/memory/version_table.h"
#include "kv/base/bytes.h"
#include "kv/base/clock.h"
#include "kv/contract/engine.h"
#include "kv/expiry/call_check.h"
#include "kv/expiry/concept.h"
#include "kv/memtable/concept.h"

namespace kv {

template <typename Parts, Clock ClockPart = SystemClock>
requires Memtable<typename Parts::Memtable> && Expiry<typename Parts::Expiry>
class OrderedMemory {
  using MemtablePart = typename Parts::Memtable;
  using ExpiryPart = typename Parts::Expiry;
  using Versions = memory_internal::VersionTable<MemtablePart, ExpiryPart>;
  using Table = typename Versions::TableType;
  using Instant = memory_internal::Instant;

  static_assert(
      MemtablePart::kOrdered,
      "Memtable and OrderedMemory contradict each other: HashMemtable sorts for each cursor, "
      "and is for engines that flush. Name BPlusTreeMemtable, or compose HashMemory");

 public:
  static constexpr bool kDurable = false;
  static constexpr bool kOrdered = true;
  static constexpr bool kExpiry = ExpiryPart::kEnabled;

  using Cursor = memory_internal::VersionCursor<Table, ExpiryPart>;

  class Snapshot {
   private:
    friend class OrderedMemory;
    Snapshot() = default;
    std::shared_ptr<const Table> table_;
    Instant at_;
  };

  static std::string Descriptor() {
    return fmt::format(R"({{"engine":"memory_ordered","memtable":"{}","expiry":"{}"}})",
                       MemtablePart::kName, ExpiryPart::kName);
  }

  static absl::StatusOr<std::unique_ptr<OrderedMemory>> Open(const Options& options) {
    return Open(options, ClockPart{});
  }
  static absl::StatusOr<std::unique_ptr<OrderedMemory>> Open(const Options&,
                                                             const ClockPart& clock) {
    return std::unique_ptr<OrderedMemory>(new OrderedMemory(clock));
  }

  OrderedMemory(const OrderedMemory&) = delete;
  OrderedMemory& operator=(const OrderedMemory&) = delete;

  absl::Status Get(std::string_view key, std::string* value) {
    KV_RETURN_IF_ERROR(check_.Read(key));
    auto guard = epochs_.Enter();
    const Table* const table = versions_.Current();
    Record record;
    const bool found = Find(*table, key, Visible(), &record);
    guard.CountReads(1, found ? 1 : 0);
    if (!found) return NotFound();
    value->assign(record.value);
    return absl::OkStatus();
  }

  absl::Status Get(std::string_view key, std::string* value, const Snapshot& snapshot) {
    KV_RETURN_IF_ERROR(check_.Read(key));
    auto guard = epochs_.Enter();
    Record record;
    const bool found = snapshot.table_->memtable.Get(key, snapshot.at_.sequence, &record) &&
                       memory_internal::IsLive<ExpiryPart>(record, snapshot.at_.now);
    guard.CountReads(1, found ? 1 : 0);
    if (!found) return NotFound();
    value->assign(record.value);
    return absl::OkStatus();
  }

  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) {
    auto guard = epochs_.Enter();
    const Table* const table = versions_.Current();
    const Sequence sequence = Visible();
    uint64_t hits = 0;
    for (size_t i = 0; i < keys.size(); ++i) {
      statuses[i] = check_.Read(keys[i]);
      if (!statuses[i].ok()) continue;
      Record record;
      if (Find(*table, keys[i], sequence, &record)) {
        values[i].assign(record.value);
        ++hits;
      } else {
        statuses[i] = NotFound();
      }
    }
    guard.CountReads(keys.size(), hits);
  }

  absl::Status Put(std::string_view key, std::string_view value, const PutOptions& options = {}) {
    KV_RETURN_IF_ERROR(check_.Put(key, value, options.expires_at));
    std::shared_ptr<const Table> dead;  // outlives the lock
    const std::lock_guard lock(writer_mutex_);
    dead = Apply({.key = key, .value = value, .expires_at = options.expires_at});
    return absl::OkStatus();
  }

  absl::Status Delete(std::string_view key) {
    KV_RETURN_IF_ERROR(check_.Read(key));
    std::shared_ptr<const Table> dead;
    const std::lock_guard lock(writer_mutex_);
    dead = Apply({.key = key, .value = {}, .kind = RecordKind::kTombstone});
    return absl::OkStatus();
  }

  absl::Status Write(const WriteBatch& batch) {
    KV_RETURN_IF_ERROR(check_.Batch(batch));
    std::shared_ptr<const Table> dead;
    const std::lock_guard lock(writer_mutex_);
    WriteBatch::ForEach(batch.Bytes(), 0, [this](const Record& record) { Insert(record); });
    dead = Publish(batch.Count());
    return absl::OkStatus();
  }

  absl::Status DeleteRange(std::string_view begin, std::string_view end) {
    KV_RETURN_IF_ERROR(check_.Read(begin));
    KV_RETURN_IF_ERROR(CheckSizes(end));
    if (!end.empty() && end <= begin) return absl::OkStatus();
    std::shared_ptr<const Table> dead;
    const std::lock_guard lock(writer_mutex_);
    // Collected first: the memtable is not written while a cursor walks over it.
    // What has expired too: it would be back when the clock is set back.
    WriteBatch deletes;
    Snapshot snapshot = TakeSnapshot();
    snapshot.at_.now = 0;
    Cursor cursor = NewCursor({std::string(begin), std::string(end)}, snapshot);
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) deletes.Delete(cursor.key());
    WriteBatch::ForEach(deletes.Bytes(), 0, [this](const Record& record) { Insert(record); });
    dead = Publish(deletes.Count());
    return absl::OkStatus();
  }

  template <SortedSource S>
  absl::Status BulkLoad(S& source) {
    KV_RETURN_IF_ERROR(check_.Open());
    return LoadInBatches(source, kLoadBytes,
                         [this](const WriteBatch& batch) { return Write(batch); });
  }

  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options = {}) {
    KV_RETURN_IF_ERROR(check_.Put(key, desired.value_or(""), options.expires_at));
    std::shared_ptr<const Table> dead;
    const std::lock_guard lock(writer_mutex_);
    ++counts_.cas_attempts;
    Record current;
    const bool found = Find(*versions_.Current(), key, last_, &current);
    const bool holds = found ? expected == current.value : !expected;
    if (!holds) {
      ++counts_.cas_failures;
      CasResult result;
      if (found) result.current.emplace(current.value);
      return result;
    }
    if (desired) {
      dead = Apply({.key = key, .value = *desired, .expires_at = options.expires_at});
    } else {
      dead = Apply({.key = key, .value = {}, .kind = RecordKind::kTombstone});
    }
    return CasResult{.swapped = true, .current = std::nullopt};
  }

  absl::StatusOr<uint64_t> Count(std::string_view prefix) {
    KV_RETURN_IF_ERROR(check_.Read(prefix));
    Cursor cursor = NewCursor({std::string(prefix), PrefixSuccessor(prefix)});
    uint64_t count = 0;
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) ++count;
    return count;
  }

  absl::Status ExpireAt(std::string_view key, uint64_t expires_at) {
    KV_RETURN_IF_ERROR(check_.Expire(key, expires_at));
    std::shared_ptr<const Table> dead;
    const std::lock_guard lock(writer_mutex_);
    Record record;
    if (!Find(*versions_.Current(), key, last_, &record)) return NotFound();
    record.expires_at = expires_at;
    dead = Apply(record);
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> ExpiresAt(std::string_view key) {
    KV_RETURN_IF_ERROR(check_.Read(key));
    const auto guard = epochs_.Enter();
    const Table* const table = versions_.Current();
    Record record;
    if (!Find(*table, key, Visible(), &record)) return NotFound();
    return record.expires_at;
  }

  Snapshot TakeSnapshot() {
    const auto guard = epochs_.Enter();
    Snapshot snapshot;
    snapshot.table_ = versions_.Current()->shared_from_this();
    snapshot.at_ = {.sequence = Visible(), .now = Now()};
    return snapshot;
  }

  Cursor NewCursor(const CursorBounds& bounds = {}) { return NewCursor(bounds, TakeSnapshot()); }

  Cursor NewCursor(const CursorBounds& bounds, const Snapshot& snapshot) {
    if (absl::Status open = check_.Open(); !open.ok()) {
      return Cursor(snapshot.table_, std::move(open));
    }
    return Cursor(snapshot.table_, snapshot.at_, bounds);
  }

  Statistics Stats() {
    const std::lock_guard lock(writer_mutex_);
    Statistics statistics = counts_;
    statistics.reads = epochs_.Reads();
    statistics.read_hits = epochs_.Hits();
    statistics.compactions = versions_.Rewrites();
    statistics.expired_dropped = versions_.ExpiredDropped();
    statistics.live_bytes_estimate = versions_.LiveBytes();
    statistics.memory_bytes = versions_.MemoryBytes();
    return statistics;
  }

  absl::Status Flush() { return check_.Open(); }
  absl::Status Close() { return check_.Close(); }

 private:
  // Of a batch of BulkLoad: large enough that its lock costs nothing.
  static constexpr size_t kLoadBytes = size_t{64} << 10;

  explicit OrderedMemory(const ClockPart& clock) : versions_(&epochs_), clock_(clock) {}

  uint64_t Now() const { return kExpiry ? clock_.UnixMillis() : 0; }

  // acquire: pairs with the release in Publish. Always after the table was looked up.
  Sequence Visible() const { return visible_.load(std::memory_order_acquire); }

  // The live record of `key` at `sequence`. Reads the clock only for records with an expiry.
  bool Find(const Table& table, std::string_view key, Sequence sequence, Record* record) const {
    if (!table.memtable.Get(key, sequence, record)) return false;
    return memory_internal::IsLive<ExpiryPart>(*record,
                                               record->expires_at == kNeverExpires ? 0 : Now());
  }

  // The rest needs writer_mutex_.

  std::shared_ptr<const Table> Apply(const Record& record) {
    Insert(record);
    return Publish(1);
  }

  void Insert(Record record) {
    ++counts_.writes;
    counts_.user_bytes_written += record.key.size() + record.value.size();
    record.sequence = last_ + 1;
    if (versions_.Insert(record)) ++last_;
  }

  // Makes all that was inserted visible. What is returned should be destroyed without the lock.
  std::shared_ptr<const Table> Publish(size_t records) {
    // release: pairs with Visible(); the records come before their number.
    visible_.store(last_, std::memory_order_release);
    return versions_.Maintain(records, last_, [this] { return Now(); });
  }

  memory_internal::Epochs epochs_;
  Versions versions_;
  CallCheck<ExpiryPart> check_;
  ClockPart clock_;
  alignas(kCacheLineBytes) std::atomic<Sequence> visible_{0};
  alignas(kCacheLineBytes) std::mutex writer_mutex_;
  Sequence last_ = 0;  // guarded by writer_mutex_, as is the rest
  Statistics counts_;
};

}  // namespace kv

#endif  // ENGINES_MEMORY_ORDERED_ENGINE_H_
