#include "bench/remote/drive/tally.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "clients/errors.h"

namespace bench::remote {
namespace {

// A word of a server is short; what is longer comes from something else.
constexpr size_t kLongestWord = 40;

// What is left at the end is an interval of its own from this part of one on.
constexpr double kLeastPart = 0.1;

double Seconds(clients::Nanoseconds time) { return std::chrono::duration<double>(time).count(); }

struct MergedInterval {
  IntervalTally tally;
  std::map<uint16_t, uint32_t> latency;
};

void Merge(const IntervalTally& from, MergedInterval* into) {
  into->tally.answered += from.answered;
  into->tally.errors += from.errors;
  into->tally.max_nanos = std::max(into->tally.max_nanos, from.max_nanos);
  for (const auto& [bucket, count] : from.latency) into->latency[bucket] += count;
}

std::vector<Interval> MergeIntervals(std::span<ThreadResult* const> threads, double seconds,
                                     double interval_seconds) {
  // As many as there are in the run; a short rest at the end joins the one before.
  const double exact = seconds / interval_seconds;
  const double whole = std::max(1.0, std::floor(exact + 1 - kLeastPart));
  std::vector<MergedInterval> merged(static_cast<size_t>(whole));
  for (ThreadResult* const thread : threads) {
    for (const IntervalTally& one : thread->tally.intervals()) {
      // Losses may be told behind the last reply.
      Merge(one, &merged[std::min<size_t>(one.number, merged.size() - 1)]);
    }
  }
  std::vector<Interval> intervals;
  for (size_t i = 0; i < merged.size(); ++i) {
    const IntervalBuckets::Packed latency(merged[i].latency.begin(), merged[i].latency.end());
    const double begin = static_cast<double>(i) * interval_seconds;
    const bool is_last = i + 1 == merged.size();
    const uint64_t most = merged[i].tally.max_nanos;
    intervals.push_back({.begin_seconds = begin,
                         .seconds = is_last ? std::max(0.0, seconds - begin) : interval_seconds,
                         .answered = merged[i].tally.answered,
                         .errors = merged[i].tally.errors,
                         .p50_nanos = std::min(most, IntervalBuckets::Percentile(latency, 50)),
                         .p99_nanos = std::min(most, IntervalBuckets::Percentile(latency, 99)),
                         .max_nanos = most});
  }
  return intervals;
}

}  // namespace

uint64_t IntervalBuckets::Middle(size_t index) {
  if (index < 2 * kPerOctave) return index;
  const size_t shift = index / kPerOctave - 1;
  const uint64_t low = static_cast<uint64_t>(index - shift * kPerOctave) << shift;
  return low + ((uint64_t{1} << shift) - 1) / 2;
}

IntervalBuckets::Packed IntervalBuckets::Pack() {
  Packed packed;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) packed.emplace_back(static_cast<uint16_t>(i), counts_[i]);
  }
  counts_.fill(0);
  return packed;
}

uint64_t IntervalBuckets::Percentile(const Packed& packed, double percent) {
  uint64_t count = 0;
  for (const auto& [bucket, in_bucket] : packed) count += in_bucket;
  const auto rank = std::max<uint64_t>(
      1, static_cast<uint64_t>(std::ceil(percent / 100 * static_cast<double>(count))));
  uint64_t seen = 0;
  for (const auto& [bucket, in_bucket] : packed) {
    seen += in_bucket;
    if (seen >= rank) return Middle(bucket);
  }
  return 0;
}

Tally::Tally(size_t operations, clients::Nanoseconds interval)
    : interval_(interval), operations_(operations) {}

void Tally::Begin(clients::Deadline run_begin) {
  run_begin_ = run_begin;
  interval_end_ = run_begin + interval_;
  last_read_at_ = run_begin;
}

void Tally::Pack() {
  if (current_.answered == 0 && current_.errors == 0) return;
  current_.latency = buckets_.Pack();
  intervals_.push_back(std::move(current_));
}

void Tally::NextInterval(clients::Deadline at) {
  Pack();
  current_ = IntervalTally();
  current_.number = static_cast<uint64_t>((at - run_begin_) / interval_);
  interval_end_ = run_begin_ + static_cast<int64_t>(current_.number + 1) * interval_;
}

void Tally::Error(uint16_t operation, std::string_view text, clients::Deadline since,
                  clients::Deadline read_at) {
  OperationResult& result = Record(operation, since, read_at);
  ++result.errors;
  ++current_.errors;
  const std::string_view word = text.substr(0, text.find(' '));
  const auto known = error_words_.find(word);
  if (known != error_words_.end()) {
    ++known->second;
  } else {
    ++error_words_[clients::Printable(word, kLongestWord)];
  }
}

void Tally::Lost(uint16_t operation, clients::Deadline at) {
  if (at >= interval_end_) NextInterval(at);
  ++operations_[operation].lost;
  ++current_.errors;
}

void Tally::Finish() {
  Pack();
  current_ = IntervalTally();
}

absl::StatusOr<DriveResult> MergeResults(std::span<ThreadResult* const> threads,
                                         const std::vector<std::string>& operations,
                                         clients::Deadline run_begin, double interval_seconds) {
  DriveResult result;
  result.threads = static_cast<int>(threads.size());
  result.operations.resize(operations.size());
  for (size_t i = 0; i < operations.size(); ++i) result.operations[i].name = operations[i];
  clients::Deadline last_read_at = run_begin;
  for (ThreadResult* const thread : threads) {
    if (!thread->failure.ok()) return thread->failure;
    for (size_t i = 0; i < operations.size(); ++i) {
      result.operations[i].Add(thread->tally.operations()[i]);
    }
    for (const auto& [word, count] : thread->tally.error_words()) result.error_words[word] += count;
    for (const auto& [why, count] : thread->tally.lost_reasons()) result.lost_reasons[why] += count;
    result.reconnections += thread->reconnections;
    result.redirections += thread->redirections;
    result.sent_bytes += thread->sent_bytes;
    result.received_bytes += thread->received_bytes;
    result.cpu_seconds += thread->cpu_seconds;
    result.spun_seconds += thread->spun_seconds;
    if (thread->wall_seconds > 0) {
      result.busiest_thread_share =
          std::max(result.busiest_thread_share, thread->cpu_seconds / thread->wall_seconds);
    }
    result.planned += thread->planned;
    result.sent_late += thread->sent_late;
    result.worst_slip_nanos = std::max(result.worst_slip_nanos, thread->worst_slip_nanos);
    last_read_at = std::max(last_read_at, thread->tally.last_read_at());
  }
  result.seconds = Seconds(last_read_at - run_begin);
  result.intervals = MergeIntervals(threads, result.seconds, interval_seconds);
  return result;
}

}  // namespace bench::remote
