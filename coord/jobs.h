// Jobs: a few standing pieces of work, each to be done again whenever somebody asks for it:
// flushes, merges, checkpoints.
//
//   enum class Job { kFlush, kCompact };
//   Jobs<Job, 2> jobs;                                  // lives longer than whoever asks
//   JobThreads threads(jobs, /*threads=*/2, [&](Job job) -> Result { ... });
//   ...
//   jobs.Ask(Job::kFlush);                              // from anywhere, under locks as well
//
// A job that is asked for is run after that, and sees what whoever asked did before; asked for by
// several before it begins, once for all. It runs on one thread at a time. What is asked for while
// there are no threads is done when there are. With fewer threads than jobs a long one may keep
// others waiting; that and when a job runs again by itself (result.h) is the caller's to say.
//
// Thread safety: Ask from any thread; the rest from one. Complexity: Ask is an exchange or two, and
// the waking of a thread that sleeps. Memory: some 10 KiB, most of it counters.
// For: the background of a storage engine. Not for: jobs that come and go (coordinator.h).
#ifndef COORD_JOBS_H_
#define COORD_JOBS_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <utility>

#include "coord/bitmap_slots.h"
#include "coord/coordinator.h"
#include "coord/index.h"
#include "coord/park.h"
#include "coord/result.h"
#include "coord/symmetric_fence.h"
#include "coord/worker_pool.h"
#include "kv/base/clock.h"

namespace coord {

// `Job` is an enum whose enumerators are 0 .. kCount - 1.
template <typename Job, size_t kCount>
class Jobs {
 public:
  struct Parts {
    using Slots = BitmapSlots<SymmetricFence>;
    using Waiter = Park;
    using Clock = kv::SystemClock;
  };

  Jobs() {
    for (Index& index : indices_) index = *coordinator_.AddSlot();
  }

  void Ask(Job job) { coordinator_.Register(indices_[static_cast<size_t>(job)]); }

  Job JobOf(Index index) const {
    size_t job = 0;
    while (indices_[job] != index) ++job;
    return static_cast<Job>(job);
  }

  Coordinator<Parts>& coordinator() { return coordinator_; }

 private:
  // One at a time, so that a thread never has a job that another could do.
  Coordinator<Parts> coordinator_{{.slots = kCount, .throughput_hint = 1}};
  std::array<Index, kCount> indices_;
};

// The threads that do them. Once for each Jobs: its end is the end of the work.
template <typename J, typename Run>
class JobThreads {
 public:
  JobThreads(J& jobs, size_t threads, Run run)
      : pool_(jobs.coordinator(), threads, Runner{jobs, std::move(run)}) {}

  // What was asked for before is done first. Returns when no job runs any more.
  void Stop() { pool_.Stop(); }

 private:
  struct Runner {
    J& jobs;
    Run run;
    Result operator()(Index index) { return run(jobs.JobOf(index)); }
  };

  WorkerPool<Coordinator<typename J::Parts>, Runner> pool_;
};

}  // namespace coord

#endif  // COORD_JOBS_H_
