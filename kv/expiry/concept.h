// Expiry: decides whether a record with an instant of expiry is still there.
//
// What a model promises, beyond the signatures:
//
//   Purity. Expired() depends on its arguments alone: the clock is read by the engine, once for an
//   operation, so that one operation sees one time. Thread safety follows.
//   kNeverExpires. A record without an instant of expiry never expires.
//   Boundary. An instant that is exactly reached counts as expired, as in Redis.
//   Monotony. What has expired at one time has expired at every later time.
//   kEnabled == false. Nothing expires, and an engine answers InvalidArgument to a write that asks
//   for expiry, and does not compile a call of ExpireAt: a promise to forget is refused rather than
//   ignored.
//
// An expired record is an answer: the key is absent, and the search must not go on to older
// versions of it.
//
// Omits: time to live relative to the last read.
#ifndef KV_EXPIRY_CONCEPT_H_
#define KV_EXPIRY_CONCEPT_H_

#include <concepts>
#include <cstdint>
#include <string_view>

#include "kv/contract/record.h"

namespace kv {

template <typename E>
concept Expiry = requires(uint64_t expires_at, uint64_t now_unix_millis) {
  { E::kName } -> std::same_as<const std::string_view&>;
  { E::kEnabled } -> std::same_as<const bool&>;
  // Both in Unix milliseconds; `expires_at` may be kNeverExpires.
  { E::Expired(expires_at, now_unix_millis) } -> std::same_as<bool>;
};

// For an engine's ExpireAt, which only sets what `E` then must keep: a call of it on a composition
// that cannot is refused when it is compiled. (A Put is not: whether its options hold an instant is
// known when it runs.)
template <Expiry E>
constexpr void RequireExpiry() {
  static_assert(E::kEnabled,
                "ExpireAt and the Expiry slot contradict each other: with NoExpiry no key can "
                "expire. Name AbsoluteExpiry in the composition, or do not call ExpireAt");
}

}  // namespace kv

#endif  // KV_EXPIRY_CONCEPT_H_
