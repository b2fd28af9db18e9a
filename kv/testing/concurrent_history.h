// Concurrent histories: threads that call an engine side by side on a handful of keys, and what
// each call answered and when, for FirstUnexplained (linearizability.h).
//
// Every call of the contract that takes effect or looks at one instant is a StoreCall: some keys
// that it saw and some that it wrote, at that instant. A compare-and-set that did not swap only
// saw; a snapshot saw, while it was taken, whatever is read of it later.
#ifndef KV_TESTING_CONCURRENT_HISTORY_H_
#define KV_TESTING_CONCURRENT_HISTORY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "kv/testing/any_engine.h"
#include "kv/testing/composition.h"
#include "kv/testing/linearizability.h"

namespace kv::testing {

inline constexpr size_t kConcurrentKeys = 4;

// The number of the put that each key has its value of; 0 is absent.
using StoreState = std::array<uint32_t, kConcurrentKeys>;

struct StoreCall {
  std::string_view name;
  uint32_t saw = 0;    // a bit for each key
  uint32_t wrote = 0;  // the same
  StoreState seen = {};
  StoreState written = {};
  std::optional<uint64_t> counted = {};  // how many keys there are
};

// The model: what a store is after `call`, or nullopt where it was not as the call saw it.
std::optional<StoreState> After(const StoreState& state, const StoreCall& call);

// Such as "CompareAndSet saw 2: 17 wrote 2: 40".
std::string ToString(const StoreCall& call);

using ConcurrentHistory = std::vector<Timed<StoreCall>>;

struct ConcurrentLoad {
  uint64_t seed = 1;
  int threads = 4;
  int calls = 200;  // of each thread
};

// Runs the load on a store that has none of the keys. An error of any call is the answer, and so is
// a value that no call wrote. The calls are a function of the seed and of the answers.
absl::StatusOr<ConcurrentHistory> RunConcurrently(AnyEngine& engine, const Capabilities& has,
                                                  const ConcurrentLoad& load);

// What is wrong with a history, in words, or nullopt: the call that no order explains, and those
// that ran beside it.
std::optional<std::string> Contradiction(const ConcurrentHistory& history);

}  // namespace kv::testing

#endif  // KV_TESTING_CONCURRENT_HISTORY_H_
