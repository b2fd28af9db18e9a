// The files of a log-structured store, by name. NNNNNN is a number in decimal, at least six digits;
// no number is used twice in the life of a store, except that a segment and its hint share one.
//
//   LOCK             held by the process that has the store open
//   SEGMENTS         the manifest: which segments make up the store, in order (manifest.h)
//   NNNNNN.segment   a segment that writes went into (segment_format.h)
//   NNNNNN.merged    a segment that a merge wrote; counts only where the manifest names it
//   NNNNNN.hint      where the records of the sealed segment NNNNNN are (hint.h)
//   SEGMENTS.tmp     a manifest that was not finished; the next one is written over it
//
// Thread safety: pure functions.
#ifndef ENGINES_LOG_FILE_NAMES_H_
#define ENGINES_LOG_FILE_NAMES_H_

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "fmt/format.h"

namespace kv {

class SegmentFileNames {
 public:
  static constexpr std::string_view kWrittenSuffix = ".segment";
  static constexpr std::string_view kMergedSuffix = ".merged";
  static constexpr std::string_view kHintSuffix = ".hint";

  explicit SegmentFileNames(std::string directory) : directory_(std::move(directory)) {}

  const std::string& Directory() const { return directory_; }
  std::string Path(std::string_view name) const { return fmt::format("{}/{}", directory_, name); }
  std::string Lock() const { return Path("LOCK"); }
  std::string Manifest() const { return Path("SEGMENTS"); }
  std::string TemporaryManifest() const { return Path("SEGMENTS.tmp"); }
  std::string Written(uint64_t number) const { return Numbered(number, kWrittenSuffix); }
  std::string Merged(uint64_t number) const { return Numbered(number, kMergedSuffix); }
  std::string Hint(uint64_t number) const { return Numbered(number, kHintSuffix); }

  // The number in `name`, if it is one of ours with this suffix.
  static std::optional<uint64_t> Parse(std::string_view name, std::string_view suffix) {
    if (!name.ends_with(suffix)) return std::nullopt;
    const std::string_view digits = name.substr(0, name.size() - suffix.size());
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    // "7.hint" is not ours: hint 7 is "000007.hint".
    if (fmt::format("{:06}", number) != digits) return std::nullopt;
    return number;
  }

 private:
  std::string Numbered(uint64_t number, std::string_view suffix) const {
    return Path(fmt::format("{:06}{}", number, suffix));
  }

  std::string directory_;
};

}  // namespace kv

#endif  // ENGINES_LOG_FILE_NAMES_H_
