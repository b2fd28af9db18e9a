#include "bench/row_context.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace bench {
namespace {

nlohmann::json Complete() {
  return {{"context",
           {{"num", "1000"},
            {"key_size", "16"},
            {"value_size", "100"},
            {"memtable_bytes", "33554432"},
            {"cache_bytes", "0"},
            {"load", "closed loop"},
            {"composition", "memory"},
            {"descriptor", "{}"},
            {"compiler", "a compiler"},
            {"cpu_model", "a processor"},
            {"seed", "1"}}},
          {"benchmarks",
           {{{"name", "readrandom"},
             {"ops", 1000},
             {"items_per_second", 1e6},
             {"p50_ns", 100},
             {"p99_ns", 200},
             {"p99.9_ns", 300},
             {"gen_ns", 10}}}}};
}

TEST(Defect08FiguresWithoutTheirSizes, TakesCompleteFigures) {
  EXPECT_EQ(Defect08FiguresWithoutTheirSizes(Complete()), std::vector<std::string>());
}

TEST(Defect08FiguresWithoutTheirSizes, RefusesFiguresThatLeaveOneOut) {
  const nlohmann::json complete = Complete();
  for (const auto& [name, value] : complete["context"].items()) {
    nlohmann::json figures = complete;
    figures["context"].erase(name);
    EXPECT_EQ(Defect08FiguresWithoutTheirSizes(figures),
              std::vector<std::string>{"the context has no " + name});
  }
  for (const auto& [name, value] : complete["benchmarks"][0].items()) {
    if (name == "name") continue;
    nlohmann::json figures = complete;
    figures["benchmarks"][0].erase(name);
    EXPECT_EQ(Defect08FiguresWithoutTheirSizes(figures),
              std::vector<std::string>{"readrandom has no " + name});
  }
}

TEST(Defect08FiguresWithoutTheirSizes, RefusesNothingAtAll) {
  EXPECT_FALSE(Defect08FiguresWithoutTheirSizes(nlohmann::json::object()).empty());
  nlohmann::json no_rows = Complete();
  no_rows["benchmarks"].clear();
  EXPECT_EQ(Defect08FiguresWithoutTheirSizes(no_rows),
            std::vector<std::string>{"there are no rows"});
}

}  // namespace
}  // namespace bench
