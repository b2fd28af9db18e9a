// What a server that was killed has kept of a row of numbered writes, and what of that it had
// acknowledged: the arithmetic of the persistence test, which knows no server.
//
//   write n puts n under key n % keys, for n = 1, 2, ...      keys 3:   k0   k1   k2
//   after 1..7                                                          6    7    5
//
// A server that recovers gives the state after the first `newest` writes, for some newest:
// snapshots and append-only files are both in the order of the writes. A key that holds less than
// that state says is a hole, worse than a lost tail.
//
// Thread safety: pure functions. Complexity: linear in the keys.
#ifndef BENCH_REMOTE_WATCH_RECOVERY_H_
#define BENCH_REMOTE_WATCH_RECOVERY_H_

#include <cstdint>
#include <span>

namespace bench::remote_watch {

struct Recovered {
  uint64_t newest = 0;       // the last write that is there; 0: none
  uint64_t lost = 0;         // acknowledged and not there
  uint64_t holes = 0;        // of those lost: older than newest
  uint64_t oldest_lost = 0;  // 0: none
};

// `found` is the number under each key, or 0.
Recovered JudgeRecovery(std::span<const uint64_t> found, uint64_t acknowledged);

// The last write to `key` among the first `count`; 0: there is none.
uint64_t LastWriteTo(uint64_t key, uint64_t keys, uint64_t count);

}  // namespace bench::remote_watch

#endif  // BENCH_REMOTE_WATCH_RECOVERY_H_
