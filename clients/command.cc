#include "clients/command.h"

#include <hiredis/hiredis.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kv/base/status.h"

namespace clients {
namespace {

// Of $<length>\r\n...\r\n, and of *<count>\r\n as well.
constexpr uint64_t kMostOverhead = 32;

absl::Status Check(Arguments arguments) {
  if (arguments.empty() || arguments[0].empty()) return kv::Invalid("a command without a name");
  uint64_t total = kMostOverhead;
  for (const std::string_view argument : arguments) total += argument.size() + kMostOverhead;
  if (total > static_cast<uint64_t>(std::numeric_limits<int>::max())) {
    return kv::Invalid("a command of 2 GiB or more");
  }
  return absl::OkStatus();
}

// `sign`, the number, and the end of the line. Returns where it ends.
char* PutLength(char sign, size_t number, char* at) {
  *at++ = sign;
  at = std::to_chars(at, at + kMostOverhead, number).ptr;
  *at++ = '\r';
  *at++ = '\n';
  return at;
}

absl::Status Format(Arguments arguments, const char** texts, size_t* lengths, std::string* bytes) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    texts[i] = arguments[i].data();
    lengths[i] = arguments[i].size();
  }
  char* command = nullptr;
  const auto size =
      redisFormatCommandArgv(&command, static_cast<int>(arguments.size()), texts, lengths);
  if (size < 0) return absl::ResourceExhaustedError("no memory for a command");
  bytes->append(command, static_cast<size_t>(size));
  redisFreeCommand(command);
  return absl::OkStatus();
}

}  // namespace

absl::Status AppendCommand(Arguments arguments, std::string* bytes) {
  KV_RETURN_IF_ERROR(Check(arguments));
  constexpr size_t kFew = 16;
  if (arguments.size() <= kFew) {
    std::array<const char*, kFew> texts;
    std::array<size_t, kFew> lengths;
    return Format(arguments, texts.data(), lengths.data(), bytes);
  }
  std::vector<const char*> texts(arguments.size());
  std::vector<size_t> lengths(arguments.size());
  return Format(arguments, texts.data(), lengths.data(), bytes);
}

absl::Status AppendCommandInPlace(Arguments arguments, std::string* bytes) {
  KV_RETURN_IF_ERROR(Check(arguments));
  // What stands between two arguments goes in at once: the end of one, the length of the next.
  std::array<char, 3 * kMostOverhead> between;
  char* end = PutLength('*', arguments.size(), between.data());
  for (const std::string_view argument : arguments) {
    end = PutLength('$', argument.size(), end);
    bytes->append(between.data(), static_cast<size_t>(end - between.data()));
    bytes->append(argument);
    end = between.data();
    *end++ = '\r';
    *end++ = '\n';
  }
  bytes->append("\r\n", 2);
  return absl::OkStatus();
}

}  // namespace clients
