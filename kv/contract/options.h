// What an operator may turn at run time. Everything else is a part or a shape, chosen at compile
// time, where the compiler can see it.
#ifndef KV_CONTRACT_OPTIONS_H_
#define KV_CONTRACT_OPTIONS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "kv/contract/record.h"

namespace kv {

struct Options {
  // Where a durable engine keeps its files. Engines in memory ignore it.
  std::string directory;
  // Open fails with kNotFound on a directory that holds no store when this is false, and with
  // kAlreadyExists on one that holds a store when error_if_exists is true.
  bool create_if_missing = true;
  bool error_if_exists = false;
  // Bytes of memory for writes that are not in a sorted run yet: the memtable that takes them and
  // the one that is being written out, half for each.
  uint64_t memtable_bytes = uint64_t{32} << 20;
  // Bytes of uncompressed blocks held in memory, for compositions with a Cache part.
  uint64_t cache_bytes = uint64_t{256} << 20;
};

struct PutOptions {
  // Unix milliseconds from which on the key is absent. A composition without an Expiry part
  // answers kInvalidArgument to anything but kNeverExpires: it does not ignore it.
  uint64_t expires_at = kNeverExpires;
};

// The keys a cursor may stand on: lower <= key < upper; an empty `upper` is no bound.
struct CursorBounds {
  std::string lower;
  std::string upper;
};

// Whether `key` lies before `end`, which when empty is no bound.
inline bool IsBefore(std::string_view key, std::string_view end) {
  return end.empty() || key < end;
}

}  // namespace kv

#endif  // KV_CONTRACT_OPTIONS_H_
