// The background of a log-structured engine: two threads, so that a seal, for which writers wait,
// never waits for a long merge.
//
// An error leaves the store as it was. A failed seal is tried again when a writer needs its room; a
// failed merge when another segment has been sealed.
//
// Thread safety: construction and destruction; destruction waits for the threads.
#ifndef ENGINES_LOG_BACKGROUND_H_
#define ENGINES_LOG_BACKGROUND_H_

#include <cstddef>
#include <cstdint>

#include "coord/jobs.h"
#include "coord/result.h"
#include "engines/log/merge_job.h"
#include "engines/log/store.h"

namespace kv {

template <typename Parts, typename Environment>
class LogBackground {
 public:
  using StoreType = LogStore<Environment>;

  LogBackground(StoreType& store, uint64_t segment_bytes)
      : store_(store), threads_(store.jobs(), kThreads, Run{store, {store, segment_bytes}}) {}

  ~LogBackground() { store_.Stop(); }

 private:
  static constexpr size_t kThreads = 2;

  struct Run {
    StoreType& store;
    MergeJob<Parts, Environment> merge;

    coord::Result operator()(LogJob job) {
      switch (job) {
        case LogJob::kSeal:
          // The store keeps the error.
          while (!store.Stopping() && store.NeedsSeal()) store.SealOldest().IgnoreError();
          break;
        case LogJob::kMerge:
          if (!store.Stopping()) merge.RunAll().IgnoreError();
          break;
      }
      return coord::Completed{};
    }
  };

  StoreType& store_;
  coord::JobThreads<LogJobs, Run> threads_;
};

}  // namespace kv

#endif  // ENGINES_LOG_BACKGROUND_H_
