#include "bench/remote/row.h"

#include <utility>

#include "bench/figures.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

OperationResult Operation(const char* name, uint64_t nanos, uint64_t count) {
  OperationResult operation;
  operation.name = name;
  operation.latency->Record(nanos, count);
  operation.answered = count;
  return operation;
}

RowResult TwoOperations() {
  RowResult result;
  result.row = {.load = "getset", .connections = 10};
  result.drive.seconds = 2;
  result.drive.operations.push_back(Operation("GET", 100, 900));
  result.drive.operations.push_back(Operation("SET", 1000, 100));
  result.drive.operations[0].hits = 800;
  result.drive.operations[0].misses = 100;
  result.drive.operations[1].errors = 1;
  result.drive.operations[1].wrong_replies = 2;
  result.drive.operations[1].lost = 4;
  result.drive.cpu_seconds = 0.001;
  result.answered = 2000;
  return result;
}

double Get(const Figures& figures, std::string_view name) { return Find(figures, name, -1); }

TEST(Row, FiguresAreOfAllOperations) {
  const Figures figures = FiguresOf(TwoOperations());
  EXPECT_EQ(Get(figures, "items_per_second"), 500);
  EXPECT_EQ(Get(figures, "ops"), 1000);
  EXPECT_EQ(Get(figures, "p50_ns"), 100);
  EXPECT_EQ(Get(figures, "p90_ns"), 100);
  EXPECT_NEAR(Get(figures, "p99_ns"), 1000, 1);
  EXPECT_EQ(Get(figures, "max_ns"), 1000);
  EXPECT_EQ(Get(figures, "errors"), 7);
  EXPECT_EQ(Get(figures, "hits"), 800);
  EXPECT_EQ(Get(figures, "misses"), 100);
  EXPECT_EQ(Get(figures, "generator_cpu_ns_per_op"), 1000);
  EXPECT_EQ(Get(figures, "valid"), 1);
  EXPECT_EQ(Get(figures, "planned"), -1);               // closed loop
  EXPECT_EQ(Get(figures, "server_cpu_ns_per_op"), -1);  // nobody said
}

TEST(Row, FiguresOfOneOperation) {
  const RowResult result = TwoOperations();
  const Figures figures = FiguresOf(result.drive.operations[1], result.drive.seconds);
  EXPECT_EQ(Get(figures, "items_per_second"), 50);
  EXPECT_EQ(Get(figures, "errors"), 7);
  EXPECT_EQ(Get(figures, "lost"), 4);
  EXPECT_NEAR(Get(figures, "p50_ns"), 1000, 1);
}

TEST(Row, TheServersTimeIsOfAllThatItAnswered) {
  RowResult result = TwoOperations();
  result.before = InfoSampler::Snapshot{
      .figures = {.nodes = 1, .cpu_seconds = 10, .commands = 5, .evicted = 1}};
  result.after = InfoSampler::Snapshot{.figures = {.nodes = 1,
                                                   .used_memory = 100,
                                                   .rss = 150,
                                                   .cpu_seconds = 10.5,
                                                   .commands = 9,
                                                   .evicted = 4}};
  const Figures figures = FiguresOf(result);
  EXPECT_EQ(Get(figures, "server_cpu_ns_per_op"), 0.5e9 / 2000);
  EXPECT_EQ(Get(figures, "used_memory_bytes"), 100);
  EXPECT_EQ(Get(figures, "fragmentation"), 1.5);
  EXPECT_EQ(Get(figures, "evicted_keys"), 3);

  result.after->figures.cpu_seconds = 1;  // started anew
  EXPECT_EQ(Get(FiguresOf(result), "server_cpu_ns_per_op"), -1);
  EXPECT_EQ(Get(FiguresOf(result), "evicted_keys"), -1);
  EXPECT_EQ(Get(FiguresOf(result), "rss_bytes"), 150);
}

TEST(Row, NothingAnsweredIsNoDivisionByZero) {
  RowResult result;
  result.invalid = {"nothing was answered"};
  const Figures figures = FiguresOf(result);
  EXPECT_EQ(Get(figures, "items_per_second"), 0);
  EXPECT_EQ(Get(figures, "generator_cpu_ns_per_op"), -1);
  EXPECT_EQ(Get(figures, "valid"), 0);
}

TEST(Row, NamesTellRowsApartOnlyWhereTheyHaveTo) {
  const Schedule constant{.pace = Pace::kConstant, .rate = 10000};
  std::vector<Row> rows = {{.load = "getset"}};
  NameApart(&rows);
  EXPECT_EQ(NameOf("redis", rows[0]), "redis/getset/connections:50");
  EXPECT_EQ(NameOf("redis", rows[0], "GET"), "redis/getset/GET/connections:50");

  rows = {{.load = "getset", .pipeline = 1},
          {.load = "getset", .pipeline = 16},
          {.load = "list", .pipeline = 16, .schedule = constant}};
  NameApart(&rows);
  EXPECT_EQ(NameOf("a", rows[0]), "a/getset/connections:50/pipeline:1");
  EXPECT_EQ(NameOf("a", rows[1]), "a/getset/connections:50/pipeline:16");
  EXPECT_EQ(NameOf("a", rows[2]), "a/list/connections:50");

  rows = {{.load = "getset"}, {.load = "getset", .schedule = constant}};
  NameApart(&rows);
  EXPECT_EQ(NameOf("a", rows[0]), "a/getset/connections:50");
  EXPECT_EQ(NameOf("a", rows[1], "GET"), "a/getset/GET/connections:50/rate:10000");
}

TEST(Row, PaceInWords) {
  EXPECT_EQ(PaceText({}), "closed");
  EXPECT_EQ(PaceText({.pace = Pace::kConstant, .rate = 12345}), "12,345/s");
  EXPECT_EQ(PaceText({.pace = Pace::kConstant, .rate = 0.5}), "0.5/s");
  EXPECT_EQ(PaceText({.pace = Pace::kRamp, .rate = 10, .end_rate = 2000, .seconds = 5}),
            "10..2,000/s");
  EXPECT_EQ(PaceText({.pace = Pace::kBurst,
                      .rate = 5000,
                      .burst_seconds = 1,
                      .rest_seconds = 9,
                      .rest_rate = 100}),
            "5,000/s for 1 s, 100/s for 9 s");
  EXPECT_EQ(PaceText({.pace = Pace::kRecorded}), "as recorded");
  EXPECT_EQ(PaceText({.pace = Pace::kRecorded, .speed = 2}), "2 times as recorded");
}

}  // namespace
}  // namespace bench::remote
