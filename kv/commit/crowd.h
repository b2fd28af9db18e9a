// Crowd: how many writers a leader may expect, and how long it gives way until they have come.
//
// Writers who were woken together come back together, a moment after the first of them has taken
// the lead. A leader that syncs at once takes half of them along and leaves the rest for a sync of
// their own; one that gives way until as many wait as it met before takes them all.
//
// A leader that met nobody else does not give way: on a machine that is busy with other work a
// yield can cost a time slice of milliseconds, many times a sync. Those who do not come cost
// kYields yields (20 to 100 us of an idle processor) once, and are not expected again.
//
// Thread safety: SetWaiting from any thread, in the order of the caller's lock; the rest is the
// leader's.
#ifndef KV_COMMIT_CROWD_H_
#define KV_COMMIT_CROWD_H_

#include <atomic>
#include <cstddef>
#include <thread>

namespace kv {

class Crowd {
 public:
  // How many requests wait now.
  void SetWaiting(size_t count) {
    // relaxed: a hint; the requests themselves are ordered by the caller's lock.
    waiting_.store(count, std::memory_order_relaxed);
  }

  // How many there were, those included whom the leader has served.
  void Met(size_t count) { expected_ = count > 1 ? count : 0; }

  // Gives way until as many wait as are expected, or until kYields yields have brought no more.
  void AwaitExpected() const { AwaitExpected(std::this_thread::yield); }

  // The same with another way to yield.
  template <typename Yield>
  void AwaitExpected(Yield&& yield) const {
    // relaxed, here and below: a hint.
    size_t seen = waiting_.load(std::memory_order_relaxed);
    size_t idle = 0;
    while (seen < expected_ && idle < kYields) {
      yield();
      const size_t now = waiting_.load(std::memory_order_relaxed);
      idle = now == seen ? idle + 1 : 0;
      seen = now;
    }
  }

  static constexpr size_t kYields = 64;

 private:
  std::atomic<size_t> waiting_{0};
  size_t expected_ = 0;
};

}  // namespace kv

#endif  // KV_COMMIT_CROWD_H_
