// Values of flags that are more than a number: rates, bursts, lists.
//
//   rate    10000 | 10k | 1k..50k     requests a second; from one to another over the duration
//   burst   5k:1,100:9                5,000 a second for 1 s, then 100 a second for 9 s, and again
//   setting io-threads=4              of a server of one's own, as in its configuration file
//
// Thread safety: pure functions.
#ifndef BENCH_REMOTE_FLAG_VALUES_H_
#define BENCH_REMOTE_FLAG_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/remote/drive/schedule.h"

namespace bench::remote {

std::optional<Schedule> ParseRate(const std::string& text);
std::optional<Schedule> ParseBurst(const std::string& text);

// Numbers from `least` to `most`, with commas between; at least one.
std::optional<std::vector<int>> ParseNumbers(const std::string& text, uint64_t least,
                                             uint64_t most);

// A share: 0, 0.8, 1 or 80%.
std::optional<double> ParseShare(const std::string& text);

// A time over zero: 10, 500ms, 2m, 1h.
std::optional<double> ParseDuration(const std::string& text);

// {"io-threads", "4"}.
std::optional<std::vector<std::string>> ParseSetting(const std::string& text);

// "yes", "no" and their like.
std::optional<bool> ParseYes(const std::string& text);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_FLAG_VALUES_H_
