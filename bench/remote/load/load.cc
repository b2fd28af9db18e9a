#include "bench/remote/load/load.h"

#include <algorithm>
#include <string>

#include "bench/remote/load/suites.h"
#include "fmt/format.h"
#include "kv/base/status.h"

namespace bench::remote {
namespace {

constexpr uint64_t kStructures = 1000;  // of each kind, with 100 elements

// The operations of the data-structure benchmark on one kind of structure.
const std::vector<Step>& StringSteps() {
  static const std::vector<Step> steps = {{.share = 1, .operation = "GET", .reads = true},
                                          {.share = 1, .operation = "SET"}};
  return steps;
}

const std::vector<Step>& ListSteps() {
  static const std::vector<Step> steps = {{.share = 1, .operation = "LRANGE_10", .reads = true},
                                          {.share = 1, .operation = "LINDEX", .reads = true},
                                          {.share = 1, .operation = "LLEN", .reads = true},
                                          {.share = 1, .operation = "LPUSH", .undo = "RPOP"},
                                          {.share = 1, .operation = "RPUSH", .undo = "LPOP"},
                                          {.share = 1, .operation = "LPUSH", .undo = "LPOP"},
                                          {.share = 1, .operation = "RPUSH", .undo = "RPOP"}};
  return steps;
}

const std::vector<Step>& HashSteps() {
  static const std::vector<Step> steps = {{.share = 1, .operation = "HGET", .reads = true},
                                          {.share = 1, .operation = "HMGET_10", .reads = true},
                                          {.share = 1, .operation = "HGETALL", .reads = true},
                                          {.share = 1, .operation = "HLEN", .reads = true},
                                          {.share = 2, .operation = "HSET", .undo = "HDEL"},
                                          {.share = 1, .operation = "HSET_5"}};
  return steps;
}

const std::vector<Step>& SetSteps() {
  static const std::vector<Step> steps = {{.share = 1, .operation = "SMEMBERS", .reads = true},
                                          {.share = 1, .operation = "SISMEMBER", .reads = true},
                                          {.share = 1, .operation = "SCARD", .reads = true},
                                          {.share = 1, .operation = "SADD", .undo = "SREM"}};
  return steps;
}

const std::vector<Step>& SortedSetSteps() {
  static const std::vector<Step> steps = {{.share = 1, .operation = "ZRANGE_10", .reads = true},
                                          {.share = 1, .operation = "ZREVRANGE_10", .reads = true},
                                          {.share = 1, .operation = "ZCARD", .reads = true},
                                          {.share = 1, .operation = "ZSCORE", .reads = true},
                                          {.share = 2, .operation = "ZADD", .undo = "ZREM"},
                                          {.share = 1, .operation = "ZINCRBY"}};
  return steps;
}

// Each kind gets as many reads and as many writes as each other.
std::vector<Step> AllStructures() {
  std::vector<Step> all;
  for (const auto* const steps :
       {&StringSteps(), &ListSteps(), &HashSteps(), &SetSteps(), &SortedSetSteps()}) {
    double reads = 0;
    double writes = 0;
    for (const Step& step : *steps) (step.reads ? reads : writes) += step.share;
    for (Step step : *steps) {
      step.share /= step.reads ? reads : writes;
      all.push_back(step);
    }
  }
  return all;
}

std::vector<Load> Basics() {
  const auto structure = [](std::string_view name, std::string_view description,
                            std::vector<Step> steps) {
    return Load{.name = name,
                .description = description,
                .steps = std::move(steps),
                .keys = kStructures,
                .read_ratio = 0.8};
  };
  return {
      {.name = "getset",
       .description = "GET and SET of strings, 80 % reads unless told otherwise; no other type, "
                      "nothing expires",
       .steps = StringSteps(),
       .read_ratio = 0.8},
      {.name = "string",
       .description = "the data-structure benchmark's GET and SET; one type, one size of data",
       .steps = StringSteps(),
       .read_ratio = 0.8},
      structure("list",
                "LRANGE of 10, LINDEX, LLEN; LPUSH, RPUSH, LPOP, RPOP, as many pops as pushes; "
                "no growth, no blocking pops",
                ListSteps()),
      structure("hash",
                "HGET, HMGET of 10, HGETALL, HLEN; HSET, HSET of 5 fields, HDEL of fields that "
                "were added; no growth, no field expires",
                HashSteps()),
      structure("set",
                "SMEMBERS, SISMEMBER, SCARD; SADD, SREM of members that were added; no growth, "
                "no operations on several sets",
                SetSteps()),
      structure("zset",
                "ZRANGE and ZREVRANGE of 10, ZCARD, ZSCORE; ZADD, ZREM of members that were "
                "added, ZINCRBY; no growth, no ranges by score",
                SortedSetSteps()),
      structure("structures",
                "string, list, hash, set and zset in equal parts; one mix says little about any "
                "single type (see the operations' own rows)",
                AllStructures()),
  };
}

std::vector<Load> Build() {
  std::vector<Load> all = Basics();
  for (auto* const suite : {&RedisBenchmarkLoads, &YcsbLoads, &TwitterLoads}) {
    for (Load& load : suite()) all.push_back(std::move(load));
  }
  all.push_back({.name = "replay",
                 .description = "recorded requests of a Twitter or block trace, or of MONITOR; "
                                "values are made up where the record has only sizes",
                 .replays = true});
  return all;
}

}  // namespace

std::span<const Load> Loads() {
  static const std::vector<Load> all = Build();
  return all;
}

const Load* FindLoad(std::string_view name) {
  const auto all = Loads();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Load& load) { return load.name == name; });
  return found == all.end() ? nullptr : &*found;
}

absl::StatusOr<std::vector<const Load*>> ExpandLoads(std::span<const std::string> names) {
  std::vector<const Load*> loads;
  for (const std::string& name : names) {
    const Load* const load = FindLoad(name);
    if (load == nullptr) return kv::Invalid(fmt::format("there is no load \"{}\"", name));
    if (load->rows.empty()) loads.push_back(load);
    for (const std::string_view row : load->rows) loads.push_back(FindLoad(row));
  }
  return loads;
}

}  // namespace bench::remote
