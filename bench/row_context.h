// What a bench must say besides its figures, so that they can be judged: the size of the data, of
// the caches that hold some of it, the percentiles and how the load was made. A figure that leaves
// one out is Defect08 of docs/defects.md: a read rate of a store that never left its memtable,
// means of latencies that a closed loop had smoothed.
#ifndef BENCH_ROW_CONTEXT_H_
#define BENCH_ROW_CONTEXT_H_

#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace bench {

// What the JSON that a bench writes leaves out, as "the context has no num" or
// "readrandom has no p99_ns"; empty when nothing is missing.
inline std::vector<std::string> Defect08FiguresWithoutTheirSizes(const nlohmann::json& figures) {
  std::vector<std::string> missing;
  const auto context = figures.find("context");
  for (const char* name : {"num", "key_size", "value_size", "memtable_bytes", "cache_bytes", "load",
                           "composition", "descriptor", "compiler", "cpu_model", "seed"}) {
    if (context == figures.end() || !context->contains(name)) {
      missing.push_back(std::string("the context has no ") + name);
    }
  }
  const auto rows = figures.find("benchmarks");
  if (rows == figures.end() || rows->empty()) missing.push_back("there are no rows");
  for (const auto& row : rows == figures.end() ? nlohmann::json::array() : *rows) {
    for (const char* counter :
         {"ops", "items_per_second", "p50_ns", "p99_ns", "p99.9_ns", "gen_ns"}) {
      if (!row.contains(counter)) {
        missing.push_back(row.value("name", "a row") + " has no " + counter);
      }
    }
  }
  return missing;
}

}  // namespace bench

#endif  // BENCH_ROW_CONTEXT_H_
