#include "bench/remote/json.h"

#include <utility>

#include "clients/local/process.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

OperationResult Operation(const char* name, uint64_t count) {
  OperationResult operation;
  operation.name = name;
  operation.latency->Record(1000, count);
  operation.answered = count;
  return operation;
}

RowResult Measured() {
  RowResult result;
  result.row = {.load = "getset", .threads = 2, .connections = 10};
  result.drive.seconds = 2;
  result.drive.operations.push_back(Operation("GET", 300));
  result.drive.operations.push_back(Operation("SET", 100));
  result.drive.intervals = {{.begin_seconds = 0, .seconds = 1, .answered = 150},
                            {.begin_seconds = 1, .seconds = 1, .answered = 250, .errors = 3}};
  result.samples = {{.at_seconds = 0.5, .nodes = 1, .used_memory = 100, .rss = 200}};
  return result;
}

TEST(Json, IsInTheFormOfGoogleBenchmark) {
  JsonReport report("remote", "redis");
  report.AddContext({{"seed", "42"}, {"url", "redis://127.0.0.1:1"}});
  report.Add(Measured(), 3);
  const auto document = report.Document();
  for (const char* name : {"date", "host_name", "executable", "num_cpus", "invalid"}) {
    EXPECT_TRUE(document["context"].contains(name)) << name;
  }
  EXPECT_EQ(document["context"]["seed"], "42");
  EXPECT_TRUE(document["context"]["invalid"].empty());
  ASSERT_EQ(document["benchmarks"].size(), 3u);
  const auto& row = document["benchmarks"][0];
  EXPECT_EQ(row["name"], "redis/getset/connections:10");
  EXPECT_EQ(row["run_type"], "iteration");
  EXPECT_EQ(row["threads"], 2);
  EXPECT_EQ(row["repetitions"], 3);
  EXPECT_EQ(row["repetition_index"], 0);
  EXPECT_EQ(row["iterations"], 400);
  EXPECT_EQ(row["real_time"], 5e6);
  EXPECT_EQ(row["time_unit"], "ns");
  for (const char* name :
       {"items_per_second", "ops", "p50_ns", "p90_ns", "p99_ns", "p999_ns", "p9999_ns", "max_ns",
        "errors", "hits", "misses", "generator_cpu_ns_per_op", "valid"}) {
    EXPECT_TRUE(row[name].is_number()) << name;
  }
  EXPECT_EQ(document["benchmarks"][1]["name"], "redis/getset/GET/connections:10");
  EXPECT_EQ(document["benchmarks"][2]["name"], "redis/getset/SET/connections:10");
  EXPECT_EQ(document["benchmarks"][2]["ops"], 100);
}

TEST(Json, OneOperationHasNoRowOfItsOwn) {
  JsonReport report("remote", "redis");
  RowResult result = Measured();
  result.drive.operations.pop_back();
  report.Add(result, 1);
  EXPECT_EQ(report.Document()["benchmarks"].size(), 1u);
}

TEST(Json, SaysWhyARowIsInvalid) {
  JsonReport report("remote", "redis");
  RowResult result = Measured();
  result.invalid = {"late", "later"};
  report.Add(result, 1);
  const auto document = report.Document();
  EXPECT_EQ(document["benchmarks"][0]["valid"], 0);
  EXPECT_EQ(document["context"]["invalid"]["redis/getset/connections:10"],
            (nlohmann::json{"late", "later"}));
}

TEST(Json, ARowThatCouldNotBeRunHasNoFigures) {
  JsonReport report("remote", "redis");
  report.AddFailure({.load = "getset"}, "refused");
  const auto row = report.Document()["benchmarks"][0];
  EXPECT_EQ(row["name"], "redis/getset/connections:50");
  EXPECT_EQ(row["error_occurred"], true);
  EXPECT_EQ(row["error_message"], "refused");
  EXPECT_FALSE(row.contains("ops"));
}

TEST(Json, SeriesAreOnOneClock) {
  JsonReport report("remote", "redis");
  RowResult result = Measured();
  result.before = InfoSampler::Snapshot{};
  result.after = InfoSampler::Snapshot{};
  result.after->commands["get"] = {300, 600, 0, 0};
  result.after->latencies["get"] = {1, 2, 3};
  report.Add(result, 1);
  const auto series = report.Document()["series"][0];
  ASSERT_EQ(series["intervals"].size(), 2u);
  EXPECT_EQ(series["intervals"][1]["begin_seconds"], 1);
  EXPECT_EQ(series["intervals"][1]["errors"], 3);
  EXPECT_EQ(series["server"][0]["at_seconds"], 0.5);
  EXPECT_EQ(series["server"][0]["fragmentation"], 2);
  EXPECT_EQ(series["commands"]["get"]["calls"], 300);
  EXPECT_EQ(series["latencies"]["get"]["p999_us"], 3);
}

TEST(Json, IsWrittenWhateverTheServerSent) {
  const clients::local::TemporaryDirectory directory;
  JsonReport report("remote", "redis");
  RowResult result = Measured();
  result.drive.error_words["\xff\xfe"] = 1;
  report.Add(result, 1);
  const std::string path = directory.path() + "/out.json";
  ASSERT_TRUE(report.Write(path).ok());
  EXPECT_TRUE(nlohmann::json::accept(clients::local::ReadFile(path)));
  const absl::Status status = report.Write(directory.path() + "/absent/out.json");
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.ToString().find("absent/out.json"), std::string::npos);
}

}  // namespace
}  // namespace bench::remote
