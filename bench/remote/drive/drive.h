// What a driver is told and what it gives back: plain values, which reports and checks of validity
// read without knowing how they came about.
#ifndef BENCH_REMOTE_DRIVE_DRIVE_H_
#define BENCH_REMOTE_DRIVE_DRIVE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/remote/drive/schedule.h"
#include "clients/dialer.h"
#include "kv/base/histogram.h"

namespace bench::remote {

struct DrivePlan {
  clients::ConnectOptions server;
  int threads = 1;
  int connections = 50;  // of all threads together
  int pipeline = 1;      // requests in flight on each connection, at most
  Schedule schedule;
  double warmup_seconds = 0;  // sent but not counted
  // Whichever ends first; 0: no such limit. Without both the run ends with its sources.
  double seconds = 0;
  uint64_t requests = 0;
  double interval_seconds = 1;                // of DriveResult::intervals
  std::atomic<uint64_t>* progress = nullptr;  // requests answered so far; may be null
  const std::atomic<bool>* stop = nullptr;    // ends the run early; may be null
};

// Of one operation of the load, from the end of the warm-up on.
struct OperationResult {
  std::string name;
  // Nanoseconds from the planned time of sending (open loop) or from the handing over to the
  // connection (closed loop) to the moment at which the reply was read.
  std::unique_ptr<kv::Histogram> latency = std::make_unique<kv::Histogram>();
  uint64_t answered = 0;  // errors included
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t wrong_replies = 0;
  uint64_t errors = 0;  // error replies
  uint64_t lost = 0;    // never answered: their connection was lost or timed out

  uint64_t failed() const { return errors + wrong_replies + lost; }

  // What `other` has, on top of this. The name stays.
  void Add(const OperationResult& other);
};

// One stretch of the run, of all operations.
struct Interval {
  double begin_seconds = 0;  // since the end of the warm-up
  double seconds = 0;
  uint64_t answered = 0;
  uint64_t errors = 0;  // error replies, wrong replies and lost requests
  uint64_t p50_nanos = 0;
  uint64_t p99_nanos = 0;
  uint64_t max_nanos = 0;
};

struct DriveResult {
  double seconds = 0;  // end of the warm-up to the last reply
  std::vector<OperationResult> operations;
  std::vector<Interval> intervals;
  std::map<std::string, uint64_t>
      error_words;  // "OOM", "READONLY", ...: error replies by first word
  std::map<std::string, uint64_t> lost_reasons;  // why connections were lost, each message once
  uint64_t reconnections = 0;
  uint64_t redirections = 0;  // MOVED and ASK of a cluster, each answered in the end
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
  // Of the threads that drive.
  int threads = 1;
  double cpu_seconds = 0;           // spinning left out
  double spun_seconds = 0;          // open loop: a core kept awake for the next planned time
  double busiest_thread_share = 0;  // CPU time over wall time of the busiest, 0..1
  // Open loop: how far sending was behind the plan.
  uint64_t planned = 0;
  uint64_t sent_late = 0;  // over a millisecond late through the generator's own fault
  uint64_t worst_slip_nanos = 0;
};

// All operations together, without a name.
OperationResult TotalOf(const DriveResult& result);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DRIVE_DRIVE_H_
