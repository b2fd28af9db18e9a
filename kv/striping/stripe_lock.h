// A reader-writer lock made for one pattern: sharers all the time, excluders now and then, and
// either may hold it across a disk sync.
//
// Sharers are counted in and counted out; an excluder marks the entry count, which stops new
// sharers, and waits until as many have left as had entered before the mark. So:
//
//   1. Taking and leaving it shared costs one atomic addition each while no excluder is about
//      (measured together: 4 to 11 ns), and neither can fail and be repeated.
//   2. Phase-fair: a sharer waits for at most the one exclusive phase that it meets. The next phase
//      bears the other mark, and counts that sharer among those it waits for.
//   3. An excluder, once it is first, waits only for sharers that came before its mark.
//   4. Excluders queue at a std::mutex, which hands over to whoever is awake: waking a parked
//      thread takes some 30 us, so serving them first come first served would make every hand-over
//      that slow. They may overtake one another without bound.
//
// Waiting spins for about a microsecond, then parks on the counter (a futex).
//
// Omits: try-lock, timeouts, upgrade. At most 2^30 - 1 sharers at a time.
// Not for: long lists of waiting excluders that need an order; a lock that is mostly taken
// exclusive (std::mutex is smaller and faster).
//
// Source: Brandenburg and Anderson, Spin-Based Reader-Writer Synchronization for Multiprocessor
// Real-Time Systems, 2010 (the phase-fair ticket lock), with parking and a mutex for its writers.
#ifndef KV_STRIPING_STRIPE_LOCK_H_
#define KV_STRIPING_STRIPE_LOCK_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>

#include "kv/base/atomic.h"
#include "kv/base/thread_stripe.h"

namespace kv {

// Aligned so that threads on neighbouring stripes do not share a cache line.
class alignas(kCacheLineBytes) StripeLock {
 public:
  StripeLock() = default;
  StripeLock(const StripeLock&) = delete;
  StripeLock& operator=(const StripeLock&) = delete;

  void LockShared() {
    // acquire: pairs with the release in Unlock(), whose phase this sharer comes after. seq_cst is
    // not needed to be counted: additions to one atomic are ordered anyway.
    const uint32_t before = entered_.fetch_add(kOneSharer, std::memory_order_acquire);
    if ((before & kMark) != 0) [[unlikely]]
      WaitForPhase(before & kMark);
  }

  void UnlockShared() {
    // release: pairs with the acquire in WaitForSharers(). seq_cst as well, with the load after
    // it: either this thread sees the mark or the excluder sees this departure (store-buffering;
    // the other half is Lock()).
    left_.fetch_add(kOneSharer, std::memory_order_seq_cst);
    if ((entered_.load(std::memory_order_seq_cst) & kMark) != 0) [[unlikely]]
      left_.notify_all();
  }

  void Lock() {
    LockQueue();
    phase_ ^= kPhase;
    // seq_cst: pairs with UnlockShared(), see there.
    const uint32_t before = entered_.fetch_add(kExcluded | phase_, std::memory_order_seq_cst);
    WaitForSharers(before);
  }

  void Unlock() {
    // release: pairs with the acquire in LockShared() and WaitForPhase().
    entered_.fetch_and(~kMark, std::memory_order_release);
    entered_.notify_all();
    queue_.unlock();
  }

 private:
  // entered_ holds sharers that ever entered (modulo 2^30), the phase bit and the excluded bit;
  // left_ holds those that left, in the same place, and no mark.
  static constexpr uint32_t kExcluded = 1;
  static constexpr uint32_t kPhase = 2;
  static constexpr uint32_t kMark = kExcluded | kPhase;
  static constexpr uint32_t kOneSharer = 4;
  static constexpr int kSpins = kModelled ? 0 : 32;

  static void Pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  // Waits until the phase with this mark is over; a phase with the other mark comes after us.
  void WaitForPhase(uint32_t mark) {
    for (int spin = 0;; ++spin) {
      // acquire: pairs with the release in Unlock(), directly or through the later addition of
      // the next phase's mark, which continues its release sequence.
      const uint32_t now = entered_.load(std::memory_order_acquire);
      if ((now & kMark) != mark) return;
      if (spin < kSpins) {
        Pause();
      } else {
        // Other sharers change the value without a notification; that is no reason to wake.
        entered_.wait(now, std::memory_order_acquire);
      }
    }
  }

  void WaitForSharers(uint32_t entered) {
    for (int spin = 0;; ++spin) {
      // seq_cst: pairs with UnlockShared(), see there; it is also the acquire for its release.
      const uint32_t left = left_.load(std::memory_order_seq_cst);
      if (left == (entered & ~kMark)) return;
      if (spin < kSpins) {
        Pause();
      } else {
        left_.wait(left, std::memory_order_seq_cst);
      }
    }
  }

  void LockQueue() {
    for (int spin = 0; spin < kSpins; ++spin) {
      if (queue_.try_lock()) return;
      Pause();
    }
    queue_.lock();
  }

  Atomic<uint32_t> entered_{0};
  Atomic<uint32_t> left_{0};
  uint32_t phase_ = 0;  // of the last excluder; guarded by queue_
  std::mutex queue_;
};

// What is taken by the constructor is left by the destructor, once, wherever the guard has moved.
class SharedStripeGuard {
 public:
  explicit SharedStripeGuard(StripeLock* lock) : lock_(lock) { lock_->LockShared(); }
  SharedStripeGuard(SharedStripeGuard&& from) noexcept
      : lock_(std::exchange(from.lock_, nullptr)) {}
  SharedStripeGuard& operator=(SharedStripeGuard&&) = delete;
  ~SharedStripeGuard() {
    if (lock_ != nullptr) lock_->UnlockShared();
  }

 private:
  StripeLock* lock_;
};

class ExclusiveStripeGuard {
 public:
  explicit ExclusiveStripeGuard(StripeLock* lock) : lock_(lock) { lock_->Lock(); }
  ExclusiveStripeGuard(ExclusiveStripeGuard&& from) noexcept
      : lock_(std::exchange(from.lock_, nullptr)) {}
  ExclusiveStripeGuard& operator=(ExclusiveStripeGuard&&) = delete;
  ~ExclusiveStripeGuard() {
    if (lock_ != nullptr) lock_->Unlock();
  }

 private:
  StripeLock* lock_;
};

}  // namespace kv

#endif  // KV_STRIPING_STRIPE_LOCK_H_
