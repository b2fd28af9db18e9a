#include "bench/system_info.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "fmt/format.h"

namespace bench {
namespace {

// What follows `name` and its colon in a /proc file of "name: value" lines.
std::string ProcField(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

std::string CpuModel() { return ProcField("/proc/cpuinfo", "model name"); }

int CpuCount() { return static_cast<int>(std::thread::hardware_concurrency()); }

std::string Kernel() {
  utsname name = {};
  if (uname(&name) != 0) return "";
  return fmt::format("{} {}", name.sysname, name.release);
}

std::string StartTime() {
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  gmtime_r(&now, &utc);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

std::string Commit() {
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (workspace == nullptr) return "";
  const std::string git = std::string(workspace) + "/.git/";
  const std::string head = FirstLine(git + "HEAD");
  return head.starts_with("ref: ") ? FirstLine(git + head.substr(5)) : head;
}

std::string FileSystemType(const std::string& path) {
  struct statfs attributes = {};
  if (statfs(path.c_str(), &attributes) != 0) return "";
  static constexpr struct {
    uint64_t magic;
    std::string_view name;
  } kKnown[] = {
      {0xEF53, "ext2/3/4"},  {0x01021994, "tmpfs"},    {0x58465342, "xfs"},
      {0x9123683E, "btrfs"}, {0x794C7630, "overlay"},  {0x2FC12FC1, "zfs"},
      {0xF2F52010, "f2fs"},  {0x6969, "nfs"},          {0x01021997, "9p"},
      {0x65735546, "fuse"},  {0xCA451A4E, "bcachefs"}, {0x858458F6, "ramfs"},
  };
  const auto magic = static_cast<uint64_t>(attributes.f_type) & 0xffffffff;
  for (const auto& known : kKnown) {
    if (known.magic == magic) return std::string(known.name);
  }
  return fmt::format("0x{:x}", magic);
}

std::optional<double> ProbeFdatasync(const std::string& directory) {
  using Clock = std::chrono::steady_clock;
  const std::string path = directory + "/fdatasync_probe";
  const int file = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  if (file < 0) return std::nullopt;
  const std::string block(4096, 'x');
  std::vector<double> micros;
  const auto end = Clock::now() + std::chrono::milliseconds(200);
  while (micros.size() < 50 && Clock::now() < end) {
    const auto begin = Clock::now();
    if (write(file, block.data(), block.size()) != static_cast<ssize_t>(block.size()) ||
        fdatasync(file) != 0) {
      break;
    }
    micros.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  close(file);
  unlink(path.c_str());
  if (micros.empty()) return std::nullopt;
  std::nth_element(micros.begin(), micros.begin() + static_cast<ptrdiff_t>(micros.size() / 2),
                   micros.end());
  return micros[micros.size() / 2];
}

bool ResetPeakRss() {
  const int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool written = write(file, "5", 1) == 1;
  close(file);
  return written;
}

double PeakRssMib() {
  return std::strtod(ProcField("/proc/self/status", "VmHWM").c_str(), nullptr) / 1024;
}

double ProcessCpuSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

uint64_t ProcessBytesWritten() {
  return std::strtoull(ProcField("/proc/self/io", "wchar").c_str(), nullptr, 10);
}

}  // namespace bench
