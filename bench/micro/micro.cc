#include "bench/micro/micro.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "bench/run.h"
#include "bench/text.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"

namespace bench {
namespace {

using Json = nlohmann::json;

int Fail(int status, const std::string& message) {
  fmt::print(stderr, "error: {}\n", message);
  return status;
}

// Flags by name, with their defaults; false and the first unknown one otherwise.
bool Parse(int argc, const char* const* argv, std::map<std::string, std::string>* flags,
           std::string* unknown) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const auto flag = flags->find(name);
    if (flag == flags->end() || equals == std::string::npos) {
      *unknown = argument;
      return false;
    }
    flag->second = argument.substr(equals + 1);
  }
  return true;
}

Json RowOf(const MicroCase& one, int threads, const MicroResult& result) {
  const auto operations = static_cast<double>(result.operations);
  Json row = {{"name", fmt::format("{}/{}/threads:{}", one.system, one.workload, threads)},
              {"run_type", "iteration"},
              {"threads", threads},
              {"ops", operations},
              {"seconds", result.seconds},
              {"items_per_second", operations / result.seconds}};
  if (result.nanos.Count() > 0) {
    for (const auto& [name, percent] :
         {std::pair{"p50_ns", 50.0}, {"p99_ns", 99.0}, {"p99.9_ns", 99.9}, {"max_ns", 100.0}}) {
      row[name] = result.nanos.Percentile(percent);
    }
  }
  return row;
}

}  // namespace

int RunMicro(int argc, const char* const* argv, const std::vector<MicroCase>& cases) {
  if (argc > 1 && std::string(argv[argc - 1]) == "--list") {
    for (const auto& one : cases) {
      fmt::print("{:<14} {:<18} {}\n", one.workload, one.system, one.description);
    }
    return 0;
  }
  std::map<std::string, std::string> flags = {
      {"--system", ""}, {"--workloads", ""}, {"--threads", "1"}, {"--num", "10k"},
      {"--seed", "42"}, {"--dir", ""},       {"--json", ""},     {"--duration", "0s"},
  };
  std::string unknown;
  if (!Parse(argc, argv, &flags, &unknown)) return Fail(2, "unknown flag: " + unknown);
  const auto num = ParseCount(flags["--num"]);
  const auto seed = ParseCount(flags["--seed"]);
  const auto seconds = ParseSeconds(flags["--duration"]);
  if (!num || *num == 0 || !seed || !seconds) {
    return Fail(2, "--num, --seed or --duration is not valid");
  }
  if (flags["--dir"].empty()) return Fail(2, "--dir is needed");
  std::filesystem::create_directories(flags["--dir"]);

  const BuildInfo build = ThisBuild("opt");
  Json report = {{"context",
                  {{"composition", flags["--system"]},
                   {"compiler", build.compiler},
                   {"build", build.flags},
                   {"num", std::to_string(*num)}}},
                 {"benchmarks", Json::array()}};
  for (const std::string& count : SplitList(flags["--threads"])) {
    const auto threads = ParseCount(count);
    if (!threads || *threads == 0 || *threads > 1024) return Fail(2, "--threads is not valid");
    for (const std::string& workload : SplitList(flags["--workloads"])) {
      const auto one = std::find_if(cases.begin(), cases.end(), [&](const auto& some) {
        return some.workload == workload && some.system == flags["--system"];
      });
      if (one == cases.end()) {
        return Fail(2, fmt::format("no case {} of {} (--list)", workload, flags["--system"]));
      }
      const auto result = one->run({.threads = static_cast<int>(*threads),
                                    .num = *num,
                                    .seconds = *seconds,
                                    .seed = *seed,
                                    .directory = flags["--dir"]});
      if (!result.ok()) return Fail(1, result.status().ToString());
      report["benchmarks"].push_back(RowOf(*one, static_cast<int>(*threads), *result));
    }
  }
  if (!flags["--json"].empty()) std::ofstream(flags["--json"]) << report.dump(1) << "\n";
  for (const Json& row : report["benchmarks"]) {
    fmt::print("{:<44} {:>14.0f} operations/s\n", row["name"].get<std::string>(),
               row["items_per_second"].get<double>());
  }
  return 0;
}

}  // namespace bench
