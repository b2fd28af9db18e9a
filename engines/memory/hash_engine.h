// HashMemory: an unordered, volatile engine: sharded hash tables of immutable entries.
//
//   Parts::Sharding  how many tables, and which one a key is in (engines/memory/sharding.h)
//   Parts::Expiry    whether and when records expire (kv/expiry)
//
// How it keeps the contract:
//   Get takes no lock, never waits and never retries: within an epoch guard it finds an immutable
//   entry by way of one atomic word, which is the instant at which it takes effect.
//   Put, Delete, CompareAndSet and ExpireAt hold their shard's lock, and publish one word.
//   Write locks its shards, installs Pendings and sets one flag (hash_shard.h): no reader waits,
//   and none sees a part of it. DeleteRange is such a batch of all the keys in the range.
//   MultiGet takes no lock: it reads, and reads again if a version has changed (hash_probes.h).
//   Count locks all shards for some microseconds to freeze their tables, then scans those.
//   Expired entries are absent at once. Writes sweep them out, and Count does.
//
// Everything in memory: nothing survives Close. Options are ignored.
//
// Cost: Get: two cache misses and the copy. MultiGet: the misses of 16 keys overlap. Put: one
// allocation, of the entry. ExpireAt: copies the entry. Count: O(entries) and one copy of each
// table written afterwards. Memory: 8 bytes and 11 to 32 bytes of slots an entry, besides its own
// bytes, the allocator's and up to 128 KiB of garbage a shard.
//
// Omits: eviction; hashing that withstands chosen keys.
// Not for: range reads, or prefix counts in a large store (see ordered_engine.h).
#ifndef ENGINES_MEMORY_HASH_ENGINE_H_
#define ENGINES_MEMORY_HASH_ENGINE_H_

#include <algorithm>
#include <array>
#include <atomic>
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
#include "engines/memory/entry.h"
#include "engines/memory/epoch.h"
#include "engines/memory/hash_batch.h"
#include "engines/memory/hash_probes.h"
#include "engines/memory/hash_scan.h"
#include "engines/memory/hash_shard.h"
#include "engines/memory/hash_table.h"
#include "engines/memory/shard_locks.h"
#include "engines/memory/sharding.h"
#include "kv/base/clock.h"
#include "kv/base/hash.h"
#include "kv/contract/engine.h"
#include "kv/contract/keeps_no_order.h"
#include "kv/expiry/call_check.h"
#include "kv/expiry/concept.h"

namespace kv {

template <typename Parts, Clock ClockPart = SystemClock>
requires Sharding<typename Parts::Sharding> && Expiry<typename Parts::Expiry>
class HashMemory : public KeepsNoOrder<HashMemory<Parts, ClockPart>> {
  using ShardsPart = typename Parts::Sharding;
  using ExpiryPart = typename Parts::Expiry;
  using Entry = memory_internal::Entry;
  using HashShard = memory_internal::HashShard;
  using HashTable = memory_internal::HashTable;
  static constexpr size_t kShards = ShardsPart::kShards;
  using Locks = memory_internal::ShardLocks<kShards>;

 public:
  static constexpr bool kDurable = false;
  static constexpr bool kOrdered = false;
  static constexpr bool kExpiry = ExpiryPart::kEnabled;

  static std::string Descriptor() {
    return fmt::format(R"({{"engine":"memory_hash","sharding":"{}","expiry":"{}"}})",
                       ShardsPart::kName, ExpiryPart::kName);
  }

  static absl::StatusOr<std::unique_ptr<HashMemory>> Open(const Options& options) {
    return Open(options, ClockPart{});
  }
  static absl::StatusOr<std::unique_ptr<HashMemory>> Open(const Options&, const ClockPart& clock) {
    return std::unique_ptr<HashMemory>(new HashMemory(clock));
  }

  HashMemory(const HashMemory&) = delete;
  HashMemory& operator=(const HashMemory&) = delete;

  absl::Status Get(std::string_view key, std::string* value) {
    KV_RETURN_IF_ERROR(check_.Read(key));
    const uint64_t hash = HashKey(key);
    // Before the guard: an address is computed, nothing is read, and the exchange in Enter
    // overlaps.
    ShardOf(hash).Table().Prefetch(hash);
    auto guard = epochs_.Enter();
    const Entry* const entry = Live(ShardOf(hash).Table().Find(hash, key));
    guard.CountReads(1, entry != nullptr ? 1 : 0);
    if (entry == nullptr) return NotFound();
    value->assign(entry->value());
    return absl::OkStatus();
  }

