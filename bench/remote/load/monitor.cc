#include "bench/remote/load/monitor.h"

#include <algorithm>
#include <charconv>

#include "bench/remote/load/text_file.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

constexpr uint64_t kMicros = 1'000'000;
constexpr uint64_t kLongest = 1'000'000'000 * kMicros;
// Beyond, seconds would not fit as microseconds.
constexpr uint64_t kLastSecond = 1'000'000'000'000;

template <typename Number>
bool ParseWhole(std::string_view text, Number* number, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::string_view TakeLine(std::string_view* content) {
  const size_t newline = content->find('\n');
  std::string_view line = content->substr(0, newline);
  content->remove_prefix(newline == std::string_view::npos ? content->size() : newline + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool IsNothing(std::string_view line) { return line.empty() || line == "OK"; }

// "1339518083.107412", taken from the front of `line` with the blank behind it.
bool TakeTime(std::string_view* line, uint64_t* micros) {
  const size_t blank = line->find(' ');
  if (blank == std::string_view::npos) return false;
  const std::string_view time = line->substr(0, blank);
  const size_t dot = time.find('.');
  if (dot == std::string_view::npos || time.size() - dot != 7) return false;
  uint64_t seconds = 0;
  uint64_t fraction = 0;
  if (!ParseWhole(time.substr(0, dot), &seconds) || !ParseWhole(time.substr(dot + 1), &fraction) ||
      seconds > kLastSecond) {
    return false;
  }
  *micros = seconds * kMicros + fraction;
  line->remove_prefix(blank + 1);
  return true;
}

// "[0 127.0.0.1:60866]". A client may have brackets of its own, of an IPv6 address.
bool TakeClient(std::string_view* line, std::string_view* client) {
  const size_t end = line->find("] \"");
  if (end == std::string_view::npos || !line->starts_with('[')) return false;
  const std::string_view inside = line->substr(1, end - 1);
  const size_t blank = inside.find(' ');
  uint64_t database = 0;
  if (blank == std::string_view::npos || !ParseWhole(inside.substr(0, blank), &database)) {
    return false;
  }
  *client = inside.substr(blank + 1);
  line->remove_prefix(end + 2);
  return true;
}

// Takes an escape, without its backslash, from the front of `text`.
bool TakeEscape(std::string_view* text, char* byte) {
  if (text->empty()) return false;
  const char kind = text->front();
  text->remove_prefix(1);
  switch (kind) {
    case '\\':
    case '"':
      *byte = kind;
      return true;
    case 'n':
      *byte = '\n';
      return true;
    case 'r':
      *byte = '\r';
      return true;
    case 't':
      *byte = '\t';
      return true;
    case 'a':
      *byte = '\a';
      return true;
    case 'b':
      *byte = '\b';
      return true;
    case 'x': {
      uint8_t code = 0;
      if (text->size() < 2 || !ParseWhole(text->substr(0, 2), &code, 16)) return false;
      *byte = static_cast<char>(code);
      text->remove_prefix(2);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

std::string MonitorRecord::AddArguments(std::string_view text) {
  while (true) {
    if (!text.starts_with('"')) return "an argument does not begin with a quote";
    text.remove_prefix(1);
    Slice slice = {.begin = bytes_.size()};
    while (true) {
      // A stretch without escapes at once.
      const size_t stop = text.find_first_of("\"\\");
      if (stop == std::string_view::npos) return "an argument has no closing quote";
      bytes_.append(text.substr(0, stop));
      const bool is_escape = text[stop] == '\\';
      text.remove_prefix(stop + 1);
      if (!is_escape) break;
      char byte = 0;
      if (!TakeEscape(&text, &byte)) return "an unknown escape";
      bytes_.push_back(byte);
    }
    slice.size = bytes_.size() - slice.begin;
    slices_.push_back(slice);
    if (text.empty()) return "";
    if (!text.starts_with(' ')) return "no blank between two arguments";
    text.remove_prefix(1);
  }
}

std::string MonitorRecord::AddLine(std::string_view line, uint64_t* first_time) {
  uint64_t time = 0;
  std::string_view client;
  if (!TakeTime(&line, &time)) return "does not begin with seconds.microseconds";
  if (!TakeClient(&line, &client))
    return "no [database client] and a quoted command behind the time";
  const size_t bytes = bytes_.size();
  const size_t slices = slices_.size();
  std::string reason = AddArguments(line);
  if (reason.empty() && slices_[slices].size == 0) reason = "an empty command";
  if (!reason.empty() || client == "lua") {
    bytes_.resize(bytes);
    slices_.resize(slices);
    if (reason.empty()) ++of_scripts_;
    return reason;
  }
  if (requests_.empty()) *first_time = time;
  const uint64_t since = std::min(time - std::min(time, *first_time), kLongest);
  Request request = {.at_micros = requests_.empty() ? 0 : requests_.back().at_micros,
                     .first = slices,
                     .arguments = slices_.size() - slices};
  request.at_micros = std::max(request.at_micros, since);
  most_arguments_ = std::max<size_t>(most_arguments_, request.arguments);
  requests_.push_back(request);
  return "";
}

absl::StatusOr<MonitorRecord> MonitorRecord::Parse(std::string_view content, std::string_view path,
                                                   const Options& options) {
  MonitorRecord record;
  uint64_t line_number = 0;
  uint64_t first_time = 0;
  while (!content.empty() && (options.limit == 0 || record.size() < options.limit)) {
    const std::string_view line = TakeLine(&content);
    ++line_number;
    if (IsNothing(line)) continue;
    const std::string reason = record.AddLine(line, &first_time);
    if (reason.empty()) continue;
    const std::string message = fmt::format("{}:{}: {}", path, line_number, reason);
    if (!options.skip_bad_lines) return kv::Invalid(message);
    if (record.bad_lines_++ == 0) record.first_bad_line_ = message;
  }
  if (record.size() == 0) {
    return kv::Invalid(fmt::format("{}: no requests{}", path,
                                   record.bad_lines_ == 0
                                       ? std::string()
                                       : fmt::format(" ({} bad lines; the first: {})",
                                                     record.bad_lines_, record.first_bad_line_)));
  }
  return record;
}

absl::StatusOr<MonitorRecord> MonitorRecord::Read(const std::string& path, const Options& options) {
  KV_ASSIGN_OR_RETURN(const std::string content, ReadTextFile(path));
  return Parse(content, path, options);
}

bool IsMonitorOutput(std::string_view content) {
  while (!content.empty()) {
    std::string_view line = TakeLine(&content);
    if (line == "OK") return true;
    if (line.empty()) continue;
    uint64_t time = 0;
    return TakeTime(&line, &time) && line.starts_with('[');
  }
  return false;
}

}  // namespace bench::remote
