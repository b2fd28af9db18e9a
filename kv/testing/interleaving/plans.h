// How far the interleavings of the lock-free parts are explored, in one place.
//
// Thread safety: constants.
#ifndef KV_TESTING_INTERLEAVING_PLANS_H_
#define KV_TESTING_INTERLEAVING_PLANS_H_

#include "kv/testing/interleaving/explore.h"

namespace kv::testing::interleaving {

// For parts whose threads all write: every bug that two changes of thread bring about.
inline constexpr Plan kPlan{.preemptions = 2, .most_runs = 300'000};

// For parts of which one thread writes and the others only load: whatever these may see, they may
// also see when they run behind the writer, so what changes of thread add is waiting alone. And for
// parts whose programs would have too many interleavings otherwise.
inline constexpr Plan kBriefPlan{.preemptions = 1, .most_runs = 300'000};

}  // namespace kv::testing::interleaving

#endif  // KV_TESTING_INTERLEAVING_PLANS_H_
