#include "bench/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "fmt/format.h"

namespace bench {
namespace {

// A non-negative decimal number and what follows it.
std::optional<double> ParseNumber(std::string_view text, std::string_view* suffix) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !(number >= 0) || number > 1e18) return std::nullopt;
  *suffix = text.substr(static_cast<size_t>(end - text.data()));
  return number;
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<uint64_t> ParseCount(std::string_view text) {
  std::string_view suffix;
  const auto number = ParseNumber(text, &suffix);
  if (!number) return std::nullopt;
  double factor = 1;
  if (suffix == "k" || suffix == "K") {
    factor = 1e3;
  } else if (suffix == "m" || suffix == "M") {
    factor = 1e6;
  } else if (suffix == "g" || suffix == "G") {
    factor = 1e9;
  } else if (!suffix.empty()) {
    return std::nullopt;
  }
  const double count = *number * factor;
  if (count > 1e18 || count != std::floor(count)) return std::nullopt;
  return static_cast<uint64_t>(count);
}

std::optional<double> ParseSeconds(std::string_view text) {
  std::string_view suffix;
  const auto number = ParseNumber(text, &suffix);
  if (!number) return std::nullopt;
  if (suffix.empty() || suffix == "s") return *number;
  if (suffix == "ms") return *number / 1000;
  if (suffix == "m") return *number * 60;
  if (suffix == "h") return *number * 3600;
  return std::nullopt;
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return parts;
}

std::string Nearest(std::string_view text, std::span<const std::string_view> names) {
  std::string_view best;
  size_t least = std::max<size_t>(2, text.size() / 3) + 1;
  for (const std::string_view name : names) {
    const size_t distance = EditDistance(text, name);
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return std::string(best);
}

std::string Unknown(std::string_view kind, std::string_view name,
                    std::span<const std::string_view> names) {
  const std::string nearest = Nearest(name, names);
  std::string message = fmt::format("unknown {}: {}", kind, name);
  if (!nearest.empty()) message += fmt::format("; did you mean {}?", nearest);
  return message;
}

std::string WithThousands(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t i = digits.size(); i > 3;) digits.insert(i -= 3, ",");
  return digits;
}

std::string Short(double number) {
  if (!std::isfinite(number)) return "-";
  const double size = std::abs(number);
  if (size >= 100) return WithThousands(static_cast<uint64_t>(std::llround(size)));
  return fmt::format("{:.{}f}", number, size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

}  // namespace bench
