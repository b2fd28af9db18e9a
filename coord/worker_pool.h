// WorkerPool: threads that run what a coordinator hands out.
//
//   WorkerPool pool(coordinator, /*threads=*/2, [&](Index index) -> Result { ... });
//   ...
//   pool.Stop();
//
// Each thread drains a batch of the coordinator's throughput_hint, runs the callback for each index
// of it and finishes that; and waits where there is none. A callback that takes long keeps the rest
// of its batch waiting: have a small hint where runs are long.
//
// The callback is called by several threads, for one slot by one at a time; it does not throw.
//
// Thread safety: Stop from one thread. The coordinator outlives the pool; several pools may share
// it, and Stop of one stops the coordinator for all.
#ifndef COORD_WORKER_POOL_H_
#define COORD_WORKER_POOL_H_

#include <concepts>
#include <cstddef>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "coord/index.h"
#include "coord/result.h"

namespace coord {

// What a thread of the pool does. For threads of one's own.
template <typename Coordinator, std::invocable<Index> Run>
void WorkUntilShutdown(Coordinator& coordinator, Run& run) {
  std::vector<Index> batch;
  const size_t most = coordinator.throughput_hint();
  batch.reserve(most);
  for (;;) {
    // Asked before the drain: what was registered before Shutdown is then seen by it.
    const bool last = coordinator.is_shut_down();
    batch.clear();
    if (coordinator.Drain(most, &batch) > 0) {
      for (const Index index : batch) coordinator.Finish(index, run(index));
    } else if (last) {
      return;
    } else {
      coordinator.Wait();
    }
  }
}

template <typename Coordinator, std::invocable<Index> Run>
requires std::convertible_to<std::invoke_result_t<Run&, Index>, Result>
class WorkerPool {
 public:
  WorkerPool(Coordinator& coordinator, size_t threads, Run run)
      : coordinator_(coordinator), run_(std::move(run)) {
    for (size_t i = 0; i < threads; ++i)
      threads_.emplace_back([this] { WorkUntilShutdown(coordinator_, run_); });
  }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool() { Stop(); }

  // Shuts the coordinator down, runs what was registered before, and ends the threads.
  void Stop() {
    coordinator_.Shutdown();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  Coordinator& coordinator_;
  Run run_;
  std::vector<std::thread> threads_;
};

}  // namespace coord

#endif  // COORD_WORKER_POOL_H_
