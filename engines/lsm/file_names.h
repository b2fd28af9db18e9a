// The files of an LSM store, by name. NNNNNN is a file number in decimal, at least six digits; no
// number is used twice in the life of a store.
//
//   LOCK              held by the process that has the store open
//   CURRENT           the name of the manifest in force
//   MANIFEST-NNNNNN   which tables make up the tree (manifest.h)
//   NNNNNN.log        write-ahead log (kv/io/log_format.h)
//   NNNNNN.table      sorted table (table_format.h)
//   NNNNNN.values     value file (value_format.h)
//   *.tmp             half-written; removed at open
//
// Thread safety: pure functions.
#ifndef ENGINES_LSM_FILE_NAMES_H_
#define ENGINES_LSM_FILE_NAMES_H_

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "fmt/format.h"

namespace kv {

inline constexpr std::string_view kManifestPrefix = "MANIFEST-";
inline constexpr std::string_view kLogSuffix = ".log";
inline constexpr std::string_view kTableSuffix = ".table";
inline constexpr std::string_view kValuesSuffix = ".values";
inline constexpr std::string_view kTemporarySuffix = ".tmp";

class FileNames {
 public:
  explicit FileNames(std::string directory) : directory_(std::move(directory)) {}

  const std::string& Directory() const { return directory_; }
  std::string Path(std::string_view name) const { return fmt::format("{}/{}", directory_, name); }
  std::string Lock() const { return Path("LOCK"); }
  std::string Current() const { return Path("CURRENT"); }
  std::string Manifest(uint64_t number) const { return Path(ManifestName(number)); }
  std::string Log(uint64_t number) const {
    return Path(fmt::format("{:06}{}", number, kLogSuffix));
  }
  std::string Table(uint64_t number) const {
    return Path(fmt::format("{:06}{}", number, kTableSuffix));
  }
  std::string Values(uint64_t number) const {
    return Path(fmt::format("{:06}{}", number, kValuesSuffix));
  }

  static std::string ManifestName(uint64_t number) {
    return fmt::format("{}{:06}", kManifestPrefix, number);
  }

  static std::optional<uint64_t> ParseManifest(std::string_view name) {
    if (!name.starts_with(kManifestPrefix)) return std::nullopt;
    return ParseNumber(name.substr(kManifestPrefix.size()));
  }
  static std::optional<uint64_t> ParseLog(std::string_view name) {
    return ParseWithSuffix(name, kLogSuffix);
  }
  static std::optional<uint64_t> ParseTable(std::string_view name) {
    return ParseWithSuffix(name, kTableSuffix);
  }
  static std::optional<uint64_t> ParseValues(std::string_view name) {
    return ParseWithSuffix(name, kValuesSuffix);
  }

 private:
  static std::optional<uint64_t> ParseWithSuffix(std::string_view name, std::string_view suffix) {
    if (!name.ends_with(suffix)) return std::nullopt;
    return ParseNumber(name.substr(0, name.size() - suffix.size()));
  }
  static std::optional<uint64_t> ParseNumber(std::string_view digits) {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    // "7.log" is not ours: log 7 is in "000007.log".
    if (fmt::format("{:06}", number) != digits) return std::nullopt;
    return number;
  }

  std::string directory_;
};

}  // namespace kv

#endif  // ENGINES_LSM_FILE_NAMES_H_
