// Absolute expiry: a record is gone from the instant stored with it, in Unix milliseconds.
//
// The instant follows the wall clock, so it survives a restart, and a clock that is set back brings
// a record back until compaction has dropped it.
// For: sessions, caches, series: whatever has a time to live, beside records that have none.
// Not for: stores in which nothing may expire, not even by mistake (see none.h).
#ifndef KV_EXPIRY_ABSOLUTE_H_
#define KV_EXPIRY_ABSOLUTE_H_

#include <cstdint>
#include <string_view>

#include "kv/contract/record.h"
#include "kv/expiry/concept.h"

namespace kv {

struct AbsoluteExpiry {
  static constexpr std::string_view kName = "absolute";
  static constexpr bool kEnabled = true;
  static constexpr bool Expired(uint64_t expires_at, uint64_t now_unix_millis) {
    return expires_at != kNeverExpires && expires_at <= now_unix_millis;
  }
};

static_assert(Expiry<AbsoluteExpiry>);

}  // namespace kv

#endif  // KV_EXPIRY_ABSOLUTE_H_
