// Membarrier: a full memory barrier on every running thread of the process (Linux, membarrier(2)).
//
// The kernel interrupts each processor that runs a thread of this process, so a call costs some
// microseconds where there are such, and less than one where there is none. The other threads pay
// nothing between calls.
//
// Thread safety: any thread.
// Source: Desnoyers, sys_membarrier; Dice, Huang, Yang: Asymmetric Dekker Synchronization, 2001.
#ifndef COORD_MEMBARRIER_H_
#define COORD_MEMBARRIER_H_

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

namespace coord {

class Membarrier {
 public:
  // Whether the kernel will serve operator(). To be asked before it, once in a process or often.
  bool Register() { return Call(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED); }

  void operator()() {
    // To go on without the barrier that others rely on would lose wake-ups.
    if (!Call(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) std::abort();
  }

 private:
  static bool Call(int command) { return ::syscall(SYS_membarrier, command, 0, 0) == 0; }
};

}  // namespace coord

#endif  // COORD_MEMBARRIER_H_
