// Reading from a log-structured store: one key, many keys at once, and all of them.
//
// One line of the index gives the one place where the record can be; the record's lines give key,
// checksum and value. What has expired is not there.
//
// Thread safety: any thread, outside the store's gate. The store must outlive the reader.
#ifndef ENGINES_LOG_READER_H_
#define ENGINES_LOG_READER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engines/log/counters.h"
#include "engines/log/multi_get.h"
#include "engines/log/scan.h"
#include "engines/log/store.h"
#include "kv/base/status.h"
#include "kv/contract/record.h"

namespace kv {

template <typename Expiry, typename Environment>
class LogReader {
 public:
  using StoreType = LogStore<Environment>;

  explicit LogReader(StoreType& store) : store_(store) {}

  // Calls use(const Record&) with the key's record if it is live; kNotFound if not. The record's
  // bytes live during the call.
  template <typename Use>
  absl::Status Get(std::string_view key, Use&& use) {
    auto& keydir = store_.keydir();
    const uint64_t hash = LogKeyHash(key);
    keydir.index().Prefetch(hash);
    const auto guard = keydir.Enter();
    LogEntry entry;
    KV_RETURN_IF_ERROR(keydir.Find(key, hash, &entry));
    if (Expired(entry.record)) return NotFound();
    std::forward<Use>(use)(static_cast<const Record&>(entry.record));
    return absl::OkStatus();
  }

  // values[i] and statuses[i] answer keys[i], all as of one state.
  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) {
    const auto guard = store_.keydir().Enter();
    uint64_t hits = 0;
    LogMultiGet(store_.keydir())
        .Run(keys, [&](size_t i, const absl::Status& status, const LogEntry& entry) {
          statuses[i] = status.ok() && Expired(entry.record) ? NotFound() : status;
          if (!statuses[i].ok()) return;
          ++hits;
          values[i].assign(entry.record.value);
        });
    store_.counters().Add(LogCounter::kReads, keys.size());
    store_.counters().Add(LogCounter::kReadHits, hits);
  }

  // Calls visit(const Record&) for every live key, as of one instant, in no order. O(keys).
  template <typename Visit>
  absl::Status ForEach(Visit&& visit) {
    uint64_t now = 0;
    return ScanLive(
        store_, [&] { now = Now(); },
        [&](const LogEntry& entry) {
          if (!Expiry::Expired(entry.record.expires_at, now)) visit(entry.record);
        });
  }

  // The same for every key that is not deleted: for those that have expired too, which are back
  // when the clock is set back.
  template <typename Visit>
  absl::Status ForEachUndeleted(Visit&& visit) {
    return ScanLive(
        store_, [] {}, [&](const LogEntry& entry) { visit(entry.record); });
  }

 private:
  uint64_t Now() const { return Expiry::kEnabled ? store_.environment().clock.UnixMillis() : 0; }
  bool Expired(const Record& record) const {
    return record.expires_at != kNeverExpires && Expiry::Expired(record.expires_at, Now());
  }

  StoreType& store_;
};

}  // namespace kv

#endif  // ENGINES_LOG_READER_H_
