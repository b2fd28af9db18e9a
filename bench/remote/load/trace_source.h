// Sends a recorded trace (bench/trace.h), each request at its recorded time (Request::at_nanos),
// one thread's share of the keys. Commands are those of operations.h.
//
// Keys are divided among the sources by hash, so that the requests of each key keep their order in
// one source. Over several connections the server may still see them in another.
//
// Values have the recorded sizes, and begin with the number of their key in the trace, by which
// replies to reads are judged. Keys that the trace counts up or down anywhere hold decimal numbers
// instead, and what would be appended to them replaces them; those, and keys to which the trace
// appends, are read unjudged, as their values have no beginning of their own.
//
// Thread safety: none; one source a thread; the plan is shared. Complexity: Next is linear in the
// value where it must be copied, and in the requests of other threads that it steps over.
// Source: https://github.com/twitter/cache-trace for the operations.
#ifndef BENCH_REMOTE_LOAD_TRACE_SOURCE_H_
#define BENCH_REMOTE_LOAD_TRACE_SOURCE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/remote/drive/request.h"
#include "bench/remote/load/operations.h"
#include "bench/remote/load/reply_judge.h"
#include "bench/trace.h"
#include "bench/value_generator.h"
#include "clients/reply.h"

namespace bench::remote {

// What all sources of one replay share.
class TracePlan {
 public:
  TracePlan(std::shared_ptr<const Trace> trace, std::string prefix, double compressibility,
            int threads);

  const Trace& trace() const { return *trace_; }
  const std::string& prefix() const { return prefix_; }
  const ValuePool& values() const { return *values_; }
  uint64_t threads() const { return threads_; }
  // Whether the trace counts this key up or down; whether it appends to it.
  bool is_counted(uint32_t key) const { return (marks_[key] & kCounted) != 0; }
  bool is_appended(uint32_t key) const { return (marks_[key] & kAppended) != 0; }

 private:
  static constexpr uint8_t kCounted = 1;
  static constexpr uint8_t kAppended = 2;

  std::shared_ptr<const Trace> trace_;
  std::string prefix_;
  std::shared_ptr<const ValuePool> values_;
  uint64_t threads_;
  std::vector<uint8_t> marks_;  // of each key
};

class TraceSource {
 public:
  // The plan must outlive the source.
  TraceSource(const TracePlan& plan, int thread);

  Request Next();
  Outcome Judge(uint16_t operation, uint64_t subject, const clients::Reply& reply) const;
  size_t operations() const { return operations_.size(); }
  std::string_view OperationName(uint16_t operation) const { return operations_[operation]->name; }

 private:
  Request Make(const TraceRequest& request);
  std::string_view Value(const TraceRequest& request);

  const TracePlan& plan_;
  const std::vector<const Operation*> operations_;
  const uint64_t thread_;
  size_t next_ = 0;  // of the trace's requests
  size_t position_;  // in the values
  std::string key_;
  std::string value_;
  std::array<char, 20> ttl_ = {};
  std::array<std::string_view, 6> arguments_;
};

static_assert(RequestSource<TraceSource>);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_TRACE_SOURCE_H_
