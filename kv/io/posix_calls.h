// System calls on files as posix.h wants them: whole, uninterrupted, and owned.
//
// Thread safety: a Descriptor is one thread's; the functions keep nothing.
#ifndef KV_IO_POSIX_CALLS_H_
#define KV_IO_POSIX_CALLS_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "kv/base/status.h"

namespace kv {

namespace posix_internal {

// Calls `call`, which reports failure as -1, until a signal no longer interrupts it.
template <typename Call>
auto Uninterrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

// Writes all of `bytes` at `offset` through `write_some(from, size, offset)`, which behaves as
// pwrite(2). Returns 0 or an errno, after which a part may have been written.
template <typename WriteSome>
int WriteFully(WriteSome write_some, uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        Uninterrupted([&] { return write_some(bytes.data(), bytes.size(), offset); });
    if (written < 0) return errno;
    if (written == 0) return EIO;  // never for a regular file; do not spin on it
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return 0;
}

// Reads up to `size` bytes at `offset` through `read_some(to, size, offset)`, which behaves as
// pread(2), stopping early only at the end of the file. Sets `*got`; returns 0 or an errno.
template <typename ReadSome>
int ReadFully(ReadSome read_some, uint64_t offset, size_t size, char* to, size_t* got) {
  *got = 0;
  while (*got < size) {
    const ssize_t some =
        Uninterrupted([&] { return read_some(to + *got, size - *got, offset + *got); });
    if (some < 0) return errno;
    if (some == 0) return 0;
    *got += static_cast<size_t>(some);
  }
  return 0;
}

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { Close(); }

  int get() const { return fd_; }

  // Returns 0 or an errno. The descriptor is gone either way: after EINTR too on Linux, where a
  // second close could hit a descriptor that another thread has just opened.
  int Close() {
    const int fd = std::exchange(fd_, -1);
    if (fd == -1 || ::close(fd) == 0 || errno == EINTR) return 0;
    return errno;
  }

 private:
  int fd_;
};

inline absl::StatusOr<Descriptor> Open(const std::string& path, int flags) {
  const int fd = Uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); });
  if (fd == -1) return IoError("open", path, errno);
  return Descriptor(fd);
}

inline absl::StatusOr<uint64_t> FileSize(const Descriptor& file, const std::string& path) {
  struct stat stat;
  if (::fstat(file.get(), &stat) == -1) return IoError("stat", path, errno);
  return static_cast<uint64_t>(stat.st_size);
}

// The directory that holds the entry `path`; trailing slashes do not count.
inline std::string Parent(const std::string& path) {
  const size_t last = path.find_last_not_of('/');
  const size_t slash = last == std::string::npos ? last : path.find_last_of('/', last);
  if (slash == std::string::npos) return path.starts_with('/') ? "/" : ".";
  const size_t end = path.find_last_not_of('/', slash);
  return end == std::string::npos ? "/" : path.substr(0, end + 1);
}

}  // namespace posix_internal

}  // namespace kv

#endif  // KV_IO_POSIX_CALLS_H_
