#include "clients/errors.h"

#include <algorithm>
#include <cstddef>

#include "fmt/format.h"
#include "kv/base/status.h"

namespace clients {
namespace {

struct Row {
  std::string_view begins;  // and a space or the end follows
  ErrorKind kind;
};

// Two of the sentences behind ERR are about passwords too: of AUTH where the server has none, and,
// before Redis 6, of a wrong one.
constexpr Row kRows[] = {
    {"NOAUTH", ErrorKind::kAuthentication},
    {"WRONGPASS", ErrorKind::kAuthentication},
    {"ERR AUTH", ErrorKind::kAuthentication},
    {"ERR Client sent AUTH,", ErrorKind::kAuthentication},
    {"ERR invalid password", ErrorKind::kAuthentication},
    {"NOPERM", ErrorKind::kPermission},
    {"DENIED", ErrorKind::kPermission},
    {"ERR max number of clients reached", ErrorKind::kUnavailable},
    {"READONLY", ErrorKind::kReadOnly},
    {"LOADING", ErrorKind::kLoading},
    {"BUSY", ErrorKind::kUnavailable},
    {"MASTERDOWN", ErrorKind::kUnavailable},
    {"CLUSTERDOWN", ErrorKind::kUnavailable},
    {"TRYAGAIN", ErrorKind::kUnavailable},
    {"NOREPLICAS", ErrorKind::kUnavailable},
    {"MISCONF", ErrorKind::kUnavailable},
    {"OOM", ErrorKind::kOutOfMemory},
    {"WRONGTYPE", ErrorKind::kWrongType},
    {"MOVED", ErrorKind::kMoved},
    {"ASK", ErrorKind::kAsk},
    {"EXECABORT", ErrorKind::kAborted},
    {"NOSCRIPT", ErrorKind::kNoScript},
    {"ERR unknown command", ErrorKind::kUnknownCommand},
};

absl::StatusCode CodeOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kAuthentication:
      return absl::StatusCode::kUnauthenticated;
    case ErrorKind::kPermission:
      return absl::StatusCode::kPermissionDenied;
    case ErrorKind::kReadOnly:
    case ErrorKind::kNoScript:
      return absl::StatusCode::kFailedPrecondition;
    case ErrorKind::kLoading:
    case ErrorKind::kUnavailable:
      return absl::StatusCode::kUnavailable;
    case ErrorKind::kOutOfMemory:
      return absl::StatusCode::kResourceExhausted;
    case ErrorKind::kWrongType:
      return absl::StatusCode::kInvalidArgument;
    case ErrorKind::kMoved:
    case ErrorKind::kAsk:
      return absl::StatusCode::kOutOfRange;
    case ErrorKind::kAborted:
      return absl::StatusCode::kAborted;
    case ErrorKind::kUnknownCommand:
      return absl::StatusCode::kUnimplemented;
    case ErrorKind::kOther:
      break;
  }
  return absl::StatusCode::kUnknown;
}

}  // namespace

ErrorKind KindOf(std::string_view error) {
  for (const Row& row : kRows) {
    if (!error.starts_with(row.begins)) continue;
    const char behind = error.size() == row.begins.size() ? ' ' : error[row.begins.size()];
    if (behind == ' ' || behind == ',') return row.kind;
  }
  return ErrorKind::kOther;
}

absl::Status ErrorStatus(std::string_view peer, std::string_view error) {
  return absl::Status(CodeOf(KindOf(error)), fmt::format("{}: {}", peer, Printable(error, 300)));
}

absl::Status At(std::string_view peer, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), fmt::format("{}: {}", peer, std::string(status.message())));
}

absl::Status TimedOut(std::string_view peer, std::string_view doing) {
  return absl::DeadlineExceededError(fmt::format("{}: time-out: {}", peer, doing));
}

absl::Status Lost(std::string_view peer, std::string_view how) {
  return absl::UnavailableError(fmt::format("{}: {}", peer, how));
}

absl::Status NotARedis(std::string_view peer, std::string_view reason) {
  return absl::FailedPreconditionError(fmt::format("{}: not a Redis server: {}", peer, reason));
}

std::string Printable(std::string_view bytes, size_t most) {
  std::string text;
  for (const char c : bytes.substr(0, most)) {
    if (c >= ' ' && c <= '~') {
      text += c;
    } else {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (bytes.size() > most) text += "...";
  return text;
}

}  // namespace clients
