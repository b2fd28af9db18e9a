// ExpiryForecast: how many bytes of live records have expired by now, without looking at them: the
// sum of bytes for each span of about four seconds in which records expire.
//
// A span counts as expired once all of it has passed, so the answer lags by one span. Records that
// are overwritten or deleted before are taken off again.
//
// Thread safety: one thread at a time. Cost: O(log spans), and spans are at most the live records
// that expire.
#ifndef ENGINES_MEMORY_EXPIRY_FORECAST_H_
#define ENGINES_MEMORY_EXPIRY_FORECAST_H_

#include <cstdint>
#include <map>

namespace kv::memory_internal {

class ExpiryForecast {
 public:
  // A record that expires then (Unix milliseconds). False if its span is over: it counts as
  // expired.
  bool Add(uint64_t expires_at, uint64_t bytes) {
    const uint64_t span = SpanOf(expires_at);
    if (span < passed_) return false;
    spans_[span] += bytes;
    return true;
  }

  // The record is gone for another reason. False if it was counted as expired before.
  bool Remove(uint64_t expires_at, uint64_t bytes) {
    const uint64_t span = SpanOf(expires_at);
    if (span < passed_) return false;
    const auto at = spans_.find(span);
    at->second -= bytes;
    if (at->second == 0) spans_.erase(at);
    return true;
  }

  bool Empty() const { return spans_.empty(); }

  // Bytes that have expired since the last call.
  uint64_t Advance(uint64_t now) {
    const uint64_t span = SpanOf(now);
    if (span <= passed_) return 0;
    passed_ = span;
    uint64_t bytes = 0;
    while (!spans_.empty() && spans_.begin()->first < span) {
      bytes += spans_.begin()->second;
      spans_.erase(spans_.begin());
    }
    return bytes;
  }

 private:
  static uint64_t SpanOf(uint64_t unix_millis) { return unix_millis >> 12; }

  std::map<uint64_t, uint64_t> spans_;  // span -> bytes, none below passed_
  uint64_t passed_ = 0;
};

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_EXPIRY_FORECAST_H_
