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

// A command that is put together: its small parts here, so that they come to the string in one
// piece, and what is large directly.
class Assembly {
 public:
  explicit Assembly(std::string* bytes) : bytes_(bytes) {}

  // `sign`, the number, and the end of the line.
  void AddLength(char sign, size_t number) {
    if (kRoom - size_ < kMostOverhead) Flush();
    char* at = small_.data() + size_;
    *at++ = sign;
    if (number < 10) {
      *at++ = static_cast<char>('0' + number);
    } else if (number < 100) {
      *at++ = static_cast<char>('0' + number / 10);
      *at++ = static_cast<char>('0' + number % 10);
    } else {
      at = std::to_chars(at, at + kMostOverhead, number).ptr;
    }
    *at++ = '\r';
    *at++ = '\n';
    size_ = static_cast<size_t>(at - small_.data());
  }

  // The argument and the end of its line.
  void AddArgument(std::string_view argument) {
    if (kRoom - size_ < argument.size() + 2) {
      Flush();
      if (kRoom < argument.size() + 2) {
        bytes_->append(argument);
        argument.remove_prefix(argument.size());
      }
    }
    size_ += argument.copy(small_.data() + size_, argument.size());
    small_[size_++] = '\r';
    small_[size_++] = '\n';
  }

  void Flush() {
    bytes_->append(small_.data(), size_);
    size_ = 0;
  }

 private:
  static constexpr size_t kRoom = 512;

  std::string* const bytes_;
  std::array<char, kRoom> small_;
  size_t size_ = 0;
};

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
  Assembly assembly(bytes);
  assembly.AddLength('*', arguments.size());
  for (const std::string_view argument : arguments) {
    assembly.AddLength('$', argument.size());
    assembly.AddArgument(argument);
  }
  assembly.Flush();
  return absl::OkStatus();
}

}  // namespace clients
