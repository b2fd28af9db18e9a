// Which key: numbers of keys that are there, and of keys that are not, after a plan's distribution.
//
// Keys that are there are 0 up to the plan's, and what was inserted behind them. The newest inserts
// are left out of "latest" until some hundred more have been made: they may still be on their way,
// and a read that overtakes its insert says nothing about the server.
//
// Thread safety: none; one a thread. Complexity: constant; 2 ns (uniform) to 60 ns (Zipf's law over
// a bijection of the keys).
#ifndef BENCH_REMOTE_LOAD_KEY_NUMBERS_H_
#define BENCH_REMOTE_LOAD_KEY_NUMBERS_H_

#include <cstdint>
#include <optional>

#include "bench/key_generator.h"
#include "bench/random.h"
#include "bench/remote/load/plan.h"
#include "bench/zipf.h"

namespace bench::remote {

class KeyNumbers {
 public:
  // The plan must outlive it.
  KeyNumbers(const LoadPlan& plan, int thread);

  uint64_t Present(Random& random);
  uint64_t Missing(Random& random) const { return kMissingKeys + random.Uniform(plan_.keys); }
  // Of a record that nobody has inserted before.
  uint64_t Insert();
  // All numbers below are there.
  uint64_t Settled() const;

 private:
  // Inserts that may be on their way, of all connections together.
  static constexpr uint64_t kUnsettled = 512;

  const LoadPlan& plan_;
  const KeyPattern pattern_;
  std::optional<Zipf> zipf_;
  Permutation permutation_;
  uint64_t position_;  // of the next sequential one
  uint64_t hot_keys_;
  uint64_t hot_threshold_;  // of 2^32
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_KEY_NUMBERS_H_
