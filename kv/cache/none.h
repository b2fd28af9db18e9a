// No cache: for tables that are mapped and stored uncompressed, where the page cache is the cache.
//
// For: every store of mapped, uncompressed tables: nothing is copied, and no memory is taken twice.
// Not for: compressed blocks that are read again; each read decompresses.
#ifndef KV_CACHE_NONE_H_
#define KV_CACHE_NONE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "kv/cache/concept.h"

namespace kv {

class NoCache {
 public:
  static constexpr std::string_view kName = "none";
  static constexpr bool kEnabled = false;

  class Handle {
   public:
    Handle() = default;
    explicit Handle(std::string block) : block_(std::make_unique<std::string>(std::move(block))) {}
    explicit operator bool() const { return block_ != nullptr; }
    std::string_view bytes() const { return *block_; }

   private:
    // On the heap, so that the bytes of a short block stay put when the handle moves.
    std::unique_ptr<std::string> block_;
  };

  explicit NoCache(size_t /*capacity_bytes*/) {}

  Handle Lookup(uint64_t, uint64_t) { return Handle(); }
  Handle Insert(uint64_t, uint64_t, std::string block) { return Handle(std::move(block)); }
  void EraseFile(uint64_t) {}

  // Lookups are not counted: there is nothing that they could have found.
  CacheCounters Counters() const { return {}; }
  size_t UsedBytes() const { return 0; }
  size_t CapacityBytes() const { return 0; }
};

static_assert(Cache<NoCache>);

}  // namespace kv

#endif  // KV_CACHE_NONE_H_
