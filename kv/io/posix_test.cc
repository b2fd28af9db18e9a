#include "kv/io/posix.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "kv/io/conformance.h"

namespace kv {
namespace {

// A directory of its own, gone afterwards.
class PosixSite {
 public:
  PosixSite() : root(testing::TempDir() + "ashlar_io_XXXXXX") {
    if (::mkdtemp(root.data()) == nullptr) std::abort();
  }
  ~PosixSite() { std::filesystem::remove_all(root); }
  PosixSite(const PosixSite&) = delete;

  std::string root;
  PosixFileSystem fs;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Posix, FileSystemConformance, PosixSite);

// ---- Interrupted and partial system calls ----

// Stands in for pwrite and pread on `bytes`: each call does what the script says next, -1 for a
// signal, otherwise at most so many bytes; without limit at the script's end.
class ScriptedFile {
 public:
  ScriptedFile(std::string bytes, std::vector<ssize_t> script)
      : bytes_(std::move(bytes)), script_(std::move(script)) {}

  const std::string& bytes() const { return bytes_; }
  size_t calls() const { return calls_; }

  ssize_t Write(const char* from, size_t size, uint64_t offset) {
    const std::optional<size_t> some = Next(size);
    if (!some.has_value()) return -1;
    bytes_.resize(std::max<size_t>(bytes_.size(), offset + *some));
    bytes_.replace(offset, *some, from, *some);
    return static_cast<ssize_t>(*some);
  }

  ssize_t Read(char* to, size_t size, uint64_t offset) {
    const std::optional<size_t> some = Next(std::min<size_t>(size, bytes_.size() - offset));
    if (!some.has_value()) return -1;
    std::memcpy(to, bytes_.data() + offset, *some);
    return static_cast<ssize_t>(*some);
  }

 private:
  std::optional<size_t> Next(size_t size) {
    const ssize_t next = calls_ < script_.size() ? script_[calls_] : static_cast<ssize_t>(size);
    ++calls_;
    if (next >= 0) return std::min(size, static_cast<size_t>(next));
    errno = next == -1 ? EINTR : ENOSPC;
    return std::nullopt;
  }

