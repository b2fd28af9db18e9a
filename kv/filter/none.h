// No filter: takes no space and excludes nothing.
//
// For: stores that are written and scanned, or asked only for keys that exist in one run.
// Not for: trees of many tables whose reads often miss; each table is then searched.
#ifndef KV_FILTER_NONE_H_
#define KV_FILTER_NONE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "kv/filter/concept.h"

namespace kv {

struct NoFilter {
  static constexpr std::string_view kName = "none";
  static constexpr bool kEnabled = false;
  static constexpr uint32_t kFormat = 0;

  struct Builder {
    void Add(uint64_t) {}
    std::string Finish() { return {}; }
  };

  static bool MayContain(std::string_view, uint64_t) { return true; }
  static void Prefetch(std::string_view, uint64_t) {}
};

static_assert(Filter<NoFilter>);

}  // namespace kv

#endif  // KV_FILTER_NONE_H_
