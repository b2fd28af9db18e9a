#include "bench/progress_line.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"

namespace bench {
namespace {

// Puts `file` in place of standard error while it lives.
class StandardError {
 public:
  explicit StandardError(int file) : saved_(dup(STDERR_FILENO)) { dup2(file, STDERR_FILENO); }
  ~StandardError() {
    dup2(saved_, STDERR_FILENO);
    close(saved_);
  }

 private:
  const int saved_;
};

// What arrives at `file` until it holds `text`, or ten seconds have brought nothing.
std::string ReadUntil(int file, const std::string& text) {
  std::string all;
  pollfd waiting = {.fd = file, .events = POLLIN, .revents = 0};
  while (all.find(text) == std::string::npos && poll(&waiting, 1, 10'000) == 1) {
    char bytes[256];
    const ssize_t size = read(file, bytes, sizeof bytes);
    if (size <= 0) break;
    all.append(bytes, static_cast<size_t>(size));
  }
  return all;
}

TEST(ProgressLine, IsSilentWhereThereIsNoTerminal) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  {
    const StandardError replaced(ends[1]);
    Progress progress;
    ProgressLine line(progress);
    line.Start("row");
    line.Clear();
  }
  close(ends[1]);
  EXPECT_EQ(ReadUntil(ends[0], "row"), "");
  close(ends[0]);
}

TEST(ProgressLine, ShowsTheRowAndWipesIt) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0) {
    GTEST_SKIP() << "no pseudo-terminals here";
  }
  const int ours = open(ptsname(terminal), O_RDWR | O_NOCTTY);
  ASSERT_GE(ours, 0);
  std::string shown;
  std::string wiped;
  {
    const StandardError replaced(ours);
    Progress progress;
    progress.done = 1;
    progress.total = 4;
    ProgressLine line(progress);
    line.Start("[1/2] fillseq");
    shown = ReadUntil(terminal, "25 %");
    line.Clear();
    wiped = ReadUntil(terminal, "\033[K");
  }
  EXPECT_NE(shown.find("[1/2] fillseq  25 %"), std::string::npos) << shown;
  EXPECT_NE(wiped.find("\033[K"), std::string::npos);
  close(ours);
  close(terminal);
}

}  // namespace
}  // namespace bench
