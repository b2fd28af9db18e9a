// No expiry: reads skip the clock and the comparison.
//
// For: stores that expire nothing, and must not by mistake: ExpireAt does not compile, and a Put
// that would expire is refused. No load was found whose figures it betters (docs/policies.md).
// Not for: stores whose callers set a time to live.
#ifndef KV_EXPIRY_NONE_H_
#define KV_EXPIRY_NONE_H_

#include <cstdint>
#include <string_view>

#include "kv/expiry/concept.h"

namespace kv {

struct NoExpiry {
  static constexpr std::string_view kName = "none";
  static constexpr bool kEnabled = false;
  static constexpr bool Expired(uint64_t, uint64_t) { return false; }
};

static_assert(Expiry<NoExpiry>);

}  // namespace kv

#endif  // KV_EXPIRY_NONE_H_
