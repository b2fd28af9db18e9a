#include "bench/remote/flag_values.h"

#include <charconv>
#include <string_view>
#include <system_error>

#include "bench/text.h"

namespace bench::remote {
namespace {

constexpr double kMostRate = 1e9;

std::optional<double> ParseNumber(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// 10k and 0.5 alike.
std::optional<double> ParsePerSecond(const std::string& text) {
  const auto count = ParseCount(text);
  const auto rate = count ? std::make_optional(static_cast<double>(*count)) : ParseNumber(text);
  if (!rate || !(*rate > 0) || *rate > kMostRate) return std::nullopt;
  return rate;
}

struct RateFor {
  double rate = 0;
  double seconds = 0;
};
std::optional<RateFor> ParseRateFor(const std::string& text) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const std::string rate = text.substr(0, colon);
  const auto seconds = ParseDuration(text.substr(colon + 1));
  // Between bursts nothing may be sent at all.
  const auto per_second = rate == "0" ? std::make_optional(0.0) : ParsePerSecond(rate);
  if (!per_second || !seconds) return std::nullopt;
  return RateFor{*per_second, *seconds};
}

}  // namespace

std::optional<Schedule> ParseRate(const std::string& text) {
  const size_t dots = text.find("..");
  if (dots == std::string::npos) {
    const auto rate = ParsePerSecond(text);
    if (!rate) return std::nullopt;
    return Schedule{.pace = Pace::kConstant, .rate = *rate};
  }
  const auto from = ParsePerSecond(text.substr(0, dots));
  const auto to = ParsePerSecond(text.substr(dots + 2));
  if (!from || !to) return std::nullopt;
  return Schedule{.pace = Pace::kRamp, .rate = *from, .end_rate = *to};
}

std::optional<Schedule> ParseBurst(const std::string& text) {
  const auto parts = SplitList(text);
  if (parts.size() != 2) return std::nullopt;
  const auto burst = ParseRateFor(parts[0]);
  const auto rest = ParseRateFor(parts[1]);
  if (!burst || !rest || burst->rate <= 0) return std::nullopt;
  return Schedule{.pace = Pace::kBurst,
                  .rate = burst->rate,
                  .burst_seconds = burst->seconds,
                  .rest_seconds = rest->seconds,
                  .rest_rate = rest->rate};
}

std::optional<std::vector<int>> ParseNumbers(const std::string& text, uint64_t least,
                                             uint64_t most) {
  std::vector<int> numbers;
  for (const std::string& part : SplitList(text)) {
    const auto count = ParseCount(part);
    if (!count || *count < least || *count > most) return std::nullopt;
    numbers.push_back(static_cast<int>(*count));
  }
  if (numbers.empty()) return std::nullopt;
  return numbers;
}

std::optional<double> ParseShare(const std::string& text) {
  const bool percent = text.ends_with('%');
  const auto number =
      ParseNumber(std::string_view(text).substr(0, text.size() - (percent ? 1 : 0)));
  if (!number) return std::nullopt;
  const double share = percent ? *number / 100 : *number;
  if (!(share >= 0 && share <= 1)) return std::nullopt;
  return share;
}

std::optional<double> ParseDuration(const std::string& text) {
  const auto seconds = ParseSeconds(text);
  return seconds && *seconds > 0 ? seconds : std::nullopt;
}

std::optional<std::vector<std::string>> ParseSetting(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  return std::vector<std::string>{text.substr(0, equals), text.substr(equals + 1)};
}

std::optional<bool> ParseYes(const std::string& text) {
  if (text == "yes" || text == "true" || text == "1") return true;
  if (text == "no" || text == "false" || text == "0") return false;
  return std::nullopt;
}

}  // namespace bench::remote
