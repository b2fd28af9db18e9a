// What every engine checks before it does anything: that it is open, the sizes of keys and values,
// and that an expiry is asked for only where `ExpiryPart` keeps it.
//
// Thread safety: all functions from any thread; Close must be the last call (kv/contract/engine.h).
// Cost: a load and a few comparisons; nothing is allocated unless a call is refused.
#ifndef KV_EXPIRY_CALL_CHECK_H_
#define KV_EXPIRY_CALL_CHECK_H_

#include <atomic>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "kv/base/status.h"
#include "kv/contract/engine.h"
#include "kv/contract/record.h"
#include "kv/contract/write_batch.h"
#include "kv/expiry/concept.h"

namespace kv {

template <Expiry ExpiryPart>
class CallCheck {
 public:
  // Of any call; by itself, of those that name no key.
  absl::Status Open() const {
    // relaxed: Close is exclusive; this only makes a call after it answer.
    if (closed_.load(std::memory_order_relaxed)) [[unlikely]] {
      return absl::FailedPreconditionError("the store is closed");
    }
    return absl::OkStatus();
  }

  // Of a call that names a key and no value: a read, a delete, the bound of a range.
  absl::Status Read(std::string_view key) const {
    KV_RETURN_IF_ERROR(Open());
    return CheckSizes(key);
  }

  absl::Status Put(std::string_view key, std::string_view value, uint64_t expires_at) const {
    KV_RETURN_IF_ERROR(Open());
    return Contents(key, value, expires_at);
  }

  // Of ExpireAt, which does not compile without an Expiry part.
  absl::Status Expire(std::string_view key, uint64_t expires_at) const {
    RequireExpiry<ExpiryPart>();
    return Put(key, {}, expires_at);
  }

  absl::Status Batch(const WriteBatch& batch) const {
    return Batch(batch, [](const Record&) {});
  }

  // Calls each(const Record&) for every record, also after one that is refused. The error is that
  // of the first one.
  template <typename Each>
  absl::Status Batch(const WriteBatch& batch, Each&& each) const {
    KV_RETURN_IF_ERROR(Open());
    absl::Status status;
    const bool whole = WriteBatch::ForEach(batch.Bytes(), 0, [&](const Record& record) {
      each(record);
      status.Update(Contents(record.key, record.value, record.expires_at));
    });
    if (!whole) return Invalid("the bytes of the batch are not a batch");
    return status;
  }

  // Of the last call: those after it are refused.
  absl::Status Close() {
    KV_RETURN_IF_ERROR(Open());
    // relaxed: as in Open, with whose load this pairs.
    closed_.store(true, std::memory_order_relaxed);
    return absl::OkStatus();
  }

 private:
  static absl::Status Contents(std::string_view key, std::string_view value, uint64_t expires_at) {
    if constexpr (!ExpiryPart::kEnabled) {
      if (expires_at != kNeverExpires) [[unlikely]] {
        return Invalid("this composition's Expiry part is none: keys cannot expire");
      }
    }
    return CheckSizes(key, value);
  }

  std::atomic<bool> closed_{false};
};

}  // namespace kv

#endif  // KV_EXPIRY_CALL_CHECK_H_
