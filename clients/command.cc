#include "clients/command.h"

#include <hiredis/hiredis.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kv/base/status.h"

namespace clients {
namespace {

// Of $<length>\r\n...\r\n, and of *<count>\r\n as well.
constexpr uint64_t kMostOverhead = 32;

absl::Status Format(Arguments arguments, const char** texts, size_t* lengths, std::string* bytes) {
  uint64_t total = kMostOverhead;
  for (size_t i = 0; i < arguments.size(); ++i) {
    texts[i] = arguments[i].data();
    lengths[i] = arguments[i].size();
    total += lengths[i] + kMostOverhead;
  }
  if (total > static_cast<uint64_t>(std::numeric_limits<int>::max())) {
    return kv::Invalid("a command of 2 GiB or more");
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
  if (arguments.empty() || arguments[0].empty()) return kv::Invalid("a command without a name");
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

}  // namespace clients
