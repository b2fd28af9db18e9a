// A line on a terminal's standard error that says which row runs and how far it is. Nothing is
// written when standard error is not a terminal.
//
// Thread safety: one writer of rows; a thread of its own redraws the line.
#ifndef BENCH_PROGRESS_LINE_H_
#define BENCH_PROGRESS_LINE_H_

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "bench/session.h"

namespace bench {

class ProgressLine {
 public:
  explicit ProgressLine(const Progress& progress);
  ~ProgressLine();

  // Names the row that runs from here on.
  void Start(std::string title);
  // Wipes the line until the next Start().
  void Clear();

 private:
  void Draw();

  const Progress& progress_;
  const bool active_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string title_;  // empty: nothing runs
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace bench

#endif  // BENCH_PROGRESS_LINE_H_