  absl::Status Put(std::string_view key, std::string_view value, const PutOptions& options = {}) {
    KV_RETURN_IF_ERROR(check_.Put(key, value, options.expires_at));
    const uint64_t hash = HashKey(key);
    ShardOf(hash).Table().Prefetch(hash);
    auto entry = Entry::New(key, value, options.expires_at);
    HashShard& shard = ShardOf(hash);
    const std::lock_guard lock(shard.lock());
    shard.Put(hash, std::move(entry));
    Wrote(shard, key.size() + value.size());
    return absl::OkStatus();
  }

  absl::Status Delete(std::string_view key) {
    KV_RETURN_IF_ERROR(check_.Read(key));
    const uint64_t hash = HashKey(key);
    HashShard& shard = ShardOf(hash);
    const std::lock_guard lock(shard.lock());
    shard.Delete(hash, key);
    Wrote(shard, key.size());
    return absl::OkStatus();
  }

  absl::Status Write(const WriteBatch& batch) {
    KV_RETURN_IF_ERROR(check_.Batch(batch));
    if (batch.Empty()) return absl::OkStatus();
    typename Locks::Set set;
    memory_internal::HashBatch work(batch, [&](uint64_t hash) {
      set.Add(ShardsPart::ShardOf(hash));
      return &ShardOf(hash);
    });
    Locks locks(shards_, set);
    Apply(work, locks);
    return absl::OkStatus();
  }

  // O(entries of the store), whatever the range; writers wait meanwhile.
  absl::Status DeleteRange(std::string_view begin, std::string_view end) {
    KV_RETURN_IF_ERROR(check_.Read(begin));
    KV_RETURN_IF_ERROR(CheckSizes(end));
    Locks locks(shards_, Locks::Set::All());
    std::array<HashTable, kShards> tables;
    for (size_t i = 0; i < kShards; ++i) tables[i] = shards_[i]->Table();
    WriteBatch deletes;
    memory_internal::ForEachEntry(tables, [&](const Entry& entry) {
      const std::string_view key = entry.key();
      if (key >= begin && (end.empty() || key < end)) deletes.Delete(key);
    });
    if (deletes.Empty()) return absl::OkStatus();
    memory_internal::HashBatch work(deletes, [&](uint64_t hash) { return &ShardOf(hash); });
    Apply(work, locks);
    return absl::OkStatus();
  }

