// The end of a watch: threads that wait for their next moment are woken when it comes.
//
// Thread safety: any thread.
#ifndef BENCH_REMOTE_WATCH_STOP_H_
#define BENCH_REMOTE_WATCH_STOP_H_

#include <condition_variable>
#include <mutex>

#include "clients/deadline.h"

namespace bench::remote_watch {

class Stop {
 public:
  void Now() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

  // Waits until then. True: the end came first, or has come already.
  bool WaitUntil(clients::Deadline moment) {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, moment, [&] { return stopped_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;  // guarded by mutex_
};

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_STOP_H_
