// What the parts of an LSM engine count for Statistics.
#ifndef ENGINES_LSM_COUNTERS_H_
#define ENGINES_LSM_COUNTERS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "kv/base/striped_counters.h"
#include "kv/contract/statistics.h"

namespace kv {

enum class LsmCounter : size_t {
  kReads,
  kReadHits,
  kWrites,
  kUserBytesWritten,
  kCasAttempts,
  kCasFailures,
  kWalBytes,
  kWalRawBytes,
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
  kValueBytesMoved,
  kCount,
};

using LsmCounters = StripedCounters<LsmCounter, static_cast<size_t>(LsmCounter::kCount)>;

// Which field of Statistics each counter fills.
struct LsmCounted {
  LsmCounter counter;
  uint64_t Statistics::*member;
};
inline constexpr auto kLsmCounted = std::to_array<LsmCounted>({
    {LsmCounter::kReads, &Statistics::reads},
    {LsmCounter::kReadHits, &Statistics::read_hits},
    {LsmCounter::kWrites, &Statistics::writes},
    {LsmCounter::kUserBytesWritten, &Statistics::user_bytes_written},
    {LsmCounter::kCasAttempts, &Statistics::cas_attempts},
    {LsmCounter::kCasFailures, &Statistics::cas_failures},
    {LsmCounter::kWalBytes, &Statistics::wal_bytes},
    {LsmCounter::kWalRawBytes, &Statistics::wal_raw_bytes},
    {LsmCounter::kWalSyncs, &Statistics::wal_syncs},
    {LsmCounter::kFlushes, &Statistics::flushes},
    {LsmCounter::kFlushBytes, &Statistics::flush_bytes},
    {LsmCounter::kCompactions, &Statistics::compactions},
    {LsmCounter::kTrivialMoves, &Statistics::trivial_moves},
    {LsmCounter::kCompactionBytesRead, &Statistics::compaction_bytes_read},
    {LsmCounter::kCompactionBytesWritten, &Statistics::compaction_bytes_written},
    {LsmCounter::kTableSearches, &Statistics::table_searches},
    {LsmCounter::kFilterNegatives, &Statistics::filter_negatives},
    {LsmCounter::kFilterFalsePositives, &Statistics::filter_false_positives},
    {LsmCounter::kStalls, &Statistics::stalls},
    {LsmCounter::kStallNanos, &Statistics::stall_nanos},
    {LsmCounter::kExpiredDropped, &Statistics::expired_dropped},
    {LsmCounter::kValueBytesMoved, &Statistics::value_bytes_moved},
});

static_assert(kLsmCounted.size() == static_cast<size_t>(LsmCounter::kCount));

inline void CountInto(const LsmCounters& counters, Statistics* statistics) {
  for (const auto& [counter, member] : kLsmCounted) statistics->*member = counters.Sum(counter);
}

}  // namespace kv

#endif  // ENGINES_LSM_COUNTERS_H_
