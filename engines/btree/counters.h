// What the parts of a B+tree engine count for Statistics.
#ifndef ENGINES_BTREE_COUNTERS_H_
#define ENGINES_BTREE_COUNTERS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "kv/base/striped_counters.h"
#include "kv/contract/statistics.h"

namespace kv::btree {

enum class BtreeCounter : size_t {
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
  kStalls,
  kStallNanos,
  kCount,
};

using BtreeCounters = StripedCounters<BtreeCounter, static_cast<size_t>(BtreeCounter::kCount)>;

// Which field of Statistics each counter fills.
struct BtreeCounted {
  BtreeCounter counter;
  uint64_t Statistics::*member;
};
inline constexpr auto kBtreeCounted = std::to_array<BtreeCounted>({
    {BtreeCounter::kReads, &Statistics::reads},
    {BtreeCounter::kReadHits, &Statistics::read_hits},
    {BtreeCounter::kWrites, &Statistics::writes},
    {BtreeCounter::kUserBytesWritten, &Statistics::user_bytes_written},
    {BtreeCounter::kCasAttempts, &Statistics::cas_attempts},
    {BtreeCounter::kCasFailures, &Statistics::cas_failures},
    {BtreeCounter::kWalBytes, &Statistics::wal_bytes},
    {BtreeCounter::kWalRawBytes, &Statistics::wal_raw_bytes},
    {BtreeCounter::kWalSyncs, &Statistics::wal_syncs},
    {BtreeCounter::kFlushes, &Statistics::flushes},
    {BtreeCounter::kFlushBytes, &Statistics::flush_bytes},
    {BtreeCounter::kStalls, &Statistics::stalls},
    {BtreeCounter::kStallNanos, &Statistics::stall_nanos},
});

static_assert(kBtreeCounted.size() == static_cast<size_t>(BtreeCounter::kCount));

inline void CountInto(const BtreeCounters& counters, Statistics* statistics) {
  for (const auto& [counter, member] : kBtreeCounted) statistics->*member = counters.Sum(counter);
}

}  // namespace kv::btree

#endif  // ENGINES_BTREE_COUNTERS_H_