  std::string bytes_;
  std::vector<ssize_t> script_;
  size_t calls_ = 0;
};

int WriteScripted(ScriptedFile& file, uint64_t offset, std::string_view bytes) {
  return posix_internal::WriteFully(
      [&](const char* from, size_t size, uint64_t at) { return file.Write(from, size, at); },
      offset, bytes);
}

TEST(WriteFully, GoesOnAfterSignalsAndShortWrites) {
  ScriptedFile file("....", {-1, 3, -1, -1, 1});
  EXPECT_EQ(WriteScripted(file, 2, "0123456789"), 0);
  EXPECT_EQ(file.bytes(), "..0123456789");
  EXPECT_EQ(file.calls(), 6u);
}

TEST(WriteFully, ReportsAnErrorAfterAPart) {
  ScriptedFile file("", {3, -2});
  EXPECT_EQ(WriteScripted(file, 0, "0123456789"), ENOSPC);
  EXPECT_EQ(file.bytes(), "012");
}

TEST(WriteFully, DoesNotSpinOnAWriteOfNothing) {
  ScriptedFile file("", {0});
  EXPECT_EQ(WriteScripted(file, 0, "0123456789"), EIO);
}

TEST(WriteFully, CallsNothingForNothing) {
  ScriptedFile file("", {});
  EXPECT_EQ(WriteScripted(file, 0, ""), 0);
  EXPECT_EQ(file.calls(), 0u);
}

TEST(ReadFully, GoesOnAfterSignalsAndShortReadsUntilTheEnd) {
  ScriptedFile file("0123456789", {-1, 3, -1, 1});
  char scratch[20];
  size_t got;
  EXPECT_EQ(posix_internal::ReadFully(
                [&](char* to, size_t size, uint64_t at) { return file.Read(to, size, at); }, 1,
                sizeof scratch, scratch, &got),
            0);
  EXPECT_EQ(std::string_view(scratch, got), "123456789");
}

// ---- Errors ----

TEST(Posix, AFullDiskIsResourceExhausted) {
  PosixFileSystem fs;
  if (!fs.Exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  auto file = fs.OpenForOverwrite("/dev/full");
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::Status status = file->Append("bytes");
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_NE(status.ToString().find("write /dev/full"), std::string::npos) << status;
  EXPECT_EQ(file->Size(), 0u);
}

TEST(Posix, AFailedAppendIsWrittenOver) {
  const PosixSite site;
  PosixFileSystem fs;
  const std::string path = site.root + "/f";
  // A limit on file sizes, in a child since it cannot be raised again, cuts a write short.
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {.rlim_cur = 1000, .rlim_max = RLIM_INFINITY};
    auto file = fs.Create(path);
    const bool good = ::setrlimit(RLIMIT_FSIZE, &limit) == 0 && file.ok() &&
                      file->Append(std::string(900, 'a')).ok() &&
                      !file->Append(std::string(900, 'b')).ok() && file->Size() == 900 &&
                      file->Append("c").ok() && file->Size() == 901;
    ::_exit(good ? 0 : 1);
  }
  int status;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(*ReadWholeFile(fs, path), std::string(900, 'a') + "c" + std::string(99, 'b'));
}

TEST(Posix, ParentsOfPaths) {
  using posix_internal::Parent;
  EXPECT_EQ(Parent("/"), "/");
  EXPECT_EQ(Parent("/a"), "/");
  EXPECT_EQ(Parent("///a//"), "/");
  EXPECT_EQ(Parent("/a/b"), "/a");
  EXPECT_EQ(Parent("a//b//"), "a");
  EXPECT_EQ(Parent("a"), ".");
  EXPECT_EQ(Parent("a/"), ".");
}

TEST(Posix, DescriptorsCloseOnExec) {
  const PosixSite site;
  const auto opened = posix_internal::Open(site.root + "/f", O_RDWR | O_CREAT);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_NE(::fcntl(opened->get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Posix, DescriptorsAreNotLeaked) {
  PosixSite site;
  const auto lowest_free = [] {
    const int fd = ::dup(0);
    ::close(fd);
    return fd;
  };
  const int before = lowest_free();
  for (int i = 0; i < 3; ++i) {
    auto file = site.fs.Create(site.root + "/f");
    auto second = site.fs.Create(site.root + "/g");
    *file = std::move(*second);
    EXPECT_TRUE(site.fs.CreateDirectories(site.root + "/x/y").ok());
    EXPECT_TRUE(site.fs.List(site.root).ok());
    EXPECT_TRUE(site.fs.OpenForRead(site.root + "/f")->Map().ok());
    const auto lock = site.fs.LockFile(site.root + "/LOCK");
    EXPECT_FALSE(site.fs.LockFile(site.root + "/LOCK").ok());
  }
  EXPECT_EQ(lowest_free(), before);
}

// ---- Locks ----

TEST(Posix, AnotherProcessHoldsTheLockUntilItIsKilled) {
  PosixSite site;
  const std::string path = site.root + "/LOCK";
  // A longer line left by an earlier holder must not shine through.
  ASSERT_TRUE(WriteWholeFile(site.fs, path, "99999999999999\n").ok());
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = site.fs.LockFile(path);
    if (!lock.ok() || ::write(ready[1], "x", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const absl::Status refused = site.fs.LockFile(path).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_TRUE(refused.ToString().ends_with(fmt::format("held by process {}", child))) << refused;
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(site.fs.LockFile(path).ok());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(Posix, AHolderThatDidNotWriteItsProcessIdIsUnknown) {
  PosixSite site;
  const std::string path = site.root + "/LOCK";
  const auto lock = site.fs.LockFile(path);
  ASSERT_TRUE(WriteWholeFile(site.fs, path, "").ok());
  const absl::Status refused = site.fs.LockFile(path).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_TRUE(refused.ToString().ends_with("held by process unknown")) << refused;
}

}  // namespace
}  // namespace kv
