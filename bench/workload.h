// Workloads as data: what is done, to which keys, how large, on which store. A workload knows no
// engine; adding one is a row in workload.cc.
//
// Definitions: db_bench's list (RocksDB, LevelDB), YCSB core A-F (B. Cooper et al., "Benchmarking
// cloud serving systems with YCSB", SoCC 2010), the Twitter cache clusters (twitter_profiles.h).
#ifndef BENCH_WORKLOAD_H_
#define BENCH_WORKLOAD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bench/operation.h"
#include "bench/twitter_profiles.h"

namespace bench {

// Whose keys and records a workload uses; workloads of one layout share a store.
enum class Layout : uint8_t {
  kDbBench,
  kYcsb,
  kTwitter,   // of one cluster
  kCounters,  // a few counters beside whatever the store holds
  kPrefixed,  // keys whose first bytes select a fifth, a hundredth or a thousandth of them
  kPaths,     // keys that share their first 40 bytes
};

enum class KeyChoice : uint8_t {
  kNone,
  kSequential,     // 0, 1, 2, ...
  kPermutation,    // each number once, in random order
  kUniform,        // random % N
  kHot,            // random % ceil(N / 100)
  kZipfScrambled,  // YCSB "zipfian"
  kLatest,         // YCSB "latest"
  kZipfRank,       // the rank itself, spread over the key space by a bijection
  kSeries,         // each of 1000 series in turn, each time its next number
  kFollowing,      // 0, 1, 2, ..., each number kFollowers times, N / 32 others in between
};

enum class StoreUse : uint8_t {
  kFresh,     // starts with an empty store and leaves its data
  kExisting,  // needs data: preloads it when there is none
  kAny,       // runs on whatever is there
};

struct MixEntry {
  OperationKind kind = OperationKind::kGet;
  double share = 0;
};

struct Workload {
  std::string_view name;
  std::string_view description;  // one line, which says what it does not measure
  Layout layout = Layout::kDbBench;
  StoreUse store = StoreUse::kExisting;
  KeyChoice keys = KeyChoice::kUniform;
  std::array<MixEntry, 6> mix = {};  // shares sum to 1; unused entries are 0
  // The mix is a fixed cycle of 100 operations, first entry first, instead of random draws.
  bool cycle = false;
  bool insert_new_keys = false;  // kPut goes to keys that were not there (YCSB insert)
  bool missing_keys = false;     // keys one byte longer than any stored
  bool removes = false;          // leaves a store that reads should not reuse
  uint32_t ttl_millis = 0;       // from each put until its record expires; 0: never
  bool background_writer = false;
  uint32_t operations_divisor = 1;
  uint32_t batch = 0;         // operations a batch; 0: --batch_size where the kind takes one
  uint32_t value_bytes = 0;   // 0: --value_size
  uint32_t prefix_bytes = 7;  // of the keys that kCount counts
  uint32_t scan_minimum = 0;
  uint32_t scan_maximum = 0;
  double zipf_theta = 0.99;
  const TwitterProfile* profile = nullptr;

  bool NeedsOrder() const;
  bool Writes() const;
};

inline constexpr uint32_t kYcsbFields = 10;
inline constexpr uint32_t kYcsbFieldBytes = 100;
inline constexpr uint32_t kYcsbRecordBytes = kYcsbFields * kYcsbFieldBytes;
inline constexpr uint64_t kCounters = 100;
inline constexpr uint64_t kSeries = 1000;
inline constexpr uint64_t kFollowers = 3;

// Every workload, in the order of --list.
std::span<const Workload> Workloads();

// nullptr when there is none of that name.
const Workload* FindWorkload(std::string_view name);

// What fills a store for workloads of `workload`'s layout; not in Workloads().
Workload PreloadFor(const Workload& workload);

// Empty when the workload can run; else why not, in one sentence.
std::string Refusal(const Workload& workload, bool theta_given);

}  // namespace bench

#endif  // BENCH_WORKLOAD_H_
