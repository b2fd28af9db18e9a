// Recorded request streams, told apart by their content:
//
//   block    version,time,op,size,lbn
//            A header line with these names may come first. `op` is a SCSI opcode in hex: reads
//            08 28 a8 88, writes 0a 2a aa 8a. The key is `lbn` as 8 big-endian bytes, the value
//            `size` bytes. `time` in seconds.
//   twitter  timestamp,anonymized key,key size,value size,client id,operation,TTL
//            The key may hold commas; one shorter than its key size is filled up with '0'. TTL and
//            timestamp in seconds; a TTL of 0 is none.
//
// Both record whole seconds. The requests of one second are spread evenly over it, so the pace
// within a second is made up; one that is older than those before it counts to their second.
//
// A bad line is kInvalidArgument that names file, line and reason, or is counted and left out when
// the caller asks for that. Empty lines are ignored.
//
// Cost: the whole trace is held in memory: 24 bytes a request, and each distinct key once.
#ifndef BENCH_TRACE_H_
#define BENCH_TRACE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/operation.h"

namespace bench {

enum class TraceFormat : uint8_t { kBlock, kTwitter };

struct TraceRequest {
  uint64_t at_micros = 0;  // since the first request; never falls. 30 years at most
  uint32_t key = 0;        // index into Trace::keys
  uint32_t value_bytes = 0;
  uint32_t ttl_seconds = 0;  // 0: never expires
  OperationKind kind = OperationKind::kGet;
};

struct Trace {
  std::string path;
  TraceFormat format = TraceFormat::kBlock;
  std::vector<TraceRequest> requests;
  std::deque<std::string> keys;  // each distinct one once
  uint64_t bad_lines = 0;        // left out
  std::string first_bad_line;    // its message
  uint32_t largest_value = 0;
};

struct TraceOptions {
  bool skip_bad_lines = false;
  uint64_t limit = 0;  // requests; 0: all
};

// Parses `content`; `path` is only for messages.
absl::StatusOr<Trace> ParseTrace(std::string_view content, std::string_view path,
                                 const TraceOptions& options);

// Reads the file and parses it.
absl::StatusOr<Trace> ReadTrace(const std::string& path, const TraceOptions& options);

}  // namespace bench

#endif  // BENCH_TRACE_H_
