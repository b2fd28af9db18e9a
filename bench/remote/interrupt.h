// Ctrl-C as a wish to end: what was measured until then is reported, and what was started is ended.
//
// Thread safety: any thread.
#ifndef BENCH_REMOTE_INTERRUPT_H_
#define BENCH_REMOTE_INTERRUPT_H_

#include <atomic>

namespace bench::remote {

// Becomes true with the first SIGINT or SIGTERM; the second one ends the program as it would have
// before. Each call begins anew.
const std::atomic<bool>* StopOnInterrupt();

}  // namespace bench::remote

#endif  // BENCH_REMOTE_INTERRUPT_H_
