#include "clients/local/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include "kv/base/status.h"

namespace clients::local {
namespace {

constexpr std::string_view kDirectoryPrefix = "ashlar-clients.";
constexpr size_t kDirectorySuffix = 6;    // characters that mkdtemp chooses
constexpr time_t kAbandonedAfter = 3600;  // seconds

// Holds the directory until the result is closed; -1 when somebody else holds it.
int Hold(const std::string& directory) {
  const int held = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (held >= 0 && ::flock(held, LOCK_EX | LOCK_NB) == 0) return held;
  if (held >= 0) ::close(held);
  return -1;
}

bool IsOldAndOurs(const std::string& directory) {
  struct stat found {};
  return ::lstat(directory.c_str(), &found) == 0 && S_ISDIR(found.st_mode) &&
         found.st_uid == ::geteuid() && found.st_mtime + kAbandonedAfter < ::time(nullptr);
}

// Directories whose owners did not come to remove them.
void RemoveAbandoned(const std::string& parent) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kDirectoryPrefix) ||
        name.size() != kDirectoryPrefix.size() + kDirectorySuffix || !IsOldAndOurs(entry.path())) {
      continue;
    }
    const int held = Hold(entry.path());
    if (held < 0) continue;
    std::filesystem::remove_all(entry.path(), ignored);
    ::close(held);
  }
}

}  // namespace

absl::StatusOr<Process> Process::Start(const std::vector<std::string>& command,
                                       const std::string& output) {
  // All memory is taken before the fork: behind it another thread may hold the allocator's lock.
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return kv::IoError("fork for", command[0], errno);
  if (pid > 0) return Process(pid);

  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setpgid(0, 0);
  if (::getppid() != parent) ::_exit(127);
  const int log = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (log < 0 || ::dup2(nothing, 0) < 0 || ::dup2(log, 1) < 0 || ::dup2(log, 2) < 0) ::_exit(127);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), ended_(other.ended_) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(ended_, other.ended_);
  return *this;
}

Process::~Process() {
  if (pid_ > 0) End(SIGKILL);
}

void Process::Signal(int signal) const {
  if (pid_ > 0 && !ended_.has_value()) ::kill(pid_, signal);
}

int Process::End(int signal) {
  Signal(signal);
  Signal(SIGCONT);  // a stopped process takes no other signal but SIGKILL
  return Wait();
}

int Process::Wait() {
  while (!ended_.has_value()) {
    int status = 0;
    const pid_t waited = ::waitpid(pid_, &status, 0);
    if (waited == pid_ || (waited < 0 && errno != EINTR)) ended_ = status;
  }
  return *ended_;
}

bool Process::IsRunning() {
  int status = 0;
  if (!ended_.has_value() && ::waitpid(pid_, &status, WNOHANG) == pid_) ended_ = status;
  return !ended_.has_value();
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TemporaryDirectory::TemporaryDirectory() {
  // A socket's path has 107 bytes at most, which Bazel's directories alone may take.
  constexpr size_t kShort = 60;
  const char* const given = std::getenv("TEST_TMPDIR");
  const bool use = given != nullptr && std::string(given).size() <= kShort;
  const std::string parent = use ? given : "/tmp";
  RemoveAbandoned(parent);
  path_ = parent + "/" + std::string(kDirectoryPrefix) + std::string(kDirectorySuffix, 'X');
  if (::mkdtemp(path_.data()) == nullptr) std::abort();
  lock_ = Hold(path_);
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::exchange(other.lock_, -1)) {}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace clients::local
