// Memory order: seq_cst, the default, throughout: the calls cost a thousand times as much.
#include "kv/testing/kill_point.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "fmt/format.h"

namespace kv::testing {
namespace {

constexpr std::string_view kCalls[] = {"write", "sync",   "sync_directory", "rename",
                                       "link",  "remove", "truncate",       "extend"};
enum Call : size_t { kWrite, kSync, kSyncDirectory, kRename, kLink, kRemove, kTruncate, kExtend };

KillPoint armed;
std::atomic<std::atomic<uint64_t>*> reached_page{nullptr};  // null: not armed
std::atomic<uint64_t> calls{0};                             // of the armed call

void Die(std::atomic<uint64_t>* reached) {
  reached->store(1);
  ::syscall(SYS_kill, ::getpid(), SIGKILL);
}

// Makes the system call `make()`; or is killed before or after it.
template <typename Make>
auto At(Call call, Make make) {
  std::atomic<uint64_t>* const reached = reached_page.load();
  const bool dies = reached != nullptr && armed.call == call && ++calls == armed.count;
  if (dies && armed.moment == KillMoment::kBefore) Die(reached);
  const auto result = make();
  if (dies && armed.moment == KillMoment::kAfter) Die(reached);
  return result;
}

}  // namespace

std::span<const std::string_view> KillPointCalls() { return kCalls; }

std::string ToString(const KillPoint& point) {
  return fmt::format("{} {} {}", point.moment == KillMoment::kBefore ? "before" : "after",
                     kCalls[point.call], point.count);
}

std::optional<KillPoint> ParseKillPoint(std::string_view text) {
  KillPoint point;
  for (const KillMoment moment : {KillMoment::kBefore, KillMoment::kAfter}) {
    for (size_t call = 0; call < std::size(kCalls); ++call) {
      point = {.call = call, .moment = moment, .count = 0};
      std::string prefix = ToString(point);
      prefix.pop_back();  // the count
      if (!text.starts_with(prefix)) continue;
      const std::string_view count = text.substr(prefix.size());
      const auto parsed = std::from_chars(count.data(), count.data() + count.size(), point.count);
      const bool whole = parsed.ec == std::errc() && parsed.ptr == count.data() + count.size();
      if (whole && point.count > 0) return point;
    }
  }
  return std::nullopt;
}

void ArmKillPoint(const KillPoint& point, std::atomic<uint64_t>* reached) {
  armed = point;
  reached_page.store(reached);
}

}  // namespace kv::testing

using kv::testing::At;

// The names under which programs call them. Which of pwrite and pwrite64 depends on the headers.
extern "C" {

ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) {
  return At(kv::testing::kWrite,
            [=] { return ::syscall(SYS_pwrite64, file, bytes, size, offset); });
}
ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  return pwrite64(file, bytes, size, offset);
}
int fdatasync(int file) {
  return static_cast<int>(At(kv::testing::kSync, [=] { return ::syscall(SYS_fdatasync, file); }));
}
int fsync(int file) {
  return static_cast<int>(
      At(kv::testing::kSyncDirectory, [=] { return ::syscall(SYS_fsync, file); }));
}
int rename(const char* from, const char* to) noexcept {
  return static_cast<int>(At(kv::testing::kRename, [=] {
    return ::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  }));
}
int link(const char* from, const char* to) noexcept {
  return static_cast<int>(At(
      kv::testing::kLink, [=] { return ::syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0); }));
}
int unlink(const char* path) noexcept {
  return static_cast<int>(
      At(kv::testing::kRemove, [=] { return ::syscall(SYS_unlinkat, AT_FDCWD, path, 0); }));
}
int ftruncate(int file, off_t size) noexcept {
  return static_cast<int>(
      At(kv::testing::kTruncate, [=] { return ::syscall(SYS_ftruncate, file, size); }));
}
int fallocate(int file, int mode, off_t offset, off_t size) {
  return static_cast<int>(
      At(kv::testing::kExtend, [=] { return ::syscall(SYS_fallocate, file, mode, offset, size); }));
}

}  // extern "C"
