// What a program would keep its records in without this project: standard kinds of maps behind
// mutexes, as engines, so that the lab runs the same work on them and the conformance suite holds
// them to the same promises. What they do here says how fast a machine is on which they run.
//
//   ShardedHashMap    64 absl::flat_hash_map, each behind a mutex; a key's hash says which
//   LockedOrderedMap  one absl::btree_map behind a mutex
//
// A batch holds the mutexes of all its shards, lowest first, from its first write to its last, and
// a MultiGet those of its keys: each is of one instant, as the contract demands. Count of the hash
// maps walks them all; that of the ordered one walks the keys with the prefix.
//
// Thread safety: as the contract says, but that reads wait for writes of the same shard.
// Omits: expiry, cursors, snapshots. Options are ignored.
#ifndef BENCH_PEERS_LOCKED_MAPS_H_
#define BENCH_PEERS_LOCKED_MAPS_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "kv/base/hash.h"
#include "kv/contract/engine.h"
#include "kv/expiry/call_check.h"
#include "kv/expiry/none.h"

namespace kv::peers {

template <typename Map, size_t kShards>
class LockedMaps {
  static_assert(std::has_single_bit(kShards) && kShards <= 64, "a set of shards is 64 bits");
  static constexpr bool kSorted = requires(Map & map) { map.lower_bound(std::string_view()); };
  static_assert(!kSorted || kShards == 1, "keys of one order lie in one map");

 public:
  static constexpr bool kDurable = false;
  static constexpr bool kOrdered = false;
  static constexpr bool kExpiry = false;

  static std::string Descriptor() {
    return fmt::format(R"({{"engine":"peer","map":"{}","shards":{}}})",
                       kSorted ? "absl::btree_map" : "absl::flat_hash_map", kShards);
  }

  static absl::StatusOr<std::unique_ptr<LockedMaps>> Open(const Options&) {
    return std::make_unique<LockedMaps>();
  }

  absl::Status Get(std::string_view key, std::string* value) {
    KV_RETURN_IF_ERROR(check_.Read(key));
    Shard& shard = shards_[ShardOf(key)];
    const std::lock_guard lock(shard.mutex);
    return shard.Get(key, value);
  }

  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) {
    uint64_t wanted = 0;
    for (size_t i = 0; i < keys.size(); ++i) {
      statuses[i] = check_.Read(keys[i]);
      if (statuses[i].ok()) wanted |= BitOf(keys[i]);
    }
    const Locks locks(*this, wanted);
    for (size_t i = 0; i < keys.size(); ++i) {
      if (statuses[i].ok()) statuses[i] = shards_[ShardOf(keys[i])].Get(keys[i], &values[i]);
    }
  }

  absl::Status Put(std::string_view key, std::string_view value, const PutOptions& options = {}) {
    KV_RETURN_IF_ERROR(check_.Put(key, value, options.expires_at));
    return Apply({.key = key, .value = value});
  }

  absl::Status Delete(std::string_view key) {
    KV_RETURN_IF_ERROR(check_.Read(key));
    return Apply({.key = key, .value = {}, .kind = RecordKind::kTombstone});
  }

  absl::Status Write(const WriteBatch& batch) {
    uint64_t written = 0;
    KV_RETURN_IF_ERROR(
        check_.Batch(batch, [&written](const Record& record) { written |= BitOf(record.key); }));
    const Locks locks(*this, written);
    WriteBatch::ForEach(batch.Bytes(), 0, [this](const Record& record) {
      shards_[ShardOf(record.key)].Apply(record);
    });
    return absl::OkStatus();
  }

  absl::Status DeleteRange(std::string_view begin, std::string_view end) {
    KV_RETURN_IF_ERROR(check_.Read(begin));
    KV_RETURN_IF_ERROR(check_.Read(end));
    if (!end.empty() && end <= begin) return absl::OkStatus();
    const Locks locks(*this, kAll);
    for (Shard& shard : shards_) shard.DeleteRange(begin, end);
    return absl::OkStatus();
  }

