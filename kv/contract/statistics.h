// What an engine counts. Monotonic from Open unless marked as a gauge.
//
// Thread safety: Statistics is a plain value, taken by Engine::Stats().
#ifndef KV_CONTRACT_STATISTICS_H_
#define KV_CONTRACT_STATISTICS_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace kv {

struct Statistics {
  uint64_t reads = 0;               // keys asked for by Get and MultiGet
  uint64_t read_hits = 0;           // of them, found
  uint64_t writes = 0;              // records written (batch entries counted one by one)
  uint64_t user_bytes_written = 0;  // bytes of their keys and values
  uint64_t cas_attempts = 0;
  uint64_t cas_failures = 0;   // the expectation did not hold
  uint64_t wal_bytes = 0;      // as they were written
  uint64_t wal_raw_bytes = 0;  // of the same records before compression
  uint64_t wal_syncs = 0;
  uint64_t flushes = 0;
  uint64_t flush_bytes = 0;
  uint64_t compactions = 0;  // trivial moves not included
  uint64_t trivial_moves = 0;
  uint64_t compaction_bytes_read = 0;
  uint64_t compaction_bytes_written = 0;
  uint64_t table_searches = 0;          // point reads that had to ask one table
  uint64_t filter_negatives = 0;        // of them, answered "absent" by the filter
  uint64_t filter_false_positives = 0;  // passed by the filter, absent from the table
  uint64_t cache_hits = 0;
  uint64_t cache_misses = 0;
  uint64_t stalls = 0;  // writes that were slowed down or stopped
  uint64_t stall_nanos = 0;
  uint64_t expired_dropped = 0;      // records dropped by compaction because they had expired
  uint64_t value_bytes_moved = 0;    // of separated values, moved out of files with much garbage
  uint64_t value_files = 0;          // gauge: files of separated values
  uint64_t value_garbage_bytes = 0;  // gauge: of their bytes, those that nothing points to
  uint64_t live_bytes_estimate = 0;  // gauge: bytes of keys and values in tables and memtables
  uint64_t disk_bytes = 0;           // gauge: bytes of all files of the store
  uint64_t memory_bytes = 0;         // gauge: memtables, indexes and caches
};

struct StatisticsField {
  std::string_view name;
  uint64_t Statistics::*member;
};

// Every field with its name, for reports.
inline constexpr auto kStatisticsFields = std::to_array<StatisticsField>({
    {"reads", &Statistics::reads},
    {"read_hits", &Statistics::read_hits},
    {"writes", &Statistics::writes},
    {"user_bytes_written", &Statistics::user_bytes_written},
    {"cas_attempts", &Statistics::cas_attempts},
    {"cas_failures", &Statistics::cas_failures},
    {"wal_bytes", &Statistics::wal_bytes},
    {"wal_raw_bytes", &Statistics::wal_raw_bytes},
    {"wal_syncs", &Statistics::wal_syncs},
    {"flushes", &Statistics::flushes},
    {"flush_bytes", &Statistics::flush_bytes},
    {"compactions", &Statistics::compactions},
    {"trivial_moves", &Statistics::trivial_moves},
    {"compaction_bytes_read", &Statistics::compaction_bytes_read},
    {"compaction_bytes_written", &Statistics::compaction_bytes_written},
    {"table_searches", &Statistics::table_searches},
    {"filter_negatives", &Statistics::filter_negatives},
    {"filter_false_positives", &Statistics::filter_false_positives},
    {"cache_hits", &Statistics::cache_hits},
    {"cache_misses", &Statistics::cache_misses},
    {"stalls", &Statistics::stalls},
    {"stall_nanos", &Statistics::stall_nanos},
    {"expired_dropped", &Statistics::expired_dropped},
    {"value_bytes_moved", &Statistics::value_bytes_moved},
    {"value_files", &Statistics::value_files},
    {"value_garbage_bytes", &Statistics::value_garbage_bytes},
    {"live_bytes_estimate", &Statistics::live_bytes_estimate},
    {"disk_bytes", &Statistics::disk_bytes},
    {"memory_bytes", &Statistics::memory_bytes},
});

static_assert(sizeof(Statistics) == kStatisticsFields.size() * sizeof(uint64_t),
              "every field of Statistics has a name");

}  // namespace kv

#endif  // KV_CONTRACT_STATISTICS_H_
