// SeparatedValues: values from a size on go to value files when they leave the memtable, and
// compaction copies pointers instead of them (WiscKey, Lu et al., FAST 2016; at flush, as RocksDB's
// integrated BlobDB does it).
//
// A value file is collected when more than `max_garbage_percent` of its bytes are garbage. So where
// collecting keeps up, value files take at most 100 / (100 - max_garbage_percent) times the bytes
// that tables point to: twice, as it is shipped. And collecting writes, for each byte that it
// frees, at most (100 - max_garbage_percent) / max_garbage_percent bytes: one.
//
// For: values of 1 KiB to 1 MiB, above all when they are overwritten; scans of keys only.
// Not for: small values, where the pointer and the second read cost more than the copies that they
// save; long scans of values, each of which is a read of its own, in the order of writing.
//
// Thread safety: pure functions.
#ifndef KV_VALUES_SEPARATED_H_
#define KV_VALUES_SEPARATED_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kv/values/concept.h"

namespace kv {

struct SeparatedShape {
  size_t min_bytes = 1024;
  uint64_t max_garbage_percent = 50;
  uint64_t file_bytes = uint64_t{64} << 20;
};

template <SeparatedShape kShape = SeparatedShape{}>
struct SeparatedValues {
  static_assert(kShape.min_bytes > 0, "an empty value is no shorter for being elsewhere");
  static_assert(kShape.max_garbage_percent < 100, "files with nothing but garbage are collected");
  static_assert(kShape.file_bytes > 0);

  static constexpr std::string_view kName = "separated";
  static constexpr bool kSeparates = true;
  static constexpr uint64_t kFileBytes = kShape.file_bytes;

  static bool Separates(size_t bytes) { return bytes >= kShape.min_bytes; }

  static bool IsCollected(const ValueFileUse& use) {
    return use.garbage > use.bytes / 100 * kShape.max_garbage_percent +
                             use.bytes % 100 * kShape.max_garbage_percent / 100;
  }
};

static_assert(Values<SeparatedValues<>>);

}  // namespace kv

#endif  // KV_VALUES_SEPARATED_H_
