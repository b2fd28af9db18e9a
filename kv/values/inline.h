// InlineValues: every value lies in a table, right behind its key.
//
// For: values up to about 1 KiB; short scans that read values: one read has all of it
// (docs/policies.md).
// Not for: large values that are overwritten: each compaction copies them (separated.h).
//
// Thread safety: pure functions.
#ifndef KV_VALUES_INLINE_H_
#define KV_VALUES_INLINE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kv/values/concept.h"

namespace kv {

struct InlineValues {
  static constexpr std::string_view kName = "inline";
  static constexpr bool kSeparates = false;
  static constexpr uint64_t kFileBytes = 0;

  static bool Separates(size_t /*bytes*/) { return false; }
  static bool IsCollected(const ValueFileUse& /*use*/) { return false; }
};

static_assert(Values<InlineValues>);

}  // namespace kv

#endif  // KV_VALUES_INLINE_H_
