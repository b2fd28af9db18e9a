#include "bench/remote/load/options.h"

#include <charconv>
#include <cmath>

#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

template <typename Number>
bool ParseWhole(std::string_view text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// What stands before the first `separator`; the rest stays in `text`, empty where there is none.
std::string_view TakeUntil(char separator, std::string_view* text) {
  const size_t at = text->find(separator);
  const std::string_view part = text->substr(0, at);
  text->remove_prefix(at == std::string_view::npos ? text->size() : at + 1);
  return part;
}

bool IsShare(double number) { return number > 0 && number <= 1; }

}  // namespace

absl::StatusOr<KeyDistribution> ParseKeyDistribution(std::string_view text) {
  const absl::Status wrong = kv::Invalid(fmt::format(
      "\"{}\" is no key distribution: uniform, zipf[:theta], latest[:theta], sequential, "
      "hot:share of keys:share of requests",
      text));
  KeyDistribution distribution;
  std::string_view rest = text;
  const std::string_view name = TakeUntil(':', &rest);
  if (name == "uniform" || name == "sequential") {
    distribution.pattern = name == "uniform" ? KeyPattern::kUniform : KeyPattern::kSequential;
    if (text.size() != name.size()) return wrong;
  } else if (name == "zipf" || name == "latest") {
    distribution.pattern = name == "zipf" ? KeyPattern::kZipf : KeyPattern::kLatest;
    if (text.size() == name.size()) return distribution;
    if (!ParseWhole(rest, &distribution.theta)) return wrong;
    if (!(distribution.theta >= 0 && distribution.theta <= 10)) {
      return kv::Invalid(fmt::format("theta of {} is not from 0 to 10", distribution.theta));
    }
  } else if (name == "hot") {
    distribution.pattern = KeyPattern::kHot;
    const std::string_view keys = TakeUntil(':', &rest);
    if (!ParseWhole(keys, &distribution.hot_keys) ||
        !ParseWhole(rest, &distribution.hot_requests) || !IsShare(distribution.hot_keys) ||
        !IsShare(distribution.hot_requests)) {
      return wrong;
    }
  } else {
    return wrong;
  }
  return distribution;
}

absl::StatusOr<std::vector<RangeShare>> ParseRanges(std::string_view text) {
  std::vector<RangeShare> ranges;
  std::string_view rest = text;
  while (true) {
    const bool last = rest.find(',') == std::string_view::npos;
    std::string_view weight = TakeUntil(',', &rest);
    const bool ends_early = weight.ends_with(':') || weight.ends_with('-') ||
                            weight.find("-:") != std::string_view::npos;
    std::string_view highest = TakeUntil(':', &weight);
    const std::string_view lowest = TakeUntil('-', &highest);
    RangeShare range;
    const bool is_whole = ParseWhole(lowest, &range.lowest) &&
                          (highest.empty() || ParseWhole(highest, &range.highest)) &&
                          (weight.empty() || ParseWhole(weight, &range.weight));
    if (highest.empty()) range.highest = range.lowest;
    if (!is_whole || ends_early || range.highest < range.lowest || !(range.weight > 0) ||
        !std::isfinite(range.weight)) {
      return kv::Invalid(fmt::format(
          "\"{}\" is no size or time: a number, a range (100-1000), or several of them with "
          "weights (100:3,1000:1)",
          text));
    }
    ranges.push_back(range);
    if (last) return ranges;
  }
}

}  // namespace bench::remote
