// What the parts of a log-structured engine count for Statistics.
#ifndef ENGINES_LOG_COUNTERS_H_
#define ENGINES_LOG_COUNTERS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "kv/base/striped_counters.h"
#include "kv/contract/statistics.h"

namespace kv {

enum class LogCounter : size_t {
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
  kCompactionBytesRead,
  kCompactionBytesWritten,
  kStalls,
  kStallNanos,
  kExpiredDropped,
  kCount,
};

using LogCounters = StripedCounters<LogCounter, static_cast<size_t>(LogCounter::kCount)>;

// Which field of Statistics each counter fills.
struct LogCounted {
  LogCounter counter;
  uint64_t Statistics::*member;
};
inline constexpr auto kLogCounted = std::to_array<LogCounted>({
    {LogCounter::kReads, &Statistics::reads},
    {LogCounter::kReadHits, &Statistics::read_hits},
    {LogCounter::kWrites, &Statistics::writes},
    {LogCounter::kUserBytesWritten, &Statistics::user_bytes_written},
    {LogCounter::kCasAttempts, &Statistics::cas_attempts},
    {LogCounter::kCasFailures, &Statistics::cas_failures},
    {LogCounter::kWalBytes, &Statistics::wal_bytes},
    {LogCounter::kWalSyncs, &Statistics::wal_syncs},
    {LogCounter::kFlushes, &Statistics::flushes},
    {LogCounter::kFlushBytes, &Statistics::flush_bytes},
    {LogCounter::kCompactions, &Statistics::compactions},
    {LogCounter::kCompactionBytesRead, &Statistics::compaction_bytes_read},
    {LogCounter::kCompactionBytesWritten, &Statistics::compaction_bytes_written},
    {LogCounter::kStalls, &Statistics::stalls},
    {LogCounter::kStallNanos, &Statistics::stall_nanos},
    {LogCounter::kExpiredDropped, &Statistics::expired_dropped},
});

static_assert(kLogCounted.size() == static_cast<size_t>(LogCounter::kCount));

inline void CountInto(const LogCounters& counters, Statistics* statistics) {
  for (const auto& [counter, member] : kLogCounted) statistics->*member = counters.Sum(counter);
}

}  // namespace kv

#endif  // ENGINES_LOG_COUNTERS_H_