  template <SortedSource S>
  absl::Status BulkLoad(S& source) {
    KV_RETURN_IF_ERROR(check_.Open());
    return ForEachSorted(source, [this](const Record& record) {
      return Put(record.key, record.value, {.expires_at = record.expires_at});
    });
  }

  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) {
    if (const absl::Status open = check_.Open(); !open.ok()) {
      for (absl::Status& status : statuses) status = open;
      return;
    }
    auto guard = epochs_.Enter();
    const memory_internal::HashProbes<ShardsPart> found(shards_, keys);
    uint64_t hits = 0;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (const Entry* const entry = Live(found[i]); entry != nullptr) {
        values[i].assign(entry->value());
        statuses[i] = absl::OkStatus();
        ++hits;
      } else {
        statuses[i] = CheckSizes(keys[i]);
        if (statuses[i].ok()) statuses[i] = NotFound();
      }
    }
    guard.CountReads(keys.size(), hits);
  }

  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options = {}) {
    KV_RETURN_IF_ERROR(check_.Put(key, desired.value_or(""), options.expires_at));
    const uint64_t hash = HashKey(key);
    HashShard& shard = ShardOf(hash);
    const std::lock_guard lock(shard.lock());
    ++shard.counts().cas_attempts;
    const Entry* const current = Live(shard.Find(hash, key));
    const bool holds = current == nullptr ? !expected : expected == current->value();
    if (!holds) {
      ++shard.counts().cas_failures;
      CasResult result;
      if (current != nullptr) result.current.emplace(current->value());
      return result;
    }
    if (desired) {
      shard.Put(hash, Entry::New(key, *desired, options.expires_at));
    } else {
      shard.Delete(hash, key);
    }
    Wrote(shard, key.size() + desired.value_or("").size());
    return CasResult{.swapped = true, .current = std::nullopt};
  }

  // O(entries of the store), whatever the prefix.
  absl::StatusOr<uint64_t> Count(std::string_view prefix) {
    KV_RETURN_IF_ERROR(check_.Read(prefix));
    auto guard = epochs_.Enter();  // before Freeze: the frozen tables live as long as it
    std::array<HashTable, kShards> tables;
    {
      Locks locks(shards_, Locks::Set::All());
      for (size_t i = 0; i < kShards; ++i) tables[i] = shards_[i]->Freeze();
    }
    const uint64_t now = Now();
    const memory_internal::EntryPrefix wanted(prefix);
    uint64_t count = 0;
    typename Locks::Set expired;
    memory_internal::ForEachEntry(tables, [&](const Entry& entry) {
      if (entry.expires() && ExpiryPart::Expired(entry.expires_at(), now)) [[unlikely]] {
        expired.Add(ShardsPart::ShardOf(HashKey(entry.key())));
      } else {
        count += wanted.IsOf(entry) ? 1 : 0;
      }
    });
    expired.ForEach([this](size_t shard) { SweepWhole(*shards_[shard]); });
    return count;
  }

  absl::Status ExpireAt(std::string_view key, uint64_t expires_at) {
    KV_RETURN_IF_ERROR(check_.Expire(key, expires_at));
    const uint64_t hash = HashKey(key);
    HashShard& shard = ShardOf(hash);
    const std::lock_guard lock(shard.lock());
    const Entry* const current = Live(shard.Find(hash, key));
    if (current == nullptr) return NotFound();
    shard.Put(hash, Entry::New(key, current->value(), expires_at));
    Wrote(shard, 0);
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> ExpiresAt(std::string_view key) {
    KV_RETURN_IF_ERROR(check_.Read(key));
    const uint64_t hash = HashKey(key);
    const auto guard = epochs_.Enter();
    const Entry* const entry = Live(ShardOf(hash).Table().Find(hash, key));
    if (entry == nullptr) return NotFound();
    return entry->expires_at();
  }

  Statistics Stats() {
    Statistics sum;
    sum.reads = epochs_.Reads();
    sum.read_hits = epochs_.Hits();
    for (const auto& shard : shards_) {
      const std::lock_guard lock(shard->lock());
      sum.writes += shard->counts().writes;
      sum.user_bytes_written += shard->counts().user_bytes;
      sum.cas_attempts += shard->counts().cas_attempts;
      sum.cas_failures += shard->counts().cas_failures;
      sum.expired_dropped += shard->counts().expired;
      sum.live_bytes_estimate += shard->LiveBytes();
      sum.memory_bytes += shard->AllocatedBytes();
    }
    return sum;
  }

  absl::Status Flush() { return check_.Open(); }
  absl::Status Close() { return check_.Close(); }

 private:
  explicit HashMemory(const ClockPart& clock) : clock_(clock) {
    for (auto& shard : shards_) shard = std::make_unique<HashShard>(&epochs_);
  }

  HashShard& ShardOf(uint64_t hash) { return *shards_[ShardsPart::ShardOf(hash)]; }

  uint64_t Now() const { return kExpiry ? clock_.UnixMillis() : 0; }

  // `entry`, or null if it has expired. Reads the clock only for entries with an expiry.
  const Entry* Live(const Entry* entry) const {
    if constexpr (kExpiry) {
      if (entry != nullptr && entry->expires() && ExpiryPart::Expired(entry->expires_at(), Now())) {
        return nullptr;
      }
    }
    return entry;
  }

  // Makes the batch take effect at one instant; `locks` are those of its shards at least.
  void Apply(memory_internal::HashBatch& work, Locks& locks) {
    work.TakeEffect(locks);
    for (const auto& operation : work.operations()) Wrote(*operation.shard, operation.user_bytes);
    locks.ForEach([](HashShard& shard) { shard.ShrinkIfSparse(); });
  }

  // After each write: counts it, and drops some of what has expired. The shard is locked.
  void Wrote(HashShard& shard, size_t user_bytes) {
    ++shard.counts().writes;
    shard.counts().user_bytes += user_bytes;
    if constexpr (kExpiry) {
      if (shard.HasExpiring()) Sweep(shard, HashShard::kSweepSlots);
    }
  }

  void Sweep(HashShard& shard, size_t slots) {
    const auto is_expired = [now = Now()](uint64_t expires_at) {
      return ExpiryPart::Expired(expires_at, now);
    };
    shard.counts().expired += shard.Sweep(is_expired, slots);
  }

  void SweepWhole(HashShard& shard) {
    const std::lock_guard lock(shard.lock());
    Sweep(shard, shard.Table().capacity());
  }

  memory_internal::Epochs epochs_;  // before the shards, whose limbos refer to it
  CallCheck<ExpiryPart> check_;
  ClockPart clock_;
  std::array<std::unique_ptr<HashShard>, kShards> shards_;
};

}  // namespace kv

#endif  // ENGINES_MEMORY_HASH_ENGINE_H_
