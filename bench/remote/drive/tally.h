// What one driving thread counts: per operation, per interval, errors by word; and how the counts
// of all threads become one result.
//
// An interval keeps a histogram of its own, of buckets 1/64 wide, which is packed when the next
// interval begins: an hour of seconds takes some megabytes. Threads share nothing while they
// count; intervals are brought together at the end, by their numbers.
//
// Thread safety: none; each thread has its own. Complexity: constant for each reply, without
// allocation except for the first error of a kind.
#ifndef BENCH_REMOTE_DRIVE_TALLY_H_
#define BENCH_REMOTE_DRIVE_TALLY_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/remote/drive/drive.h"
#include "bench/remote/drive/request.h"
#include "clients/deadline.h"
#include "kv/base/histogram.h"

namespace bench::remote {

// Counts of nanoseconds, each within 1/128 of what it stands for.
class IntervalBuckets {
 public:
  using Packed = std::vector<std::pair<uint16_t, uint32_t>>;  // bucket and count, in order

  void Record(uint64_t nanos) { ++counts_[Index(nanos)]; }
  // What was counted; nothing is then.
  Packed Pack();
  // The value that `percent` of those in `packed` do not exceed.
  static uint64_t Percentile(const Packed& packed, double percent);

 private:
  static constexpr unsigned kExactBits = 7;
  static constexpr size_t kPerOctave = size_t{1} << (kExactBits - 1);
  static constexpr uint64_t kMost = kv::Histogram::kMaxNanos;

  static constexpr size_t Index(uint64_t nanos) {
    nanos = nanos < kMost ? nanos : kMost;
    const auto width = static_cast<unsigned>(std::bit_width(nanos));
    const unsigned shift = width > kExactBits ? width - kExactBits : 0;
    return shift * kPerOctave + static_cast<size_t>(nanos >> shift);
  }
  static uint64_t Middle(size_t index);

  std::array<uint32_t, (std::bit_width(kMost) - kExactBits + 2) * kPerOctave> counts_{};
};

// One interval of one thread.
struct IntervalTally {
  uint64_t number = 0;  // since the run began
  uint64_t answered = 0;
  uint64_t errors = 0;
  uint64_t max_nanos = 0;
  IntervalBuckets::Packed latency;
};

class Tally {
 public:
  Tally(size_t operations, clients::Nanoseconds interval);

  // The warm-up is over at `run_begin`. Nothing from before is counted, which the caller sees to.
  void Begin(clients::Deadline run_begin);

  void Answered(uint16_t operation, Outcome outcome, clients::Deadline since,
                clients::Deadline read_at) {
    OperationResult& result = Record(operation, since, read_at);
    switch (outcome) {
      case Outcome::kDone:
        break;
      case Outcome::kHit:
        ++result.hits;
        break;
      case Outcome::kMiss:
        ++result.misses;
        break;
      case Outcome::kWrongReply:
        ++result.wrong_replies;
        ++current_.errors;
        break;
    }
  }
  void Error(uint16_t operation, std::string_view text, clients::Deadline since,
             clients::Deadline read_at);
  void Lost(uint16_t operation, clients::Deadline at);
  void LostConnection(const std::string& why) { ++lost_reasons_[why]; }

  // Behind the last of them.
  void Finish();

  const std::vector<OperationResult>& operations() const { return operations_; }
  const std::vector<IntervalTally>& intervals() const { return intervals_; }
  const std::map<std::string, uint64_t, std::less<>>& error_words() const { return error_words_; }
  const std::map<std::string, uint64_t>& lost_reasons() const { return lost_reasons_; }
  // When the last reply was read that is counted; `run_begin` where none is.
  clients::Deadline last_read_at() const { return last_read_at_; }

 private:
  OperationResult& Record(uint16_t operation, clients::Deadline since, clients::Deadline read_at) {
    const auto latency = (read_at - since).count();
    const uint64_t nanos = latency > 0 ? static_cast<uint64_t>(latency) : 0;
    if (read_at >= interval_end_) [[unlikely]]
      NextInterval(read_at);
    last_read_at_ = read_at;
    ++current_.answered;
    if (nanos > current_.max_nanos) current_.max_nanos = nanos;
    buckets_.Record(nanos);
    OperationResult& result = operations_[operation];
    ++result.answered;
    result.latency->Record(nanos);
    return result;
  }
  void NextInterval(clients::Deadline at);
  void Pack();

  const clients::Nanoseconds interval_;
  std::vector<OperationResult> operations_;
  clients::Deadline run_begin_;
  clients::Deadline interval_end_;
  clients::Deadline last_read_at_;
  IntervalTally current_;
  IntervalBuckets buckets_;
  std::vector<IntervalTally> intervals_;  // those that are over
  std::map<std::string, uint64_t, std::less<>> error_words_;
  std::map<std::string, uint64_t> lost_reasons_;
};

// What one thread has found at its end.
struct ThreadResult {
  ThreadResult(size_t operations, clients::Nanoseconds interval) : tally(operations, interval) {}

  absl::Status failure;  // for which the run ended early
  Tally tally;
  uint64_t reconnections = 0;
  uint64_t redirections = 0;
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
  double cpu_seconds = 0;   // of the run, spinning left out
  double spun_seconds = 0;  // waiting for planned times
  double wall_seconds = 0;  // of the run
  uint64_t planned = 0;
  uint64_t sent_late = 0;
  uint64_t worst_slip_nanos = 0;
};

// All threads together. An error: the first failure of a thread.
absl::StatusOr<DriveResult> MergeResults(std::span<ThreadResult* const> threads,
                                         const std::vector<std::string>& operations,
                                         clients::Deadline run_begin, double interval_seconds);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_DRIVE_TALLY_H_
