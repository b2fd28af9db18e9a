// What the parts of an LSM engine count for Statistics.
#ifndef ENGINES_LSM_COUNTERS_H_
#define ENGINES_LSM_COUNTERS_H_

#include <cstddef>

#include "kv/base/striped_counters.h"

namespace kv {

enum class LsmCounter : size_t {
  kReads,
  kReadHits,
  kWrites,
  kUserBytesWritten,
  kCasAttempts,
  kCasFailures,
  kWalBytes,
  kWalSyncs,
  kFlushes,
  kFlushBytes,
  kCompactions,
  kTrivialMoves,
  kCompactionBytesRead,
  kCompactionBytesWritten,
  kTableSearches,
  kFilterNegatives,
  kFilterFalsePositives,
  kStalls,
  kStallNanos,
  kExpiredDropped,
  kCount,
};

using LsmCounters = StripedCounters<LsmCounter, static_cast<size_t>(LsmCounter::kCount)>;

}  // namespace kv

#endif  // ENGINES_LSM_COUNTERS_H_
