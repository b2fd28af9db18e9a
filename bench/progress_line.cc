#include "bench/progress_line.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "bench/text.h"
#include "fmt/format.h"

namespace bench {
namespace {

constexpr char kWipe[] = "\r\033[K";

}  // namespace

ProgressLine::ProgressLine(const Progress& progress)
    : progress_(progress), active_(isatty(STDERR_FILENO) == 1) {
  if (!active_) return;
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (!title_.empty()) Draw();
      changed_.wait_for(lock, std::chrono::milliseconds(200));
    }
  });
}

ProgressLine::~ProgressLine() {
  if (!active_) return;
  Clear();
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ProgressLine::Start(std::string title) {
  std::lock_guard lock(mutex_);
  title_ = std::move(title);
}

void ProgressLine::Clear() {
  std::lock_guard lock(mutex_);
  if (active_ && !title_.empty()) fmt::print(stderr, "{}", kWipe);
  title_.clear();
}

void ProgressLine::Draw() {
  // relaxed: only shown.
  const uint64_t done = progress_.done.load(std::memory_order_relaxed);
  const uint64_t total = progress_.total.load(std::memory_order_relaxed);
  if (total != 0) {
    fmt::print(stderr, "{}{} {:3} %", kWipe, title_, std::min<uint64_t>(100, 100 * done / total));
  } else {
    fmt::print(stderr, "{}{} {} operations", kWipe, title_, WithThousands(done));
  }
  std::fflush(stderr);
}

}  // namespace bench
