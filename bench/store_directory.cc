#include "bench/store_directory.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench {
namespace {

namespace fs = std::filesystem;

// What an interrupt has to remove.
struct Doomed {
  std::mutex mutex;
  std::string path;  // empty: nothing
  bool whole = false;
};
Doomed& TheDoomed() {
  static Doomed doomed;
  return doomed;
}

void SetDoomed(std::string path, bool whole) {
  std::lock_guard lock(TheDoomed().mutex);
  TheDoomed().path = std::move(path);
  TheDoomed().whole = whole;
}

std::error_code RemoveContents(const std::string& path) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    fs::remove_all(entry.path(), error);
    if (error) return error;
  }
  return error;
}

std::error_code Remove(const std::string& path, bool whole) {
  std::error_code error;
  if (!whole) return RemoveContents(path);
  fs::remove_all(path, error);
  return error;
}

absl::StatusOr<std::string> MakeTemporary() {
  const char* const parent = std::getenv("TMPDIR");
  std::string path = parent != nullptr && *parent != '\0' ? parent : "/tmp";
  path += "/ashlar_bench_XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return kv::IoError("mkdtemp", path, errno);
  return path;
}

}  // namespace

absl::StatusOr<StoreDirectory> StoreDirectory::Make(const StoreDirectoryOptions& options) {
  StoreDirectory directory;
  directory.path_ = options.path;
  std::error_code error;
  if (options.path.empty()) {
    KV_ASSIGN_OR_RETURN(directory.path_, MakeTemporary());
    directory.made_ = true;
  } else if (!options.use_existing) {
    directory.made_ = fs::create_directories(options.path, error);
    if (error) return kv::IoError("create directory", options.path, error.value());
    const bool empty = fs::is_empty(options.path, error);
    if (error) return kv::IoError("read directory", options.path, error.value());
    if (!empty) {
      return absl::FailedPreconditionError(fmt::format(
          "{}: the directory is not empty; give an empty or new one, or --use_existing to run on "
          "the store in it",
          options.path));
    }
    if (access(options.path.c_str(), W_OK) != 0) {
      return kv::IoError("write to directory", options.path, errno);
    }
  } else if (!fs::is_directory(options.path, error)) {
    return kv::IoError("open directory", options.path, error ? error.value() : ENOTDIR);
  }
  directory.removes_ = !options.use_existing && !options.keep;
  if (directory.removes_) SetDoomed(directory.path_, directory.made_);
  return directory;
}

StoreDirectory::StoreDirectory(StoreDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      made_(other.made_),
      removes_(std::exchange(other.removes_, false)) {}

StoreDirectory::~StoreDirectory() {
  if (!removes_) return;
  SetDoomed("", false);
  Remove(path_, made_);
}

absl::Status StoreDirectory::Empty() const {
  const std::error_code error = RemoveContents(path_);
  if (error) return kv::IoError("empty directory", path_, error.value());
  return absl::OkStatus();
}

uint64_t StoreDirectory::DiskBytes() const {
  uint64_t total = 0;
  std::error_code error;
  fs::recursive_directory_iterator entries(path_, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    struct stat attributes = {};
    if (lstat(entries->path().c_str(), &attributes) == 0 && S_ISREG(attributes.st_mode)) {
      total += static_cast<uint64_t>(attributes.st_blocks) * 512;
    }
  }
  return total;
}

void RemoveDirectoryOnInterrupt() {
  sigset_t interrupts;
  sigemptyset(&interrupts);
  sigaddset(&interrupts, SIGINT);
  sigaddset(&interrupts, SIGTERM);
  sigaddset(&interrupts, SIGHUP);
  // Blocked here and so in every thread started later; one thread of its own waits for them, where
  // it may take locks and walk directories as no signal handler may.
  pthread_sigmask(SIG_BLOCK, &interrupts, nullptr);
  std::thread([interrupts] {
    int signal = 0;
    if (sigwait(&interrupts, &signal) != 0) return;
    Doomed& doomed = TheDoomed();
    std::lock_guard lock(doomed.mutex);
    // The engine still writes; what it made during the first pass goes with the second.
    for (int pass = 0; pass < 2 && !doomed.path.empty(); ++pass) {
      Remove(doomed.path, doomed.whole);
    }
    _exit(128 + signal);
  }).detach();
}

}  // namespace bench
