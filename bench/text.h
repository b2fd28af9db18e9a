// Small text helpers of the command line: numbers with suffixes, and the nearest known name.
// Flags themselves: command_line.h.
//
// Thread safety: pure functions.
#ifndef BENCH_TEXT_H_
#define BENCH_TEXT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// "1000", "10k", "1M", "2G" (powers of ten; either case); nullopt when it is no such number.
std::optional<uint64_t> ParseCount(std::string_view text);

// "10", "10s", "500ms", "2m", "1h" in seconds.
std::optional<double> ParseSeconds(std::string_view text);

// Splits at commas and leaves out empty parts.
std::vector<std::string> SplitList(std::string_view text);

// The name with the fewest edits from `text`, or empty when none is near (over a third of its
// length). O(names * length^2).
std::string Nearest(std::string_view text, std::span<const std::string_view> names);

// "unknown load: gteset; did you mean getset?", the question only where one of `names` is near.
std::string Unknown(std::string_view kind, std::string_view name,
                    std::span<const std::string_view> names);

// 1234567 as "1,234,567".
std::string WithThousands(uint64_t number);

// About three significant digits: 0.123, 1.23, 12.3, 1,234.
std::string Short(double number);

}  // namespace bench

#endif  // BENCH_TEXT_H_
