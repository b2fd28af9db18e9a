// The background of an LSM engine: two threads, so that a flush, for which writers wait, never
// waits for a long compaction.
//
// An error leaves the tree as it was. A failed flush is tried again when a writer needs its room; a
// failed compaction when the tree has changed.
//
// Thread safety: construction and destruction; destruction waits for the threads.
#ifndef ENGINES_LSM_BACKGROUND_H_
#define ENGINES_LSM_BACKGROUND_H_

#include <chrono>
#include <cstddef>

#include "coord/jobs.h"
#include "coord/result.h"
#include "engines/lsm/store.h"
#include "kv/compaction/concept.h"

namespace kv {

template <typename Parts, typename Environment>
class LsmBackground {
 public:
  using StoreType = Store<Parts, Environment>;

  explicit LsmBackground(StoreType& store)
      : store_(store), threads_(store.jobs(), kThreads, Run{store}) {
    if constexpr (kCompactsByAge<typename Parts::Compaction>) store.jobs().Ask(LsmJob::kLook);
  }

  ~LsmBackground() { store_.Stop(); }

 private:
  static constexpr size_t kThreads = 2;
  static constexpr std::chrono::seconds kLookAgain{1};  // what expires does not announce itself

  struct Run {
    StoreType& store;

    coord::Result operator()(LsmJob job) const {
      switch (job) {
        case LsmJob::kFlush:
          // The store keeps the error.
          while (!store.Stopping() && store.NeedsFlush()) store.FlushOldest().IgnoreError();
          break;
        case LsmJob::kCompact:
          while (!store.Stopping() && CompactOnce()) {
          }
          break;
        case LsmJob::kLook:
          store.jobs().Ask(LsmJob::kCompact);
          return coord::Suspended{.resume_on = coord::After{kLookAgain}};
      }
      return coord::Completed{};
    }

    bool CompactOnce() const {
      return store
          .CompactOnce([](const TreeShape& shape) { return Parts::Compaction::Choose(shape); })
          .value_or(false);
    }
  };

  StoreType& store_;
  coord::JobThreads<LsmJobs, Run> threads_;
};

}  // namespace kv

#endif  // ENGINES_LSM_BACKGROUND_H_
