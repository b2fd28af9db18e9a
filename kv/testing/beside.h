// RunBeside: a writer and two readers, for checks that ask what is seen while something happens.
//
// Memory order: the default, seq_cst, for the flags and counts that say when to stop.
#ifndef KV_TESTING_BESIDE_H_
#define KV_TESTING_BESIDE_H_

#include <atomic>
#include <thread>
#include <vector>

#include "kv/testing/stage.h"

namespace kv::testing {

// How long RunBeside goes on, at least: calls of `step`, and of `read` in each of two threads.
struct Shares {
  int steps = 400;
  int reads = 40;
};

// Calls step(0), step(1), ... in this thread and read() over and over in two others. Goes on until
// both sides have had their share, so that neither finds the other gone; the writer's is bounded,
// in case a reader hangs on its every step.
template <typename Step, typename Read>
void RunBeside(Stage& stage, Step step, Read read, Shares shares = {}) {
  std::atomic<bool> done = false;
  std::atomic<int> reads = 0;
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      while (!done.load() && !stage.failed()) {
        read();
        reads.fetch_add(1);
      }
      read();
    });
  }
  for (int i = 0; !stage.failed() && i < 50 * shares.steps; ++i) {
    if (i >= shares.steps && reads.load() >= 2 * shares.reads) break;
    step(i);
  }
  done.store(true);
  for (std::thread& reader : readers) reader.join();
}

}  // namespace kv::testing

#endif  // KV_TESTING_BESIDE_H_
