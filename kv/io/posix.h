// The operating system's files: the FileSystem that stores run on.
//
// Contract: file_system.h. What this model adds to it:
//   - Sync() is fdatasync (F_FULLFSYNC on macOS, where fsync stops at the drive's cache): the data
//     and the size, without the timestamps.
//   - Append() writes at the end as this handle knows it, not at the end of the file as others left
//     it: one writer a file. A failed Append() or WriteAt() may have written a part; Size() does
//     not count it, and the next Append() writes over it.
//   - Map() maps once, read only, without advice: the same mapping serves point reads, which want
//     no readahead, and scans, which do, and the kernel's own guess is the compromise. Bytes are
//     read when first touched, and then an unreadable sector is SIGBUS, not a Status; a reader
//     that must survive a failing disk uses ReadAt().
//   - LockFile() is flock(2): it belongs to the open file, so it also refuses a second lock by the
//     same process, and the kernel gives it up however the process ends. A child that is forked
//     and does not exec keeps it held. The lock file stays behind; its content is the last
//     holder's process id, for people and for the message of the one who is refused.
//   - CreateDirectories() also syncs the entry of the deepest directory that it finds, because an
//     earlier process may have been killed between making and syncing it.
//
// Omits: O_DIRECT, io_uring, removal of directories.
// Not for: network file systems that emulate neither flock nor a durable fsync.
// Descriptors are close-on-exec. Thread safety: as the concept has it.
#ifndef KV_IO_POSIX_H_
#define KV_IO_POSIX_H_

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/io/file_system.h"
#include "kv/io/posix_calls.h"

namespace kv {

class PosixWritableFile {
 public:
  PosixWritableFile(posix_internal::Descriptor file, std::string path, uint64_t size)
      : file_(std::move(file)), path_(std::move(path)), size_(size) {}

  absl::Status Append(std::string_view bytes) { return WriteAt(size_, bytes); }

  absl::Status WriteAt(uint64_t offset, std::string_view bytes) {
    const auto write_some = [fd = file_.get()](const char* from, size_t size, uint64_t at) {
      return ::pwrite(fd, from, size, static_cast<off_t>(at));
    };
    const int error = posix_internal::WriteFully(write_some, offset, bytes);
    if (error != 0) [[unlikely]] {
      return IoError("write", path_, error);
    }
    size_ = std::max(size_, bytes.empty() ? 0 : offset + bytes.size());
    return absl::OkStatus();
  }

  absl::Status Extend(uint64_t size) {
    if (size < size_) return Invalid(fmt::format("{} has {} bytes, not {}", path_, size_, size));
    if (size == size_) return absl::OkStatus();
#ifdef __linux__
    const auto take = [&] {
      return ::fallocate(file_.get(), 0, static_cast<off_t>(size_),
                         static_cast<off_t>(size - size_));
    };
    if (posix_internal::Uninterrupted(take) == 0) {
      size_ = size;
      return absl::OkStatus();
    }
    if (errno != EOPNOTSUPP) return IoError("extend", path_, errno);
#endif
    // Space is taken by whoever writes.
    const std::string zeros(std::min<uint64_t>(size - size_, uint64_t{1} << 20), '\0');
    while (size_ < size) {
      KV_RETURN_IF_ERROR(Append(
          std::string_view(zeros).substr(0, std::min<uint64_t>(zeros.size(), size - size_))));
    }
    return absl::OkStatus();
  }

  absl::Status Truncate(uint64_t size) {
    if (size > size_) return Invalid(fmt::format("{} has {} bytes, not {}", path_, size_, size));
    const auto cut = [&] { return ::ftruncate(file_.get(), static_cast<off_t>(size)); };
    if (posix_internal::Uninterrupted(cut) == -1) return IoError("truncate", path_, errno);
    size_ = size;
    return absl::OkStatus();
  }

  // Not repeated after a failure: Linux marks the pages clean and says OK the second time.
  absl::Status Sync() {
    const int result = posix_internal::Uninterrupted([fd = file_.get()] {
#ifdef __APPLE__
      return ::fcntl(fd, F_FULLFSYNC);
#else
      return ::fdatasync(fd);
#endif
    });
    if (result == -1) [[unlikely]] {
      return IoError("sync", path_, errno);
    }
    return absl::OkStatus();
  }

