// The thread that writes checkpoints.
//
// Thread safety: construction and destruction; destruction waits for the checkpoint under way.
#ifndef ENGINES_BTREE_BACKGROUND_H_
#define ENGINES_BTREE_BACKGROUND_H_

#include <thread>

#include "engines/btree/store.h"

namespace kv::btree {

template <typename StoreType>
class Background {
 public:
  explicit Background(StoreType& store)
      : store_(store), thread_([this] {
          while (store_.WaitForOrder()) store_.Run().IgnoreError();  // the store keeps the error
        }) {}
  ~Background() {
    store_.Stop();
    thread_.join();
  }

 private:
  StoreType& store_;
  std::thread thread_;
};

}  // namespace kv::btree

#endif  // ENGINES_BTREE_BACKGROUND_H_
