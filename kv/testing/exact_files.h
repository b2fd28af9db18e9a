// A file system in memory for fuzz targets: quick, and strict about bounds. A mapped file is memory
// of exactly the file's size, so the address sanitizer sees a read of one byte more.
//
// Keeps nothing durable and fails nothing: simulated.h does that.
// Thread safety: none. Copies of a handle share the files.
#ifndef KV_TESTING_EXACT_FILES_H_
#define KV_TESTING_EXACT_FILES_H_

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "kv/base/clock.h"
#include "kv/base/status.h"
#include "kv/io/environment.h"
#include "kv/io/file_system.h"

namespace kv::testing {

class ExactWritableFile {
 public:
  explicit ExactWritableFile(std::shared_ptr<std::string> bytes) : bytes_(std::move(bytes)) {}

  absl::Status Append(std::string_view bytes) { return WriteAt(bytes_->size(), bytes); }
  absl::Status WriteAt(uint64_t offset, std::string_view bytes) {
    bytes_->resize(std::max<size_t>(bytes_->size(), offset + bytes.size()));
    bytes_->replace(offset, bytes.size(), bytes);
    return absl::OkStatus();
  }
  absl::Status Extend(uint64_t size) {
    bytes_->resize(std::max<size_t>(bytes_->size(), size));
    return absl::OkStatus();
  }
  absl::Status Truncate(uint64_t size) {
    bytes_->resize(size);
    return absl::OkStatus();
  }
  absl::Status Sync() { return absl::OkStatus(); }
  void StartWriteback(uint64_t /*offset*/, uint64_t /*size*/) {}
  uint64_t Size() const { return bytes_->size(); }
  absl::Status Close() { return absl::OkStatus(); }

 private:
  std::shared_ptr<std::string> bytes_;
};

class ExactReadableFile {
 public:
  ExactReadableFile(std::shared_ptr<const std::string> bytes, std::string path)
      : state_(new State{.bytes = std::move(bytes), .path = std::move(path)}) {
    state_->size = state_->bytes->size();
  }

  absl::Status ReadAt(uint64_t offset, size_t size, char* scratch) const {
    const std::string& bytes = *state_->bytes;
    if (offset > bytes.size() || size > bytes.size() - offset) {
      return Corruption(state_->path, offset,
                        fmt::format("the file ends before {} bytes from here", size));
    }
    if (size != 0) std::memcpy(scratch, bytes.data() + offset, size);
    return absl::OkStatus();
  }

  absl::StatusOr<std::string_view> Map() const {
    if (state_->mapped == nullptr) {
      state_->mapped.reset(static_cast<char*>(::operator new(state_->size, kLine)));
      KV_RETURN_IF_ERROR(ReadAt(0, state_->size, state_->mapped.get()));
    }
    return std::string_view(state_->mapped.get(), state_->size);
  }

  void ReleaseMapping() const {}
  uint64_t Size() const { return state_->size; }

 private:
  // Mappings begin at a page; what relies on that relies on a cache line, which is quicker to make.
  static constexpr std::align_val_t kLine{64};
  struct Unmap {
    void operator()(char* bytes) const { ::operator delete(bytes, kLine); }
  };
  // On the heap, so that a move leaves the mapping where it is.
  struct State {
    std::shared_ptr<const std::string> bytes;
    std::string path;
    size_t size = 0;  // when it was opened
    std::unique_ptr<char, Unmap> mapped = nullptr;
  };
  std::unique_ptr<State> state_;
};

class ExactFiles {
 public:
  using WritableFile = ExactWritableFile;
  using ReadableFile = ExactReadableFile;

  class Lock {
   public:
    Lock(std::shared_ptr<std::set<std::string>> locked, std::string path)
        : locked_(std::move(locked)), path_(std::move(path)) {}
    Lock(Lock&& other) noexcept = default;
    Lock& operator=(Lock&& other) noexcept {
      std::swap(locked_, other.locked_);
      std::swap(path_, other.path_);
      return *this;
    }
    ~Lock() {
      if (locked_ != nullptr) locked_->erase(path_);
    }

