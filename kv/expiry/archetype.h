// ExpiryArchetype: the least that models Expiry, and the trivially right one. For tests.
#ifndef KV_EXPIRY_ARCHETYPE_H_
#define KV_EXPIRY_ARCHETYPE_H_

#include <cstdint>
#include <string_view>

#include "kv/contract/record.h"
#include "kv/expiry/concept.h"

namespace kv {

struct ExpiryArchetype {
  static constexpr std::string_view kName = "archetype";
  static constexpr bool kEnabled = true;
  static bool Expired(uint64_t expires_at, uint64_t now_unix_millis) {
    if (expires_at == kNeverExpires) return false;
    return now_unix_millis >= expires_at;
  }
};

static_assert(Expiry<ExpiryArchetype>);

}  // namespace kv

#endif  // KV_EXPIRY_ARCHETYPE_H_
