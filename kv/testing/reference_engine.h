// ReferenceEngine: the engine that is right because there is nothing in it to be wrong: a std::map
// under one mutex. Ordered, with expiry; snapshots and cursors are copies. Every other engine is
// compared with it, and every check in this folder first has to pass on it.
//
// Thread safety: as the contract says; one mutex makes every call atomic.
// Cost: NewCursor and TakeSnapshot copy the store; Count is linear. Not for use outside tests.
#ifndef KV_TESTING_REFERENCE_ENGINE_H_
#define KV_TESTING_REFERENCE_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/base/bytes.h"
#include "kv/base/clock.h"
#include "kv/contract/engine.h"

namespace kv::testing {

template <Clock ClockPart>
class BasicReferenceEngine {
  struct Stored {
    std::string value;
    uint64_t expires_at = kNeverExpires;
  };
  using Map = std::map<std::string, Stored, std::less<>>;

 public:
  static constexpr bool kDurable = false;
  static constexpr bool kOrdered = true;
  static constexpr bool kExpiry = true;

  class Snapshot {
   private:
    friend class BasicReferenceEngine;
    explicit Snapshot(Map live) : live_(std::make_unique<Map>(std::move(live))) {}
    std::unique_ptr<Map> live_;
  };

  class Cursor {
   public:
    bool Valid() const { return at_.has_value(); }
    void SeekToFirst() { Stand(live_->begin()); }
    void SeekToLast() { StandBefore(live_->end()); }
    void Seek(std::string_view key) { Stand(live_->lower_bound(key)); }
    void SeekForPrev(std::string_view key) { StandBefore(live_->upper_bound(key)); }
    void Next() { Stand(std::next(*at_)); }
    void Prev() { StandBefore(*at_); }
    std::string_view key() const { return (*at_)->first; }
    std::string_view value() const { return (*at_)->second.value; }
    uint64_t expires_at() const { return (*at_)->second.expires_at; }
    absl::Status status() const { return status_; }

   private:
    friend class BasicReferenceEngine;
    using Position = typename Map::const_iterator;
    Cursor(Map live, const CursorBounds& bounds, absl::Status status)
        : live_(std::make_unique<Map>(std::move(live))), status_(std::move(status)) {
      if (!bounds.upper.empty()) live_->erase(live_->lower_bound(bounds.upper), live_->end());
      live_->erase(live_->begin(), live_->lower_bound(bounds.lower));
      if (!status_.ok()) live_->clear();
    }
    void Stand(Position position) {
      at_.reset();
      if (position != live_->end()) at_ = position;
    }
    void StandBefore(Position position) {
      at_.reset();
      if (position != live_->begin()) at_ = std::prev(position);
    }

    std::unique_ptr<Map> live_;  // behind a pointer, so that a move leaves `at_` valid
    std::optional<Position> at_;
    absl::Status status_;
  };

  static std::string Descriptor() { return R"({"engine":"reference"})"; }

  static absl::StatusOr<std::unique_ptr<BasicReferenceEngine>> Open(const Options&) {
    return std::make_unique<BasicReferenceEngine>(ClockPart{});
  }

  explicit BasicReferenceEngine(ClockPart clock) : clock_(std::move(clock)) {}

  absl::Status Get(std::string_view key, std::string* value) {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(CheckOpen());
    KV_RETURN_IF_ERROR(CheckSizes(key));
    return GetLocked(key, value);
  }

  absl::Status Put(std::string_view key, std::string_view value, const PutOptions& options = {}) {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(CheckOpen());
    KV_RETURN_IF_ERROR(CheckSizes(key, value));
    Apply({.key = key, .value = value, .expires_at = options.expires_at});
    return absl::OkStatus();
  }

  absl::Status Delete(std::string_view key) {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(CheckOpen());
    KV_RETURN_IF_ERROR(CheckSizes(key));
    Apply({.key = key, .value = {}, .kind = RecordKind::kTombstone});
    return absl::OkStatus();
  }

  absl::Status Write(const WriteBatch& batch) {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(CheckOpen());
    absl::Status sizes;
    WriteBatch::ForEach(batch.Bytes(), 0, [&](const Record& record) {
      sizes.Update(CheckSizes(record.key, record.value));
    });
    KV_RETURN_IF_ERROR(sizes);
    WriteBatch::ForEach(batch.Bytes(), 0, [&](const Record& record) { Apply(record); });
    return absl::OkStatus();
  }

  absl::Status DeleteRange(std::string_view begin, std::string_view end) {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(CheckOpen());
    KV_RETURN_IF_ERROR(CheckSizes(begin));
    KV_RETURN_IF_ERROR(CheckSizes(end));
    ++statistics_.writes;
    if (!end.empty() && end <= begin) return absl::OkStatus();
    map_.erase(map_.lower_bound(begin), end.empty() ? map_.end() : map_.lower_bound(end));
    return absl::OkStatus();
  }

