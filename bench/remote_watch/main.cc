// Memory order: the flag is set by a signal's handler and publishes nothing else: relaxed.
#include <signal.h>

#include <atomic>
#include <string>
#include <vector>

#include "bench/remote_watch/program.h"

namespace {

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void Interrupt(int) { interrupted.store(true, std::memory_order_relaxed); }

}  // namespace

int main(int argc, char** argv) {
  struct sigaction action {};
  action.sa_handler = Interrupt;
  // Once: the report is made after the first, and the second ends the program as ever.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
  return bench::remote_watch::Main(std::vector<std::string>(argv + 1, argv + argc),
                                   ASHLAR_COMPILATION_MODE, interrupted);
}
