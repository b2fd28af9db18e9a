// The files of a B+tree store, by name. NNNNNN is a log's number in decimal, at least six digits;
// no number is used twice in the life of a store.
//
//   LOCK          held by the process that has the store open
//   TREE          the pages (store_header.h, page.h)
//   NNNNNN.log    write-ahead log (kv/io/log_format.h)
//   *.tmp         half-written; removed at open
//
// Thread safety: pure functions.
#ifndef ENGINES_BTREE_FILE_NAMES_H_
#define ENGINES_BTREE_FILE_NAMES_H_

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "fmt/format.h"

namespace kv::btree {

class FileNames {
 public:
  explicit FileNames(std::string directory) : directory_(std::move(directory)) {}

  const std::string& Directory() const { return directory_; }
  std::string Path(std::string_view name) const { return fmt::format("{}/{}", directory_, name); }
  std::string Lock() const { return Path("LOCK"); }
  std::string Tree() const { return Path("TREE"); }
  std::string NewTree() const { return Path("TREE.tmp"); }
  std::string Log(uint64_t number) const { return Path(fmt::format("{:06}.log", number)); }

  static std::optional<uint64_t> ParseLog(std::string_view name) {
    constexpr std::string_view kSuffix = ".log";
    if (!name.ends_with(kSuffix)) return std::nullopt;
    const std::string_view digits = name.substr(0, name.size() - kSuffix.size());
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    // "7.log" is not ours: log 7 is in "000007.log".
    if (fmt::format("{:06}", number) != digits) return std::nullopt;
    return number;
  }
  static bool IsOurs(std::string_view name) {
    return name == "LOCK" || name == "TREE" || name.ends_with(".tmp") || ParseLog(name);
  }

 private:
  std::string directory_;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_FILE_NAMES_H_