  template <SortedSource S>
  absl::Status BulkLoad(S& source) {
    return ForEachSorted(source, [this](const Record& record) {
      return Put(record.key, record.value, {.expires_at = record.expires_at});
    });
  }

  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < keys.size(); ++i) {
      statuses[i] = CheckOpen();
      if (statuses[i].ok()) statuses[i] = CheckSizes(keys[i]);
      if (statuses[i].ok()) statuses[i] = GetLocked(keys[i], &values[i]);
    }
  }

  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options = {}) {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(CheckOpen());
    KV_RETURN_IF_ERROR(CheckSizes(key, desired.value_or("")));
    ++statistics_.cas_attempts;
    const Stored* const found = Find(key);
    const bool holds = found == nullptr ? !expected : expected == found->value;
    if (!holds) {
      ++statistics_.cas_failures;
      CasResult result;
      if (found != nullptr) result.current = found->value;
      return result;
    }
    if (desired) {
      Apply({.key = key, .value = *desired, .expires_at = options.expires_at});
    } else {
      Apply({.key = key, .value = {}, .kind = RecordKind::kTombstone});
    }
    return CasResult{.swapped = true, .current = std::nullopt};
  }

  absl::StatusOr<uint64_t> Count(std::string_view prefix) {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(CheckOpen());
    uint64_t count = 0;
    for (auto it = map_.lower_bound(prefix); it != map_.end(); ++it) {
      if (!std::string_view(it->first).starts_with(prefix)) break;
      if (Live(it->second)) ++count;
    }
    return count;
  }

  absl::Status ExpireAt(std::string_view key, uint64_t expires_at) {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(CheckOpen());
    Stored* const found = Find(key);
    if (found == nullptr) return NotFound();
    found->expires_at = expires_at;
    ++statistics_.writes;
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> ExpiresAt(std::string_view key) {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(CheckOpen());
    const Stored* const found = Find(key);
    if (found == nullptr) return NotFound();
    return found->expires_at;
  }

  Statistics Stats() {
    std::lock_guard lock(mutex_);
    return statistics_;
  }

  absl::Status Flush() {
    std::lock_guard lock(mutex_);
    return CheckOpen();
  }

  absl::Status Close() {
    std::lock_guard lock(mutex_);
    KV_RETURN_IF_ERROR(CheckOpen());
    open_ = false;
    return absl::OkStatus();
  }

  Snapshot TakeSnapshot() {
    std::lock_guard lock(mutex_);
    return Snapshot(LiveCopy());
  }

  absl::Status Get(std::string_view key, std::string* value, const Snapshot& snapshot) {
    const auto it = snapshot.live_->find(key);
    if (it == snapshot.live_->end()) return NotFound();
    *value = it->second.value;
    return absl::OkStatus();
  }

  Cursor NewCursor(const CursorBounds& bounds = {}) {
    std::lock_guard lock(mutex_);
    return Cursor(LiveCopy(), bounds, CheckOpen());
  }

  Cursor NewCursor(const CursorBounds& bounds, const Snapshot& snapshot) {
    std::lock_guard lock(mutex_);
    return Cursor(*snapshot.live_, bounds, CheckOpen());
  }

  // For ReferenceStore, below the contract: a read and writes that are not counted.
  std::optional<std::string> Peek(std::string_view key) {
    std::lock_guard lock(mutex_);
    const Stored* const found = Find(key);
    return found == nullptr ? std::nullopt : std::optional(found->value);
  }
  void Load(const Record& record) {
    std::lock_guard lock(mutex_);
    Set(record);
  }
  void AppendAllTo(WriteBatch* batch) {
    std::lock_guard lock(mutex_);
    for (const auto& [key, stored] : map_) batch->Put(key, stored.value, stored.expires_at);
  }
  // Every key in the range, the expired with them.
  void AppendRangeTo(std::string_view begin, std::string_view end, WriteBatch* deletes) {
    std::lock_guard lock(mutex_);
    for (auto it = map_.lower_bound(begin); it != map_.end(); ++it) {
      if (!end.empty() && it->first >= end) break;
      deletes->Delete(it->first);
    }
  }

 private:
  absl::Status CheckOpen() const {
    return open_ ? absl::OkStatus() : absl::FailedPreconditionError("the engine is closed");
  }

  bool Live(const Stored& stored) const {
    return stored.expires_at == kNeverExpires || clock_.UnixMillis() < stored.expires_at;
  }

  Stored* Find(std::string_view key) {
    const auto it = map_.find(key);
    return it != map_.end() && Live(it->second) ? &it->second : nullptr;
  }

  absl::Status GetLocked(std::string_view key, std::string* value) {
    ++statistics_.reads;
    const Stored* const found = Find(key);
    if (found == nullptr) return NotFound();
    ++statistics_.read_hits;
    *value = found->value;
    return absl::OkStatus();
  }

  void Apply(const Record& record) {
    ++statistics_.writes;
    statistics_.user_bytes_written += record.key.size() + record.value.size();
    Set(record);
  }

  void Set(const Record& record) {
    const auto it = map_.find(record.key);
    if (record.kind == RecordKind::kTombstone) {
      if (it != map_.end()) map_.erase(it);
      return;
    }
    Stored stored{std::string(record.value), record.expires_at};
    if (it == map_.end()) {
      map_.emplace(record.key, std::move(stored));
    } else {
      it->second = std::move(stored);
    }
  }

  Map LiveCopy() const {
    Map live;
    for (const auto& entry : map_) {
      if (Live(entry.second)) live.insert(live.end(), entry);
    }
    return live;
  }

  ClockPart clock_;
  std::mutex mutex_;
  // All below are guarded by mutex_.
  bool open_ = true;
  Map map_;
  Statistics statistics_;
};

using ReferenceEngine = BasicReferenceEngine<SystemClock>;
static_assert(OrderedEngine<ReferenceEngine> && !DurableEngine<ReferenceEngine>);

}  // namespace kv::testing

#endif  // KV_TESTING_REFERENCE_ENGINE_H_
