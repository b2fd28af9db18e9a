#include "bench/remote/interrupt.h"

#include <signal.h>

namespace bench::remote {
namespace {

std::atomic<bool> stop = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // or no signal handler may touch it

// relaxed: says nothing but itself.
void Stop(int) { stop.store(true, std::memory_order_relaxed); }

}  // namespace

const std::atomic<bool>* StopOnInterrupt() {
  stop.store(false, std::memory_order_relaxed);
  struct sigaction action = {};
  action.sa_handler = Stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return &stop;
}

}  // namespace bench::remote
