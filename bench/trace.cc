#include "bench/trace.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <unordered_map>

#include "fmt/format.h"
#include "kv/base/bytes.h"
#include "kv/base/status.h"
#include "kv/contract/engine.h"

namespace bench {
namespace {

constexpr std::string_view kBlockHeader = "version,time,op,size,lbn";

// A part of a bad line, short and printable enough for a message.
std::string Quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, 40)) quoted.push_back(c >= ' ' && c <= '~' ? c : '?');
  return quoted + (text.size() > 40 ? "...\"" : "\"");
}

template <typename Integer>
bool ParseWhole(std::string_view text, Integer* number, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// Splits off what stands before the first (or after the last) comma; the rest stays in `text`.
std::optional<std::string_view> TakeFirst(std::string_view* text) {
  const size_t comma = text->find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const std::string_view field = text->substr(0, comma);
  text->remove_prefix(comma + 1);
  return field;
}
std::optional<std::string_view> TakeLast(std::string_view* text) {
  const size_t comma = text->rfind(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const std::string_view field = text->substr(comma + 1);
  *text = text->substr(0, comma);
  return field;
}

std::optional<OperationKind> ScsiKind(unsigned opcode) {
  switch (opcode) {
    case 0x08:
    case 0x28:
    case 0xa8:
    case 0x88:
      return OperationKind::kGet;
    case 0x0a:
    case 0x2a:
    case 0xaa:
    case 0x8a:
      return OperationKind::kPut;
    default:
      return std::nullopt;
  }
}

std::optional<OperationKind> CacheKind(std::string_view name) {
  static constexpr std::pair<std::string_view, OperationKind> kNames[] = {
      {"get", OperationKind::kGet},
      {"gets", OperationKind::kGet},
      {"set", OperationKind::kPut},
      {"add", OperationKind::kAdd},
      {"replace", OperationKind::kReplace},
      {"cas", OperationKind::kCas},
      {"append", OperationKind::kAppend},
      {"prepend", OperationKind::kPrepend},
      {"delete", OperationKind::kDelete},
      {"incr", OperationKind::kAddDecimal},
      {"decr", OperationKind::kSubtractDecimal},
  };
  for (const auto& [known, kind] : kNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

// Each parser fills `request` (all but its key, with the time in seconds) and `key`, or returns why
// it cannot.
std::string ParseBlockLine(std::string_view line, TraceRequest* request, std::string* key) {
  std::array<std::string_view, 4> fields;
  for (std::string_view& field : fields) {
    const auto taken = TakeFirst(&line);
    if (!taken) return "fewer than the 5 fields version,time,op,size,lbn";
    field = *taken;
  }
  if (line.find(',') != std::string_view::npos) {
    return "more than the 5 fields version,time,op,size,lbn";
  }
  uint64_t number = 0;
  unsigned opcode = 0;
  if (!ParseWhole(fields[0], &number)) return "version is not a number: " + Quote(fields[0]);
  if (!ParseWhole(fields[1], &request->at_micros)) {
    return "time is not a number: " + Quote(fields[1]);
  }
  if (!ParseWhole(fields[2], &opcode, 16)) {
    return "op is not a hexadecimal SCSI opcode: " + Quote(fields[2]);
  }
  const auto kind = ScsiKind(opcode);
  if (!kind) return "op is neither a SCSI read nor a write: " + Quote(fields[2]);
  request->kind = *kind;
  if (!ParseWhole(fields[3], &request->value_bytes)) {
    return "size is not a number: " + Quote(fields[3]);
  }
  if (!ParseWhole(line, &number)) return "lbn is not a number: " + Quote(line);
  key->resize(8);
  kv::StoreBig64(key->data(), number);
  return "";
}

std::string ParseTwitterLine(std::string_view line, TraceRequest* request, std::string* key) {
  static constexpr char kFew[] =
      "fewer than the 7 fields timestamp,key,key size,value size,client id,operation,TTL";
  const auto timestamp = TakeFirst(&line);
  const auto ttl = TakeLast(&line);
  const auto operation = TakeLast(&line);
  const auto client = TakeLast(&line);
  const auto value_bytes = TakeLast(&line);
  const auto key_bytes = TakeLast(&line);
  if (!timestamp || !client || !key_bytes) return kFew;
  uint64_t key_size = 0;
  uint64_t ttl_seconds = 0;
  if (!ParseWhole(*timestamp, &request->at_micros)) {
    return "timestamp is not a number: " + Quote(*timestamp);
  }
  if (!ParseWhole(*key_bytes, &key_size)) return "key size is not a number: " + Quote(*key_bytes);
  if (!ParseWhole(*value_bytes, &request->value_bytes)) {
    return "value size is not a number: " + Quote(*value_bytes);
  }
  const auto kind = CacheKind(*operation);
  if (!kind) return "unknown operation: " + Quote(*operation);
  request->kind = *kind;
  if (!ParseWhole(*ttl, &ttl_seconds)) return "TTL is not a number: " + Quote(*ttl);
  request->ttl_seconds = static_cast<uint32_t>(std::min<uint64_t>(ttl_seconds, ~uint32_t{0}));
  if (key_size > kv::kMaxKeyBytes || line.size() > kv::kMaxKeyBytes) {
    return fmt::format("key of {} bytes is over {}", std::max<uint64_t>(key_size, line.size()),
                       kv::kMaxKeyBytes);
  }
  key->assign(line);
  if (key->size() < key_size) key->resize(key_size, '0');
  return "";
}

// From whole seconds to microseconds since the first request.
void SpreadTimes(std::vector<TraceRequest>* requests) {
  constexpr uint64_t kMicros = 1'000'000;
  constexpr uint64_t kMostSeconds = 1'000'000'000;
  if (requests->empty()) return;
  const uint64_t first = requests->front().at_micros;
  uint64_t second = 0;  // since the first
  for (TraceRequest& request : *requests) {
    const uint64_t since = request.at_micros - std::min(request.at_micros, first);
    second = std::max(second, std::min(since, kMostSeconds));
    request.at_micros = second;
  }
  for (size_t begin = 0; begin < requests->size();) {
    second = (*requests)[begin].at_micros;
    size_t end = begin;
    while (end < requests->size() && (*requests)[end].at_micros == second) ++end;
    for (size_t i = begin; i < end; ++i) {
      (*requests)[i].at_micros = second * kMicros + (i - begin) * kMicros / (end - begin);
    }
    begin = end;
  }
}

absl::StatusOr<TraceFormat> Detect(std::string_view line, std::string_view path) {
  const auto commas = std::count(line.begin(), line.end(), ',');
  if (line == kBlockHeader || commas == 4) return TraceFormat::kBlock;
  if (commas >= 6) return TraceFormat::kTwitter;
  return kv::Invalid(fmt::format(
      "{}: not a trace this program knows; its first line is {}. Known are block traces ({}) and "
      "Twitter cache traces (timestamp,key,key size,value size,client id,operation,TTL)",
      path, Quote(line), kBlockHeader));
}

}  // namespace

absl::StatusOr<Trace> ParseTrace(std::string_view content, std::string_view path,
                                 const TraceOptions& options) {
  Trace trace;
  trace.path = path;
  bool detected = false;
  uint64_t line_number = 0;
  std::unordered_map<std::string_view, uint32_t> index;
  std::string key;
  while (!content.empty() && (options.limit == 0 || trace.requests.size() < options.limit)) {
    const size_t newline = content.find('\n');
    std::string_view line = content.substr(0, newline);
    content.remove_prefix(newline == std::string_view::npos ? content.size() : newline + 1);
    ++line_number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    if (!detected) {
      KV_ASSIGN_OR_RETURN(trace.format, Detect(line, path));
      detected = true;
      if (line == kBlockHeader) continue;
    }
    TraceRequest request;
    std::string reason = trace.format == TraceFormat::kBlock
                             ? ParseBlockLine(line, &request, &key)
                             : ParseTwitterLine(line, &request, &key);
    if (reason.empty() && request.value_bytes > kv::kMaxValueBytes) {
      reason = fmt::format("value of {} bytes is over {}", request.value_bytes, kv::kMaxValueBytes);
    }
    if (!reason.empty()) {
      const std::string message = fmt::format("{}:{}: {}", path, line_number, reason);
      if (!options.skip_bad_lines) return kv::Invalid(message);
      if (trace.bad_lines++ == 0) trace.first_bad_line = message;
      continue;
    }
    const auto found = index.find(key);
    if (found == index.end()) {
      request.key = static_cast<uint32_t>(trace.keys.size());
      index.emplace(trace.keys.emplace_back(key), request.key);
    } else {
      request.key = found->second;
    }
    trace.largest_value = std::max(trace.largest_value, request.value_bytes);
    trace.requests.push_back(request);
  }
  if (trace.requests.empty()) {
    return kv::Invalid(fmt::format("{}: no requests{}", path,
                                   trace.bad_lines == 0
                                       ? std::string()
                                       : fmt::format(" ({} bad lines; the first: {})",
                                                     trace.bad_lines, trace.first_bad_line)));
  }
  SpreadTimes(&trace.requests);
  return trace;
}

absl::StatusOr<Trace> ReadTrace(const std::string& path, const TraceOptions& options) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return kv::IoError("open", path, errno);
  struct stat attributes = {};
  int error = fstat(file, &attributes) != 0 ? errno : 0;
  if (error == 0 && !S_ISREG(attributes.st_mode)) {
    error = S_ISDIR(attributes.st_mode) ? EISDIR : EINVAL;
  }
  const auto size = static_cast<size_t>(attributes.st_size);
  void* memory = nullptr;
  if (error == 0 && size > 0) {
    memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (memory == MAP_FAILED) error = errno;
  }
  close(file);
  if (error != 0) return kv::IoError("read", path, error);
  auto trace = ParseTrace({static_cast<const char*>(memory), size}, path, options);
  if (memory != nullptr) munmap(memory, size);
  return trace;
}

}  // namespace bench
