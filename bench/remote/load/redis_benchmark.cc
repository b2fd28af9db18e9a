// redis-benchmark's tests in its order, then the two that Valkey's has added, twice:
//
//   redis_*          over many keys, as with its option -r; what pops has pushed before, so that
//                    there is always something to pop
//   redis_literal_*  over the one literal key that it has without -r. Its SADD and ZADD then make
//                    one member, and all but the first SPOP and ZPOPMIN find nothing: those rows
//                    measure how fast a server says nil
//
// Values are of 3 bytes as there. The tests of a run there work on what the ones before have left;
// here each row preloads what it reads.
#include <algorithm>
#include <deque>

#include "bench/remote/load/suites.h"
#include "fmt/format.h"

namespace bench::remote {
namespace {

enum class Kind : uint8_t { kPlain, kReads, kGrows, kPops };

struct Row {
  std::string_view suffix;
  std::string_view operation;
  Kind kind = Kind::kPlain;
  std::string_view push = {};  // what a pop takes back
  uint64_t keys = 100'000;
  uint32_t elements = 100;
  uint32_t literal_elements = 1;
};

constexpr uint64_t kStructures = 1000;
// What redis-benchmark's LPUSH has left by default when its LPOP begins.
constexpr uint32_t kPushed = 100'000;

constexpr Row kRows[] = {
    {"ping_inline", "PING_INLINE"},
    {"ping_mbulk", "PING"},
    {"set", "SET"},
    {"get", "GET", Kind::kReads},
    {"incr", "INCR"},
    {"lpush", "LPUSH", Kind::kGrows, {}, kStructures},
    {"rpush", "RPUSH", Kind::kGrows, {}, kStructures},
    {"lpop", "LPOP", Kind::kPops, "LPUSH", kStructures, 100, kPushed},
    {"rpop", "RPOP", Kind::kPops, "RPUSH", kStructures, 100, kPushed},
    {"sadd", "SADD", Kind::kPlain, {}, kStructures},
    {"hset", "HSET", Kind::kPlain, {}, kStructures},
    {"spop", "SPOP", Kind::kPops, "SADD", kStructures},
    {"zadd", "ZADD", Kind::kPlain, {}, kStructures},
    {"zpopmin", "ZPOPMIN", Kind::kPops, "ZADD", kStructures},
    {"lpush_refill", "LPUSH", Kind::kGrows, {}, kStructures},
    {"lrange_100", "LRANGE_100", Kind::kReads, {}, 100, 600, 600},
    {"lrange_300", "LRANGE_300", Kind::kReads, {}, 100, 600, 600},
    {"lrange_500", "LRANGE_500", Kind::kReads, {}, 100, 600, 600},
    {"lrange_600", "LRANGE_600", Kind::kReads, {}, 100, 600, 600},
    {"mset", "MSET_10"},
    {"mget", "MGET_10", Kind::kReads},
    {"xadd", "XADD", Kind::kGrows, {}, kStructures},
};

Load ManyKeys(const Row& row, std::deque<std::string>* strings) {
  Load load = {.name = strings->emplace_back(fmt::format("redis_{}", row.suffix)),
               .keys = row.keys,
               .elements = row.elements,
               .value_sizes = {{3, 3}}};
  std::string_view omits = "one command alone, 3-byte values";
  if (row.kind == Kind::kGrows) omits = "3-byte values; its data grow as the run goes on";
  if (row.kind == Kind::kPops) {
    load.steps = {{.share = 1, .operation = row.push, .undo = row.operation}};
    load.description = strings->emplace_back(
        fmt::format("redis-benchmark's {} over many keys, with a {} for each so that there is "
                    "something to pop; its own figure is the operation's row",
                    row.operation, row.push));
  } else {
    load.steps = {{.share = 1, .operation = row.operation, .reads = row.kind == Kind::kReads}};
    load.description = strings->emplace_back(
        fmt::format("redis-benchmark's {} over many keys; {}", row.operation, omits));
  }
  return load;
}

Load LiteralKey(const Row& row, std::deque<std::string>* strings) {
  return {.name = strings->emplace_back(fmt::format("redis_literal_{}", row.suffix)),
          .description = strings->emplace_back(fmt::format(
              "redis-benchmark's {} over its one literal key{}", row.operation,
              row.kind == Kind::kPops ? ", most of which find nothing once that is popped empty"
                                      : "; a key that never leaves the processor's caches")),
          .steps = {{.share = 1,
                     .operation = row.operation,
                     .reads = row.kind == Kind::kReads || row.kind == Kind::kPops}},
          .keys = row.operation.starts_with('M') ? uint64_t{10} : uint64_t{1},
          .elements = row.literal_elements,
          .value_sizes = {{3, 3}},
          .steady_hits = row.kind != Kind::kPops};
}

}  // namespace

std::vector<Load> RedisBenchmarkLoads() {
  // Immortal, as the views into it are.
  static auto* const strings = new std::deque<std::string>;
  Load many = {.name = "redis_benchmark",
               .description =
                   "redis-benchmark's and valkey-benchmark's list, in its order, over "
                   "many keys; one command at a time, tiny values"};
  Load literal = {.name = "redis_benchmark_literal",
                  .description =
                      "the same over its one literal key of each type, as without -r; "
                      "nearly every SPOP and ZPOPMIN finds nothing"};
  std::vector<Load> loads;
  for (const Row& row : kRows) {
    loads.push_back(ManyKeys(row, strings));
    many.rows.push_back(loads.back().name);
  }
  for (const Row& row : kRows) {
    loads.push_back(LiteralKey(row, strings));
    literal.rows.push_back(loads.back().name);
  }
  // The suites stand before their rows.
  loads.insert(loads.begin(), {many, literal});
  loads.push_back({.name = "memtier",
                   .description = "memtier_benchmark's defaults: SET and GET 1:10, 32 bytes, keys "
                                  "0 to 10,000,000, no preload: mostly misses on an empty server",
                   .steps = {{.share = 1, .operation = "SET"},
                             {.share = 10, .operation = "GET", .reads = true}},
                   .keys = 10'000'000,
                   .value_sizes = {{32, 32}},
                   .preloads = false,
                   .steady_hits = false});
  return loads;
}

}  // namespace bench::remote
