// What both memory engines check before they do anything: that the engine is open, the sizes, and
// that an expiry is asked for only where there is an Expiry part to keep it.
//
// Thread safety: all functions from any thread; Close must be the last call (kv/contract/engine.h).
#ifndef ENGINES_MEMORY_WRITE_CHECK_H_
#define ENGINES_MEMORY_WRITE_CHECK_H_

#include <atomic>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "kv/contract/engine.h"
#include "kv/expiry/concept.h"

namespace kv::memory_internal {

template <typename ExpiryPart>
class WriteCheck {
 public:
  absl::Status Open() const {
    // relaxed: Close is exclusive; this only makes a call after it answer.
    if (closed_.load(std::memory_order_relaxed)) [[unlikely]] {
      return absl::FailedPreconditionError("the engine is closed");
    }
    return absl::OkStatus();
  }

  absl::Status Read(std::string_view key) const {
    KV_RETURN_IF_ERROR(Open());
    return CheckSizes(key);
  }

  absl::Status Put(std::string_view key, std::string_view value, uint64_t expires_at) const {
    KV_RETURN_IF_ERROR(Open());
    return Contents(key, value, expires_at);
  }

  // Of ExpireAt.
  absl::Status Expire(std::string_view key, uint64_t expires_at) const {
    RequireExpiry<ExpiryPart>();
    return Put(key, {}, expires_at);
  }

  absl::Status Batch(const WriteBatch& batch) const {
    KV_RETURN_IF_ERROR(Open());
    absl::Status status;
    const bool whole = WriteBatch::ForEach(batch.Bytes(), 0, [&](const Record& record) {
      status.Update(Contents(record.key, record.value, record.expires_at));
    });
    if (!whole) return Invalid("the bytes of the batch are not a batch");
    return status;
  }

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
        return Invalid("this composition has no Expiry part");
      }
    }
    return CheckSizes(key, value);
  }

  std::atomic<bool> closed_{false};
};

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_WRITE_CHECK_H_