  void StartWriteback([[maybe_unused]] uint64_t offset, [[maybe_unused]] uint64_t size) {
#ifdef __linux__
    // A hint: an error here is one that Sync() will meet again and report.
    (void)::sync_file_range(file_.get(), static_cast<off_t>(offset), static_cast<off_t>(size),
                            SYNC_FILE_RANGE_WRITE);
#endif
  }

  uint64_t Size() const { return size_; }

  // Without syncing. Closing again is fine; any other call on a closed file is an error.
  absl::Status Close() {
    const int error = file_.Close();
    if (error != 0) return IoError("close", path_, error);
    return absl::OkStatus();
  }

 private:
  posix_internal::Descriptor file_;
  std::string path_;
  uint64_t size_;
};

class PosixReadableFile {
 public:
  PosixReadableFile(posix_internal::Descriptor file, std::string path, uint64_t size)
      : state_(new State{.file = std::move(file), .path = std::move(path), .size = size}) {}

  absl::Status ReadAt(uint64_t offset, size_t size, char* scratch) const {
    const auto read_some = [fd = state_->file.get()](char* to, size_t wanted, uint64_t at) {
      return ::pread(fd, to, wanted, static_cast<off_t>(at));
    };
    size_t got;
    const int error = posix_internal::ReadFully(read_some, offset, size, scratch, &got);
    if (error != 0) [[unlikely]] {
      return IoError("read", state_->path, error);
    }
    if (got != size) [[unlikely]] {
      return Corruption(state_->path, offset,
                        fmt::format("the file ends after {} of {} bytes", got, size));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::string_view> Map() const {
    if (state_->size == 0) return std::string_view();  // mmap refuses an empty range
    const std::lock_guard lock(state_->map_mutex);
    if (state_->mapped == nullptr) {
      void* const mapped =
          ::mmap(nullptr, state_->size, PROT_READ, MAP_SHARED, state_->file.get(), 0);
      if (mapped == MAP_FAILED) return IoError("map", state_->path, errno);
      state_->mapped = mapped;
    }
    return std::string_view(static_cast<const char*>(state_->mapped), state_->size);
  }

  void ReleaseMapping() const {
    const std::lock_guard lock(state_->map_mutex);
    if (state_->mapped != nullptr) ::madvise(state_->mapped, state_->size, MADV_DONTNEED);
  }

  uint64_t Size() const { return state_->size; }

 private:
  // On the heap, so that a move disturbs neither the mapping nor the mutex.
  struct State {
    ~State() {
      if (mapped != nullptr) ::munmap(mapped, size);
    }

    const posix_internal::Descriptor file;
    const std::string path;
    const uint64_t size;
    std::mutex map_mutex = {};
    void* mapped = nullptr;  // guarded by map_mutex
  };
  std::unique_ptr<State> state_;
};

class PosixFileSystem {
 public:
  static constexpr std::string_view kName = "posix";

  using WritableFile = PosixWritableFile;
  using ReadableFile = PosixReadableFile;

  class Lock {
   public:
    explicit Lock(posix_internal::Descriptor file) : file_(std::move(file)) {}

   private:
    posix_internal::Descriptor file_;  // closing it gives the lock up
  };

  absl::StatusOr<WritableFile> Create(const std::string& path) {
    KV_ASSIGN_OR_RETURN(auto file, posix_internal::Open(path, O_RDWR | O_CREAT | O_TRUNC));
    return WritableFile(std::move(file), path, 0);
  }

  absl::StatusOr<WritableFile> OpenForOverwrite(const std::string& path) {
    KV_ASSIGN_OR_RETURN(auto file, posix_internal::Open(path, O_RDWR));
    KV_ASSIGN_OR_RETURN(const uint64_t size, posix_internal::FileSize(file, path));
    return WritableFile(std::move(file), path, size);
  }

  absl::StatusOr<ReadableFile> OpenForRead(const std::string& path) {
    KV_ASSIGN_OR_RETURN(auto file, posix_internal::Open(path, O_RDONLY));
    KV_ASSIGN_OR_RETURN(const uint64_t size, posix_internal::FileSize(file, path));
    return ReadableFile(std::move(file), path, size);
  }

  absl::Status Rename(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) == -1) {
      return IoError("rename", fmt::format("{} to {}", from, to), errno);
    }
    return absl::OkStatus();
  }

