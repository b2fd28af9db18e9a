// The two background threads of a log-structured engine: one seals, so that writers never wait for
// a long merge to make room, and one merges.
//
// An error leaves the store as it was. A failed seal is tried again when a writer needs its room; a
// failed merge when another segment has been sealed.
//
// Thread safety: construction and destruction; destruction waits for the threads.
#ifndef ENGINES_LOG_BACKGROUND_H_
#define ENGINES_LOG_BACKGROUND_H_

#include <cstdint>
#include <thread>

#include "engines/log/merge_job.h"
#include "engines/log/store.h"

namespace kv {

template <typename Parts, typename Environment>
class LogBackground {
 public:
  using StoreType = LogStore<Environment>;

  LogBackground(StoreType& store, uint64_t segment_bytes)
      : store_(store),
        segment_bytes_(segment_bytes),
        sealer_([this] { Seal(); }),
        merger_([this] { Merge(); }) {}

  ~LogBackground() {
    store_.Stop();
    sealer_.join();
    merger_.join();
  }

 private:
  void Seal() {
    while (store_.WaitForSeal()) store_.SealOldest().IgnoreError();  // the store keeps the error
  }

  void Merge() {
    MergeJob<Parts, Environment> job(store_, segment_bytes_);
    uint64_t seen = 0;
    while (store_.WaitForMerge(&seen)) job.RunAll().IgnoreError();
  }

  StoreType& store_;
  const uint64_t segment_bytes_;
  std::thread sealer_;
  std::thread merger_;
};

}  // namespace kv

#endif  // ENGINES_LOG_BACKGROUND_H_
