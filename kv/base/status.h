// Error constructors: one spelling for each class of failure, so that every message names what,
// where and why.
//
//   class        code              a caller may
//   not found    kNotFound         treat it as an answer (allocates nothing)
//   corruption   kDataLoss         stop using the file; the message has path and offset
//   no space     kResourceExhausted   make room; the message has operation and path
//   I/O error    by errno          retry elsewhere; the message has operation, path and errno text
//   misuse       kInvalidArgument  fix the call
//
// Thread safety: pure functions.
#ifndef KV_BASE_STATUS_H_
#define KV_BASE_STATUS_H_

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fmt/format.h"

namespace kv {

// Debian 12's absl::string_view is a class of its own; elsewhere it is std::string_view.
inline absl::string_view ToAbsl(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

// An absent key. No message: a miss must not allocate.
inline absl::Status NotFound() { return absl::Status(absl::StatusCode::kNotFound, ""); }

inline absl::Status Invalid(std::string_view reason) {
  return absl::InvalidArgumentError(ToAbsl(reason));
}

// A damaged file: `offset` is in bytes from the start of `path`.
inline absl::Status Corruption(std::string_view path, uint64_t offset, std::string_view reason) {
  return absl::DataLossError(
      fmt::format("{}: corrupt at byte offset {}: {}", path, offset, reason));
}

// A failed system call on `path`; `error` is its errno.
inline absl::Status IoError(std::string_view operation, std::string_view path, int error) {
  const std::string text =
      fmt::format("{} {}: {}", operation, path, std::generic_category().message(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(text);
    case EEXIST:
      return absl::AlreadyExistsError(text);
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return absl::ResourceExhaustedError(text);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(text);
    default:
      return absl::UnavailableError(text);
  }
}

// A want of something that may come back: of space, quota or file descriptors. The call that met it
// may be made again as it was.
inline bool IsOutOfSpace(const absl::Status& status) { return absl::IsResourceExhausted(status); }

// `status`, as an error after which there is no going on: a want of space that came too late.
inline absl::Status Final(absl::Status status) {
  return IsOutOfSpace(status) ? absl::UnavailableError(status.message()) : status;
}

}  // namespace kv

// Returns early from a function of Status or StatusOr when `expr` is not OK.
#define KV_RETURN_IF_ERROR(expr)                                             \
  do {                                                                       \
    if (::absl::Status kv_status_ = (expr); !kv_status_.ok()) [[unlikely]] { \
      return kv_status_;                                                     \
    }                                                                        \
  } while (false)

#define KV_STATUS_CONCAT_INNER_(a, b) a##b
#define KV_STATUS_CONCAT_(a, b) KV_STATUS_CONCAT_INNER_(a, b)

// KV_ASSIGN_OR_RETURN(auto file, fs.OpenRead(path)): the value, or an early return of its error.
#define KV_ASSIGN_OR_RETURN(declaration, expr)                             \
  auto KV_STATUS_CONCAT_(kv_status_or_, __LINE__) = (expr);                \
  if (!KV_STATUS_CONCAT_(kv_status_or_, __LINE__).ok()) [[unlikely]] {     \
    return std::move(KV_STATUS_CONCAT_(kv_status_or_, __LINE__)).status(); \
  }                                                                        \
  declaration = *std::move(KV_STATUS_CONCAT_(kv_status_or_, __LINE__))

#endif  // KV_BASE_STATUS_H_