  absl::Status Link(const std::string& from, const std::string& to) {
    if (::link(from.c_str(), to.c_str()) == -1) {
      return IoError("link", fmt::format("{} to {}", from, to), errno);
    }
    return absl::OkStatus();
  }

  absl::Status Remove(const std::string& path) {
    if (::unlink(path.c_str()) == -1) return IoError("remove", path, errno);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& path) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
    if (directory == nullptr) return IoError("list", path, errno);
    std::vector<std::string> names;
    for (;;) {
      errno = 0;  // the only way to tell the end from an error
      // Unsafe only for threads that share a stream. NOLINTNEXTLINE(concurrency-mt-unsafe)
      const dirent* const entry = ::readdir(directory.get());
      if (entry == nullptr) break;
      bool is_directory = entry->d_type == DT_DIR;
      if (entry->d_type == DT_UNKNOWN) {  // some file systems do not keep the type in the entry
        struct stat stat;
        is_directory =
            ::fstatat(::dirfd(directory.get()), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISDIR(stat.st_mode);
      }
      if (!is_directory) names.emplace_back(entry->d_name);
    }
    if (errno != 0) return IoError("list", path, errno);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status CreateDirectories(const std::string& path) {
    const std::string parent = posix_internal::Parent(path);
    struct stat stat;
    if (::stat(path.c_str(), &stat) == 0) {
      if (!S_ISDIR(stat.st_mode)) return IoError("create directory", path, ENOTDIR);
      // Its entry may have been made by a process that was killed before syncing it. A parent
      // that we may not read is not one that such a process of ours could have written.
      absl::Status synced = SyncDirectory(parent);
      return absl::IsPermissionDenied(synced) ? absl::OkStatus() : synced;
    }
    if (errno != ENOENT) return IoError("create directory", path, errno);
    KV_RETURN_IF_ERROR(CreateDirectories(parent));
    if (::mkdir(path.c_str(), 0755) == -1 && errno != EEXIST) {  // EEXIST: made by another just now
      return IoError("create directory", path, errno);
    }
    return SyncDirectory(parent);
  }

  absl::Status SyncDirectory(const std::string& path) {
    KV_ASSIGN_OR_RETURN(const auto directory, posix_internal::Open(path, O_RDONLY | O_DIRECTORY));
    if (posix_internal::Uninterrupted([&] { return ::fsync(directory.get()); }) == -1) {
      return IoError("sync directory", path, errno);
    }
    return absl::OkStatus();
  }

  bool Exists(const std::string& path) {
    struct stat stat;
    return ::stat(path.c_str(), &stat) == 0;
  }

  absl::StatusOr<Lock> LockFile(const std::string& path) {
    KV_ASSIGN_OR_RETURN(auto file, posix_internal::Open(path, O_RDWR | O_CREAT));
    if (posix_internal::Uninterrupted([&] { return ::flock(file.get(), LOCK_EX | LOCK_NB); }) ==
        -1) {
      if (errno != EWOULDBLOCK) return IoError("lock", path, errno);
      return absl::FailedPreconditionError(
          fmt::format("lock {}: held by process {}", path, ReadHolder(file)));
    }
    // The process id only informs, and a full disk must not keep a store from opening, so failures
    // to write it are let pass. Writing before cutting never leaves the file empty in between.
    const std::string holder = fmt::format("{}\n", ::getpid());
    const auto write_some = [&](const char* from, size_t size, uint64_t at) {
      return ::pwrite(file.get(), from, size, static_cast<off_t>(at));
    };
    if (posix_internal::WriteFully(write_some, 0, holder) == 0) {
      (void)!::ftruncate(file.get(), static_cast<off_t>(holder.size()));
    }
    return Lock(std::move(file));
  }

 private:
  static std::string ReadHolder(const posix_internal::Descriptor& file) {
    char text[32];
    const ssize_t size = ::pread(file.get(), text, sizeof text, 0);
    const std::string_view line(text, size > 0 ? static_cast<size_t>(size) : 0);
    const std::string_view digits = line.substr(0, line.find_first_not_of("0123456789"));
    return digits.empty() ? "unknown" : std::string(digits);
  }
};

static_assert(FileSystem<PosixFileSystem>);

}  // namespace kv

#endif  // KV_IO_POSIX_H_
