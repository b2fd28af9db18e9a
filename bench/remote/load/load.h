// Loads as data: what is sent to a server, in which shares, to which keys. A load knows no
// connection; adding one is an entry in load.cc, redis_benchmark.cc or ycsb_and_twitter.cc, of
// operations that operations.cc has.
//
// Loads that change structures are balanced, so that data keep their size however long the run is:
// each push has its pop, each addition its removal (Step::undo). The ones that are not say so: they
// are redis-benchmark's rows as that has them.
//
// Definitions: redis-benchmark and valkey-benchmark (their lists of tests), memtier_benchmark (its
// defaults), YCSB core A-F (B. Cooper et al., SoCC 2010) on the tables of its Redis binding, the
// Twitter cache clusters (bench/twitter_profiles.h).
//
// Thread safety: immutable after the first call. Complexity: finding is linear in the loads.
#ifndef BENCH_REMOTE_LOAD_LOAD_H_
#define BENCH_REMOTE_LOAD_LOAD_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/remote/load/options.h"
#include "bench/twitter_profiles.h"

namespace bench::remote {

// One line of a mix. Operations by their names in operations.h.
struct Step {
  double share = 0;
  std::string_view operation;
  bool reads = false;  // of what is there, or, by the hit ratio, of what is not
  // Takes back what the operation did. Sent in turn with it, some hundred requests later, so that
  // it does not find the server's caches warm and cannot overtake; the share is of both together.
  std::string_view undo = {};
  // Sent right behind it for the same record, without waiting for the reply; not in the share.
  std::string_view then = {};
  bool adds_record = false;   // YCSB's insert: a record that was not there
  uint32_t longest_scan = 0;  // `then` is sent for each of 1..longest_scan records
};

struct Load {
  std::string_view name;
  std::string_view description;  // one line, which says what it does not measure
  std::vector<Step> steps = {};

  // What is taken where the options have nothing.
  uint64_t keys = 100'000;
  uint32_t elements = 100;
  KeyDistribution distribution = {};
  // Not by a list: GCC 12 takes the array behind it for uninitialised.
  std::vector<RangeShare> value_sizes = std::vector(1, RangeShare{.lowest = 100, .highest = 100});
  std::vector<RangeShare> ttls = {};
  double hit_ratio = 1;
  double read_ratio = -1;  // -1: the shares are what they are, and no option changes them

  // Whether PreloadSource writes what it reads. Without, it starts on the data that are there.
  bool preloads = true;
  // Whether the share of hits follows from the options. It does not where keys expire, go, or come
  // as the run goes on.
  bool steady_hits = true;
  const TwitterProfile* profile = nullptr;

  // A suite: names of the loads that it stands for, in order. It has no steps of its own.
  std::vector<std::string_view> rows = {};
  // Recorded requests (trace_source.h, monitor.h). It has no steps either.
  bool replays = false;
};

// Every load, in the order of --list.
std::span<const Load> Loads();

// nullptr when there is none of that name.
const Load* FindLoad(std::string_view name);

// The loads of these names, suites replaced by their rows. kInvalidArgument: the name that is none.
absl::StatusOr<std::vector<const Load*>> ExpandLoads(std::span<const std::string> names);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_LOAD_H_
