// FIFO compaction: nothing is ever merged; the oldest files are dropped, with all that they hold,
// as soon as there are more than max_bytes, or all their records have expired.
//
// Write amplification is 1. Data that was not deleted vanishes: the store is a window over the
// newest max_bytes.
//
// For: logs, metrics and caches, which are written once and read while they are new: never more
// than max_bytes after a flush, and nothing rewritten. A window of 100 flushes is up to 100 runs
// (simulation_test.cc).
// Not for: data that must stay; point reads without filters (each file may hold the key); keys that
// are overwritten (their dead versions take up the window); keys that are written once without
// expiry among others with one (expired files wait behind them); snapshots that are held for long
// (an engine keeps what they see and all that is newer, beyond max_bytes).
//
// Age: what stands deeper is older, and in level 0 what stands further right. Deeper levels come
// from other policies or from compaction by hand. Files go in the order of age only, and none goes
// while an older one is being compacted, so that no older version of a key comes back.
//
// Write stall debt: the bytes above max_bytes, as a fraction of max_bytes.
//
// Thread safety: pure functions. Complexity: O(files) a choice.
//
// Source: RocksDB's FIFO compaction style.
#ifndef KV_COMPACTION_FIFO_H_
#define KV_COMPACTION_FIFO_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kv/base/policy_name.h"
#include "kv/compaction/assemble.h"
#include "kv/compaction/choice.h"
#include "kv/compaction/concept.h"

namespace kv {

struct FifoShape {
  uint64_t max_bytes = uint64_t{1} << 30;    // of all files
  uint64_t ttl_grace_millis = 0;             // from a file's last expiry until it may go
  uint64_t file_bytes = uint64_t{64} << 20;  // of an output, when compacted by hand
};

template <FifoShape kShape = FifoShape{}>
class FifoCompaction {
  static_assert(kShape.max_bytes >= 1 && kShape.file_bytes >= 1);

 public:
  // "fifo<1G,0,64M>": the fields of the shape in their order.
  static constexpr std::string_view kName =
      kPolicyName<"fifo", kShape.max_bytes, kShape.ttl_grace_millis, kShape.file_bytes>;
  static constexpr int kMaxLevels = 64;
  static constexpr bool kByAge = true;
  static constexpr uint64_t kOutputFileBytes = kShape.file_bytes;
  // For engines: with an Expiry part that lets nothing expire, there would be nothing to wait for.
  static constexpr uint64_t kTtlGraceMillis = kShape.ttl_grace_millis;

  static std::optional<Choice> Choose(const TreeShape& shape) {
    uint64_t bytes = AllBytes(shape);
    Choice choice;
    choice.drop = true;
    choice.score = static_cast<double>(bytes) / static_cast<double>(kShape.max_bytes);
    choice.reason = bytes > kShape.max_bytes ? "bytes" : "expired";
    // From the oldest on; false at the first file that has to stay.
    const auto drop = [&](size_t level, const FileShape& file) {
      if (file.being_compacted) return false;
      if (bytes <= kShape.max_bytes && !Expired(shape, file)) return false;
      bytes -= file.bytes;
      choice.inputs.push_back({static_cast<int>(level), file.number});
      return true;
    };
    bool more = true;
    for (size_t level = shape.levels.size(); more && level-- > 0;) {
      const auto& files = shape.levels[level];
      more = std::all_of(files.rbegin(), files.rend(),
                         [&](const FileShape& file) { return drop(level, file); });
    }
    if (choice.inputs.empty()) return std::nullopt;
    choice.score = std::max(choice.score, 1.0);
    std::reverse(choice.inputs.begin(), choice.inputs.end());
    return choice;
  }

  static double WriteStallDebt(const TreeShape& shape) {
    const double max_bytes = static_cast<double>(kShape.max_bytes);
    return DebtFraction(static_cast<double>(AllBytes(shape)), max_bytes, 2 * max_bytes);
  }

 private:
  static uint64_t AllBytes(const TreeShape& shape) {
    uint64_t bytes = 0;
    for (const auto& level : shape.levels) bytes += TotalBytes(level);
    return bytes;
  }

  static bool Expired(const TreeShape& shape, const FileShape& file) {
    if (file.latest_expiry == 0 || shape.now_unix_millis < kShape.ttl_grace_millis) return false;
    return file.latest_expiry <= shape.now_unix_millis - kShape.ttl_grace_millis;
  }
};

static_assert(Compaction<FifoCompaction<>>);

}  // namespace kv

#endif  // KV_COMPACTION_FIFO_H_
