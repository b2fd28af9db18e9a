// SpinThenPark: a worker without work looks about for a while, then sleeps. Who is still looking is
// notified without a system call, and takes up its work in a fraction of a microsecond.
//
// For: work that comes every few microseconds, with a processor for each worker.
// Not for: more workers than processors: a turn in vain is a turn that nobody else has.
//
// Thread safety and complexity: as Park.
#ifndef COORD_SPIN_THEN_PARK_H_
#define COORD_SPIN_THEN_PARK_H_

#include <chrono>
#include <cstddef>
#include <string_view>

#include "coord/park.h"
#include "coord/waiter_concept.h"
#include "kv/base/atomic.h"
#include "kv/base/policy_name.h"

namespace coord {

struct SpinShape {
  int turns = 256;  // a turn is some 10 to 40 ns, by the processor
};

template <SpinShape kShape = SpinShape{}>
class SpinThenPark {
 public:
  static constexpr std::string_view kName = kv::kPolicyName<"spin_then_park", kShape.turns>;

  void PrepareWait() { park_.PrepareWait(); }
  void CancelWait() { park_.CancelWait(); }

  void Wait() {
    if (!Spin()) park_.Wait();
  }
  bool WaitFor(std::chrono::nanoseconds longest) { return Spin() || park_.WaitFor(longest); }

  size_t Notify(size_t count) { return park_.Notify(count); }
  size_t NotifyAll() { return park_.NotifyAll(); }

 private:
  bool Spin() {
    for (int turn = 0; turn < (kv::kModelled ? 1 : kShape.turns); ++turn) {
      if (park_.TryWait()) return true;
      Pause();
    }
    return false;
  }

  static void Pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  Park park_;
};

static_assert(Waiter<SpinThenPark<>>);

}  // namespace coord

#endif  // COORD_SPIN_THEN_PARK_H_
