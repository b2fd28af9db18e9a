// LiveThread: a small number for each thread that lives, for what has one writer at a time. The
// smallest that is free: when a thread ends, the next that asks gets its number, and sees all that
// it did. (kv/base/thread_stripe.h never gives a number twice, so a program that starts threads
// all the time soon runs out of small ones.)
//
// kNoNumber: the thread is about to end, and has given its number back.
//
// Thread safety: any thread. Complexity: the first call of a thread and its end take a lock; other
// calls read a thread_local.
#ifndef COORD_LIVE_THREAD_H_
#define COORD_LIVE_THREAD_H_

#include <cstddef>
#include <limits>
#include <mutex>
#include <vector>

#include "kv/base/atomic.h"

namespace coord {

class LiveThread {
 public:
  static constexpr size_t kNoNumber = std::numeric_limits<size_t>::max();

  static size_t Number() {
    if constexpr (kv::kModelled) return kv::ModelThread();
    if (number_ == kUnasked) [[unlikely]] {
      thread_local const LiveThread lease;
    }
    return number_;
  }

 private:
  static constexpr size_t kUnasked = kNoNumber - 1;

  // Who has a number; it outlives all threads.
  struct Registry {
    std::mutex mutex;
    std::vector<bool> taken;  // guarded by mutex
  };
  static Registry& TheRegistry() {
    static auto* const registry = new Registry;
    return *registry;
  }

  LiveThread() {
    Registry& registry = TheRegistry();
    const std::lock_guard lock(registry.mutex);
    number_ = 0;
    while (number_ < registry.taken.size() && registry.taken[number_]) ++number_;
    if (number_ == registry.taken.size()) registry.taken.push_back(false);
    registry.taken[number_] = true;
  }
  ~LiveThread() {
    Registry& registry = TheRegistry();
    const std::lock_guard lock(registry.mutex);
    registry.taken[number_] = false;
    number_ = kNoNumber;
  }

  // Apart from the lease, so that it may be read behind the end of that.
  static inline thread_local constinit size_t number_ = kUnasked;
};

}  // namespace coord

#endif  // COORD_LIVE_THREAD_H_
