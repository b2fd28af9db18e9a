// Results as Google Benchmark's JSON, which its compare.py and this project's comparisons read.
//
//   context      machine, build, server, seed, and "invalid": {name of a row: [why]}
//   benchmarks   one entry a row and repetition, its figures as user counters; where a load has
//                several operations, one for each of them, with its latency
//   series       what no counter can hold, one entry a row and repetition: intervals of the run,
//   the
//                server's memory on the same clock, what the server counted by command, error words
//
// real_time and cpu_time are of one operation, in nanoseconds; cpu_time is this program's.
//
// Thread safety: none. Complexity: linear; keeps the JSON and no histogram.
#ifndef BENCH_REMOTE_JSON_H_
#define BENCH_REMOTE_JSON_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "bench/remote/row.h"
#include "nlohmann/json.hpp"

namespace bench::remote {

class JsonReport {
 public:
  // `executable` is how the program was called.
  JsonReport(std::string executable, std::string label)
      : executable_(std::move(executable)), label_(std::move(label)) {}

  void AddContext(const std::vector<std::pair<std::string, std::string>>& context);
  void Add(const RowResult& result, int repetitions);
  // An entry without figures, as Google Benchmark has it: error_occurred and error_message.
  void AddFailure(const Row& row, const std::string& why);

  // Everything so far.
  nlohmann::ordered_json Document() const;
  // kPermissionDenied and so on: the file cannot be written.
  absl::Status Write(const std::string& path) const;

 private:
  const std::string executable_;
  const std::string label_;
  nlohmann::ordered_json context_ = nlohmann::ordered_json::object();
  nlohmann::ordered_json benchmarks_ = nlohmann::ordered_json::array();
  nlohmann::ordered_json series_ = nlohmann::ordered_json::array();
  nlohmann::ordered_json invalid_ = nlohmann::ordered_json::object();
};

}  // namespace bench::remote

#endif  // BENCH_REMOTE_JSON_H_
