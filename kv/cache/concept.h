// Cache: uncompressed blocks of sealed files, kept in memory by {file, offset}. A slot of the LSM
// engine; models:
//
//   ClockCache     the default: no locks, resists scans
//   S3FifoCache    the most hits where many blocks are read once
//   LruCache       the most hits where readers follow each other
//   NoCache        for mapped, uncompressed tables
//
// What a model promises, beyond the signatures:
//
//   Keys. A file's id is never reused and its bytes never change, so a block found under a key is
//   the block, and nothing is ever invalidated for correctness.
//   Handles. The bytes of a handle stay where they are and as they are until that handle is
//   destroyed or moved from, whatever is evicted or erased meanwhile. A moved handle's bytes stay
//   where they are. No handle outlives its cache.
//   Insert. Always hands back a handle on a block of that key: the block given, or the one that
//   was there. Whether the cache keeps it is its own business.
//   Bound. UsedBytes() never exceeds the capacity, and what is used includes the cache's own
//   structure. Bytes that only handles keep alive, not the cache, are not counted.
//   EraseFile. Frees the memory of a deleted file's blocks early, those in use when they are let
//   go. Inserts of that file that run at the same time may survive it until they are evicted.
//   Thread safety. All functions may be called from many threads. A handle belongs to one thread
//   at a time, and may be destroyed on another than it was got on.
//
// kEnabled == false: Lookup always misses and Insert only hands the bytes back, so an engine may
// leave the lookup out.
//
// Omits: priorities, a secondary tier, pinning other than by handles, loading on a miss.
#ifndef KV_CACHE_CONCEPT_H_
#define KV_CACHE_CONCEPT_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace kv {

// What a cache was asked, since it was made. Taken beside other threads, the two may be apart by
// the lookups under way.
struct CacheCounters {
  uint64_t hits = 0;
  uint64_t misses = 0;
};

// Null (false) when default-constructed, moved from, or from a miss; then bytes() is not called.
template <typename H>
concept CacheHandle = std::default_initializable<H> && std::movable<H> &&
    requires(const H& handle) {
  static_cast<bool>(handle);
  { handle.bytes() } -> std::same_as<std::string_view>;
};

template <typename C>
concept CacheLookups = CacheHandle<typename C::Handle> &&
    requires(C& cache, uint64_t file, uint64_t offset, std::string block) {
  { cache.Lookup(file, offset) } -> std::same_as<typename C::Handle>;
  { cache.Insert(file, offset, std::move(block)) } -> std::same_as<typename C::Handle>;
  { cache.EraseFile(file) } -> std::same_as<void>;
};

template <typename C>
concept CacheMeasured = requires(const C& cache) {
  { cache.Counters() } -> std::same_as<CacheCounters>;
  { cache.UsedBytes() } -> std::same_as<size_t>;
  { cache.CapacityBytes() } -> std::same_as<size_t>;
};

// Constructed from its capacity in bytes.
template <typename C>
concept Cache =
    std::constructible_from<C, size_t> && CacheLookups<C> && CacheMeasured<C> && requires {
  { C::kName } -> std::same_as<const std::string_view&>;
  { C::kEnabled } -> std::same_as<const bool&>;
};

}  // namespace kv

#endif  // KV_CACHE_CONCEPT_H_
