// FilterArchetype: the least that models Filter, and the trivially right one: the count of hashes,
// 8 bytes, then the hashes themselves, 8 bytes each. For tests.
#ifndef KV_FILTER_ARCHETYPE_H_
#define KV_FILTER_ARCHETYPE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "kv/base/bytes.h"
#include "kv/filter/concept.h"

namespace kv {

struct FilterArchetype {
  static constexpr std::string_view kName = "archetype";
  static constexpr bool kEnabled = true;
  static constexpr uint32_t kFormat = 0xffff'ffff;

  class Builder {
   public:
    void Add(uint64_t hash) { AppendFixed64(&hashes_, hash); }
    std::string Finish() {
      std::string bytes;
      AppendFixed64(&bytes, hashes_.size() / 8);
      bytes += hashes_;
      hashes_.clear();
      return bytes;
    }

   private:
    std::string hashes_;
  };

  static bool MayContain(std::string_view bytes, uint64_t hash) {
    if (bytes.size() < 8 || bytes.size() % 8 != 0) return true;
    if (LoadFixed64(bytes.data()) != bytes.size() / 8 - 1) return true;
    for (size_t i = 8; i < bytes.size(); i += 8) {
      if (LoadFixed64(bytes.data() + i) == hash) return true;
    }
    return false;
  }

  static void Prefetch(std::string_view, uint64_t) {}
};

static_assert(Filter<FilterArchetype>);

}  // namespace kv

#endif  // KV_FILTER_ARCHETYPE_H_
