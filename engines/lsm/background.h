// The two background threads of an LSM engine: one flushes, so that writers never wait for a long
// compaction to make room, and one compacts.
//
// An error leaves the tree as it was. A failed flush is tried again when a writer needs its room; a
// failed compaction when the tree has changed.
//
// Thread safety: construction and destruction; destruction waits for the threads.
#ifndef ENGINES_LSM_BACKGROUND_H_
#define ENGINES_LSM_BACKGROUND_H_

#include <cstdint>
#include <thread>

#include "engines/lsm/store.h"

namespace kv {

template <typename Parts, typename Environment>
class LsmBackground {
 public:
  using StoreType = Store<Parts, Environment>;

  explicit LsmBackground(StoreType& store)
      : store_(store), flusher_([this] { Flush(); }), compactor_([this] { Compact(); }) {}

  ~LsmBackground() {
    store_.Stop();
    flusher_.join();
    compactor_.join();
  }

 private:
  void Flush() {
    while (store_.WaitForFlush()) store_.FlushOldest().IgnoreError();  // the store keeps the error
  }

  void Compact() {
    uint64_t seen = 0;
    while (store_.WaitForNewTree(&seen)) {
      for (;;) {
        const absl::StatusOr<bool> more = store_.CompactOnce(
            [](const TreeShape& shape) { return Parts::Compaction::Choose(shape); });
        if (!more.ok() || !*more) break;
      }
    }
  }

  StoreType& store_;
  std::thread flusher_;
  std::thread compactor_;
};

}  // namespace kv

#endif  // ENGINES_LSM_BACKGROUND_H_
