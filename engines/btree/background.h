// The background of a B+tree: a thread that writes checkpoints.
//
// Thread safety: construction and destruction; destruction waits for the checkpoint under way.
#ifndef ENGINES_BTREE_BACKGROUND_H_
#define ENGINES_BTREE_BACKGROUND_H_

#include "coord/jobs.h"
#include "coord/result.h"
#include "engines/btree/store.h"

namespace kv::btree {

template <typename StoreType>
class Background {
 public:
  explicit Background(StoreType& store) : store_(store), thread_(store.jobs(), 1, Run{store}) {}
  ~Background() { store_.Stop(); }

 private:
  struct Run {
    StoreType& store;

    coord::Result operator()(Job) const {
      while (store.HasOrder()) store.Run().IgnoreError();  // the store keeps the error
      return coord::Completed{};
    }
  };

  StoreType& store_;
  coord::JobThreads<Jobs, Run> thread_;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_BACKGROUND_H_
