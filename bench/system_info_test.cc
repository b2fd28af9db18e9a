#include "bench/system_info.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace bench {
namespace {

TEST(SystemInfo, SaysWhereItRuns) {
  EXPECT_GT(CpuCount(), 0);
  EXPECT_TRUE(Kernel().starts_with("Linux ")) << Kernel();
  const std::string time = StartTime();
  ASSERT_EQ(time.size(), std::string("2000-01-01T00:00:00Z").size()) << time;
  EXPECT_EQ(time[10], 'T');
  EXPECT_EQ(time.back(), 'Z');
}

class Directory : public testing::Test {
 protected:
  Directory() : path_(testing::TempDir() + "system_info_XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~Directory() override { std::filesystem::remove_all(path_); }

  std::string path_;
};

TEST_F(Directory, HasAFileSystem) {
  EXPECT_NE(FileSystemType(path_), "");
  EXPECT_EQ(FileSystemType(path_ + "/absent"), "");
}

TEST_F(Directory, ProbingItLeavesNothing) {
  const auto micros = ProbeFdatasync(path_);
  ASSERT_TRUE(micros.has_value());
  EXPECT_GT(*micros, 0);
  EXPECT_TRUE(std::filesystem::is_empty(path_));
  EXPECT_EQ(ProbeFdatasync(path_ + "/absent"), std::nullopt);
}

TEST_F(Directory, CommitIsReadFromTheWorkspace) {
  unsetenv("BUILD_WORKSPACE_DIRECTORY");
  EXPECT_EQ(Commit(), "");
  std::filesystem::create_directories(path_ + "/.git/refs/heads");
  std::ofstream(path_ + "/.git/HEAD") << "ref: refs/heads/main\n";
  std::ofstream(path_ + "/.git/refs/heads/main") << "0123abcd\n";
  setenv("BUILD_WORKSPACE_DIRECTORY", path_.c_str(), 1);
  EXPECT_EQ(Commit(), "0123abcd");
  std::ofstream(path_ + "/.git/HEAD") << "4567cdef\n";  // detached
  EXPECT_EQ(Commit(), "4567cdef");
  unsetenv("BUILD_WORKSPACE_DIRECTORY");
}

TEST_F(Directory, WritesAndProcessorTimeAreCounted) {
  const uint64_t before = ProcessBytesWritten();
  std::ofstream(path_ + "/file") << std::string(10'000, 'x') << std::flush;
  // Where /proc/self/io may not be read, both are 0.
  if (before != 0) {
    EXPECT_GE(ProcessBytesWritten(), before + 10'000);
  }
  EXPECT_GT(ProcessCpuSeconds(), 0);
  EXPECT_GT(PeakRssMib(), 0);
}

}  // namespace
}  // namespace bench
