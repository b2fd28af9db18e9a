// Atomics of the lock-free parts, under names that a build may lead elsewhere.
//
// As it stands they are the standard library's, by alias: no type and no instruction is added. A
// test that compiles a part with ASHLAR_ATOMIC_HEADER, a header's path in quotes, gets what stands
// there instead: the model of kv/testing/interleaving, which runs the part in every interleaving
// and with every value that the memory model lets its loads see. All of a program is compiled the
// one way or the other; the two do not mix.
//
// A part that is to be modelled names Atomic and AtomicRef in place of std's, calls GiveWay at each
// turn of a loop that waits for another thread, and keeps nothing thread_local that lives on from
// one run to the next. It may take other sizes where kModelled: a node of four slots splits after
// four inserts. Its locks may be std::mutex where a test sees to it that no two threads want one.
//
// Memory order: the user's.
#ifndef KV_BASE_ATOMIC_H_
#define KV_BASE_ATOMIC_H_

#ifdef ASHLAR_ATOMIC_HEADER
#include ASHLAR_ATOMIC_HEADER
#else

#include <sched.h>

#include <atomic>
#include <cstddef>

namespace kv {

template <typename T>
using Atomic = std::atomic<T>;
template <typename T>
using AtomicRef = std::atomic_ref<T>;

// A fence, as std::atomic_thread_fence.
inline void ThreadFence(std::memory_order order) { std::atomic_thread_fence(order); }

// A sequentially consistent fence, and behind it an exchange that acquires and releases. On x86-64
// that is one instruction: whatever is locked is a full barrier, too.
template <typename T>
T FenceAndExchange(Atomic<T>& object, T value) {
#if !defined(__x86_64__)
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
  return object.exchange(value, std::memory_order_seq_cst);
}

// Offers the processor to other threads: a turn of a loop that waits for one of them.
inline void GiveWay() { ::sched_yield(); }

// Whether this is the model, which alone has a use for what follows.
inline constexpr bool kModelled = false;
// The number of the running thread, below 6. The model's are fibers of one thread, so thread_local
// does not tell them apart.
inline size_t ModelThread() { return 0; }
// Each number below `count`, one after the other in runs of their own.
inline size_t ModelChoice(size_t) { return 0; }

}  // namespace kv

#endif  // ASHLAR_ATOMIC_HEADER

#endif  // KV_BASE_ATOMIC_H_