   private:
    std::shared_ptr<std::set<std::string>> locked_;  // null once moved from
    std::string path_;
  };

  // ---- The FileSystem ----

  absl::StatusOr<WritableFile> Create(const std::string& path) {
    return WritableFile(files()[path] = std::make_shared<std::string>());
  }
  absl::StatusOr<WritableFile> OpenForOverwrite(const std::string& path) {
    if (!files().contains(path)) return IoError("open", path, ENOENT);
    return WritableFile(files()[path]);
  }
  absl::StatusOr<ReadableFile> OpenForRead(const std::string& path) {
    if (!files().contains(path)) return IoError("open", path, ENOENT);
    return ReadableFile(files()[path], path);
  }
  absl::Status Rename(const std::string& from, const std::string& to) {
    if (!files().contains(from)) return IoError("rename", from, ENOENT);
    auto bytes = files()[from];
    files().erase(from);
    files()[to] = std::move(bytes);
    return absl::OkStatus();
  }
  absl::Status Remove(const std::string& path) {
    return files().erase(path) != 0 ? absl::OkStatus() : IoError("remove", path, ENOENT);
  }
  absl::Status Link(const std::string& from, const std::string& to) {
    if (!files().contains(from)) return IoError("link", from, ENOENT);
    if (files().contains(to)) return IoError("link", to, EEXIST);
    files()[to] = files()[from];
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) {
    std::vector<std::string> names;
    for (const auto& [file, bytes] : files()) {
      const size_t slash = file.rfind('/');
      if (file.substr(0, slash) == path) names.push_back(file.substr(slash + 1));
    }
    return names;
  }
  absl::Status CreateDirectories(const std::string& path) {
    disk_->directories.insert(path);
    return absl::OkStatus();
  }
  absl::Status SyncDirectory(const std::string& /*path*/) { return absl::OkStatus(); }
  bool Exists(const std::string& path) {
    return files().contains(path) || disk_->directories.contains(path);
  }
  absl::StatusOr<Lock> LockFile(const std::string& path) {
    if (!files().contains(path)) files()[path] = std::make_shared<std::string>();
    if (!locked_->insert(path).second) {
      return absl::FailedPreconditionError(fmt::format("{} is locked", path));
    }
    return Lock(locked_, path);
  }

  // ---- For the target ----

  // The same files, apart from these from now on, and not locked.
  ExactFiles Copy() const {
    ExactFiles copy;
    copy.disk_->directories = disk_->directories;
    for (const auto& [path, bytes] : disk_->files) copy.Set(path, *bytes);
    return copy;
  }
  void Set(const std::string& path, std::string_view bytes) {
    files()[path] = std::make_shared<std::string>(bytes);
  }
  // Of a file that is there.
  const std::string& Contents(const std::string& path) const { return *disk_->files.at(path); }

 private:
  struct Disk {
    std::map<std::string, std::shared_ptr<std::string>> files;  // by path
    std::set<std::string> directories;
  };

  std::map<std::string, std::shared_ptr<std::string>>& files() { return disk_->files; }

  std::shared_ptr<Disk> disk_ = std::make_shared<Disk>();
  std::shared_ptr<std::set<std::string>> locked_ = std::make_shared<std::set<std::string>>();
};

static_assert(FileSystem<ExactFiles>);

// The environment of stores on such files: a clock that stands still, work done in the caller.
struct ExactEnvironment {
  using FileSystem = ExactFiles;
  using Clock = ManualClock;
  static constexpr BackgroundWork kBackgroundWork = BackgroundWork::kInline;

  FileSystem file_system = {};
  Clock clock = {};
};

}  // namespace kv::testing

#endif  // KV_TESTING_EXACT_FILES_H_
