// What an LSM composition says of itself: its parts, for reports, and what it writes to disk, for
// the manifest.
//
// Thread safety: pure functions.
#ifndef ENGINES_LSM_DESCRIPTOR_H_
#define ENGINES_LSM_DESCRIPTOR_H_

#include <string>
#include <string_view>

#include "fmt/format.h"

namespace kv {

// One line of JSON.
template <typename Parts>
std::string LsmDescriptor() {
  return fmt::format(
      R"({{"engine":"lsm","memtable":"{}","compaction":"{}","striping":"{}","commit":"{}",)"
      R"("filter":"{}","cache":"{}","compression":"{}","wal_compression":"{}",)"
      R"("reading":"{}","values":"{}","expiry":"{}"}})",
      Parts::Memtable::kName, Parts::Compaction::kName, Parts::Striping::kName,
      Parts::Commit::kName, Parts::Filter::kName, Parts::Cache::kName, Parts::Compression::kName,
      Parts::WalCompression::kName, Parts::Reading::kName, Parts::Values::kName,
      Parts::Expiry::kName);
}

// What LsmFormat() ends with where values are separated. A store without it can be opened, and
// has it from then on; the other way round it cannot.
inline constexpr std::string_view kValuesFormat = " values=separated";

// What a composition writes to disk. Not in it: WalCompression, for a log with records that a
// composition cannot read is refused by itself, and one that was flushed before it was closed has
// none.
template <typename Parts>
std::string LsmFormat() {
  return fmt::format("lsm filter={} compression={} expiry={}{}", Parts::Filter::kName,
                     Parts::Compression::kName, Parts::Expiry::kName,
                     Parts::Values::kSeparates ? kValuesFormat : std::string_view());
}

}  // namespace kv

#endif  // ENGINES_LSM_DESCRIPTOR_H_
