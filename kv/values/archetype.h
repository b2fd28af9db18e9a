// ValuesArchetype: the least that models Values, and a trivially right one: everything is
// separated, into files of one value, and a file is collected as soon as there is garbage in it.
// For tests.
#ifndef KV_VALUES_ARCHETYPE_H_
#define KV_VALUES_ARCHETYPE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kv/values/concept.h"

namespace kv {

struct ValuesArchetype {
  static constexpr std::string_view kName = "archetype";
  static constexpr bool kSeparates = true;
  static constexpr uint64_t kFileBytes = 1;

  static bool Separates(size_t) { return true; }
  static bool IsCollected(const ValueFileUse& use) { return use.garbage > 0; }
};

static_assert(Values<ValuesArchetype>);

}  // namespace kv

#endif  // KV_VALUES_ARCHETYPE_H_
