// What happened during a watch, in sentences with their moments: threads add, one prints.
//
// Thread safety: any thread.
#ifndef BENCH_REMOTE_WATCH_EVENT_LOG_H_
#define BENCH_REMOTE_WATCH_EVENT_LOG_H_

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "clients/deadline.h"

namespace bench::remote_watch {

struct Event {
  clients::Deadline at;
  std::string source;  // which path, or empty: the watch itself
  std::string text;
};

class EventLog {
 public:
  void Add(std::string source, std::string text) {
    const std::lock_guard lock(mutex_);
    events_.push_back({clients::Now(), std::move(source), std::move(text)});
  }

  // Those since the last call, in the order in which they were added.
  std::vector<Event> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Event> events_;  // guarded by mutex_
};

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_EVENT_LOG_H_
