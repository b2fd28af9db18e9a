// What a load may be told: the values of the flags of //bench:remote, and how their texts are read.
//
//   key distribution   uniform | zipf[:theta] | latest[:theta] | sequential | hot:keys:requests
//                      hot:0.01:0.9 sends 90 % of the requests to 1 % of the keys
//   value size         100 | 100-1000 | 100:3,1000-2000:1     bytes; a range is uniform; weights
//   TTL                60 | 60-120 | 60:1,3600:2              seconds, in the same form
//
// Texts that say none of this are kInvalidArgument with what would be right.
//
// Thread safety: plain values. Complexity: linear in the texts.
#ifndef BENCH_REMOTE_LOAD_OPTIONS_H_
#define BENCH_REMOTE_LOAD_OPTIONS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/remote/load/key_file.h"

namespace bench::remote {

enum class KeyPattern : uint8_t {
  kUniform,
  kZipf,      // ranks spread over the keys by a bijection
  kYcsbZipf,  // YCSB's "zipfian": drawn over 10^10 items, hashed onto the keys
  kLatest,    // the newest key is the likeliest, after Zipf
  kSequential,
  kHot,  // some keys get most of the requests
};

struct KeyDistribution {
  KeyPattern pattern = KeyPattern::kUniform;
  double theta = 0.99;        // of Zipf's law
  double hot_keys = 0.01;     // share of the keys
  double hot_requests = 0.9;  // share of the requests
};

// Uniform between two bounds, both included, in `weight` parts of all draws.
struct RangeShare {
  uint32_t lowest = 0;
  uint32_t highest = 0;
  double weight = 1;

  friend bool operator==(const RangeShare&, const RangeShare&) = default;
};

// What is unset is as the load has it.
struct LoadOptions {
  std::string prefix = "ashlar:";    // of every key that is written or read
  std::optional<uint64_t> keys;      // of each kind of structure that the load has
  std::optional<uint32_t> elements;  // of each list, hash, set and sorted set
  std::optional<KeyDistribution> distribution;
  std::vector<RangeShare> value_sizes;  // bytes
  double compressibility = 0.5;         // 0: not at all; 0.75: to a quarter; 1: to next to nothing
  std::vector<RangeShare> ttls;         // seconds
  std::optional<double> read_ratio;     // share of the requests that read
  std::optional<double> hit_ratio;      // share of the reads that go to keys that are there
  bool cluster = false;                 // keys of one command share a slot
  std::shared_ptr<const KeyFile> key_file;  // keys, and values where it has them; may be null
  uint64_t seed = 42;
  int threads = 1;  // sources of one run, which divide what has an end
};

absl::StatusOr<KeyDistribution> ParseKeyDistribution(std::string_view text);
absl::StatusOr<std::vector<RangeShare>> ParseRanges(std::string_view text);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_OPTIONS_H_