  template <SortedSource S>
  absl::Status BulkLoad(S& source) {
    KV_RETURN_IF_ERROR(check_.Open());
    return ForEachSorted(source, [this](const Record& record) {
      return Put(record.key, record.value, {.expires_at = record.expires_at});
    });
  }

  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions& options = {}) {
    KV_RETURN_IF_ERROR(check_.Put(key, desired.value_or(""), options.expires_at));
    Shard& shard = shards_[ShardOf(key)];
    const std::lock_guard lock(shard.mutex);
    return shard.CompareAndSet(key, expected, desired);
  }

  absl::StatusOr<uint64_t> Count(std::string_view prefix) {
    KV_RETURN_IF_ERROR(check_.Open());
    const Locks locks(*this, kAll);
    uint64_t count = 0;
    for (const Shard& shard : shards_) count += shard.Count(prefix);
    return count;
  }

  absl::Status ExpireAt(std::string_view key, uint64_t expires_at) {
    return check_.Expire(key, expires_at);
  }

  absl::StatusOr<uint64_t> ExpiresAt(std::string_view key) {
    KV_RETURN_IF_ERROR(check_.Read(key));
    Shard& shard = shards_[ShardOf(key)];
    const std::lock_guard lock(shard.mutex);
    if (!shard.map.contains(key)) return NotFound();
    return kNeverExpires;
  }

  Statistics Stats() {
    const Locks locks(*this, kAll);
    Statistics sum;
    for (const Shard& shard : shards_) {
      for (const StatisticsField& field : kStatisticsFields) {
        sum.*field.member += shard.counts.*field.member;
      }
    }
    return sum;
  }

  absl::Status Flush() { return check_.Open(); }
  absl::Status Close() { return check_.Close(); }

 private:
  // Its functions are called under its mutex.
  struct alignas(64) Shard {
    absl::Status Get(std::string_view key, std::string* value) {
      ++counts.reads;
      const auto found = map.find(key);
      if (found == map.end()) return NotFound();
      ++counts.read_hits;
      value->assign(found->second);
      return absl::OkStatus();
    }

    void Apply(const Record& record) {
      ++counts.writes;
      counts.user_bytes_written += record.key.size() + record.value.size();
      const auto found = map.find(record.key);
      if (record.kind == RecordKind::kTombstone) {
        if (found != map.end()) map.erase(found);
      } else if (found != map.end()) {
        found->second.assign(record.value);
      } else {
        map.emplace(std::string(record.key), std::string(record.value));
      }
    }

    CasResult CompareAndSet(std::string_view key, std::optional<std::string_view> expected,
                            std::optional<std::string_view> desired) {
      ++counts.cas_attempts;
      CasResult result;
      if (const auto found = map.find(key); found != map.end()) result.current = found->second;
      result.swapped = result.current == expected;
      if (!result.swapped) {
        ++counts.cas_failures;
        return result;
      }
      Apply({.key = key,
             .value = desired.value_or(""),
             .kind = desired ? RecordKind::kValue : RecordKind::kTombstone});
      return {.swapped = true};
    }

    void DeleteRange(std::string_view begin, std::string_view end) {
      if constexpr (kSorted) {
        map.erase(map.lower_bound(begin), end.empty() ? map.end() : map.lower_bound(end));
      } else {
        absl::erase_if(map, [begin, end](const auto& entry) {
          return entry.first >= begin && IsBefore(entry.first, end);
        });
      }
    }

    uint64_t Count(std::string_view prefix) const {
      uint64_t count = 0;
      if constexpr (kSorted) {
        for (auto at = map.lower_bound(prefix); at != map.end(); ++at, ++count) {
          if (!at->first.starts_with(prefix)) break;
        }
      } else {
        for (const auto& entry : map) count += entry.first.starts_with(prefix) ? 1 : 0;
      }
      return count;
    }

    std::mutex mutex;
    Map map;
    Statistics counts;
  };

  static constexpr uint64_t kAll = ~uint64_t{0} >> (64 - kShards);

  // Holds the mutexes of the shards in a set, taken lowest first.
  class Locks {
   public:
    Locks(LockedMaps& maps, uint64_t shards) : maps_(maps), shards_(shards) {
      ForEach([](Shard& shard) { shard.mutex.lock(); });
    }
    Locks(const Locks&) = delete;
    Locks& operator=(const Locks&) = delete;
    ~Locks() {
      ForEach([](Shard& shard) { shard.mutex.unlock(); });
    }

   private:
    template <typename Each>
    void ForEach(Each&& each) {
      for (uint64_t left = shards_; left != 0; left &= left - 1) {
        each(maps_.shards_[static_cast<size_t>(std::countr_zero(left))]);
      }
    }

    LockedMaps& maps_;
    const uint64_t shards_;
  };

  static size_t ShardOf(std::string_view key) {
    if constexpr (kShards == 1) {
      return 0;
    } else {  // by the high bits: absl's tables take the low ones
      return HashKey(key) >> (64 - std::countr_zero(kShards));
    }
  }
  static uint64_t BitOf(std::string_view key) { return uint64_t{1} << ShardOf(key); }

  absl::Status Apply(const Record& record) {
    Shard& shard = shards_[ShardOf(record.key)];
    const std::lock_guard lock(shard.mutex);
    shard.Apply(record);
    return absl::OkStatus();
  }

  CallCheck<NoExpiry> check_;
  std::array<Shard, kShards> shards_;
};

struct KeyHash {
  using is_transparent = void;
  size_t operator()(std::string_view key) const { return HashKey(key); }
};

using ShardedHashMap =
    LockedMaps<absl::flat_hash_map<std::string, std::string, KeyHash, std::equal_to<>>, 64>;
using LockedOrderedMap = LockedMaps<absl::btree_map<std::string, std::string, std::less<>>, 1>;
static_assert(Engine<ShardedHashMap> && Engine<LockedOrderedMap>);

}  // namespace kv::peers

#endif  // BENCH_PEERS_LOCKED_MAPS_H_
