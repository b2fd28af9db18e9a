// Conformance suite of the Expiry concept.
//
//   absl::Status CheckExpiry<E>()   never, boundary, monotony and kEnabled over extreme instants
//
// Hands back the first failure in words, so that a test can also assert that a broken model is
// refused.
#ifndef KV_EXPIRY_CONFORMANCE_H_
#define KV_EXPIRY_CONFORMANCE_H_

#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/contract/record.h"
#include "kv/expiry/concept.h"

namespace kv {

template <Expiry E>
absl::Status CheckExpiry() {
  constexpr uint64_t kLast = std::numeric_limits<uint64_t>::max();
  const uint64_t instants[] = {1, 2, 1'000, 1'700'000'000'000, kLast - 1, kLast};
  const uint64_t times[] = {0, 1, 2, 999, 1'000, 1'699'999'999'999, 1'700'000'000'000, kLast};
  for (const uint64_t now : times) {
    if (E::Expired(kNeverExpires, now)) {
      return absl::FailedPreconditionError(fmt::format("never expires, yet gone at {}", now));
    }
    for (const uint64_t expires_at : instants) {
      const bool gone = E::kEnabled && now >= expires_at;
      if (E::Expired(expires_at, now) != gone) {
        return absl::FailedPreconditionError(
            fmt::format("expires at {}: {} at {}", expires_at, gone ? "still there" : "gone", now));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace kv

#endif  // KV_EXPIRY_CONFORMANCE_H_
