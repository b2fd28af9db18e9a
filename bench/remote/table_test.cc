#include "bench/remote/table.h"

#include <sstream>

#include "gtest/gtest.h"

namespace bench::remote {
namespace {

RowResult Measured(uint64_t count, double seconds) {
  RowResult result;
  result.row = {.load = "getset", .connections = 10, .pipeline = 4};
  result.drive.seconds = seconds;
  OperationResult get;
  get.name = "GET";
  get.latency->Record(50'000, count);
  get.answered = count;
  get.hits = count;
  result.drive.operations.push_back(std::move(get));
  result.answered = count;
  return result;
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> Words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

TEST(Table, ALineForARow) {
  const RowResult result = Measured(20'000, 2);
  EXPECT_EQ(Words(TableRow(result.row, {FiguresOf(result)})),
            (std::vector<std::string>{"getset", "10", "4", "10,000", "50.0", "50.0", "50.0", "50.0",
                                      "0", "100.0", "-", "0.000", "-", "-"}));
}

TEST(Table, EveryLineIsAsWideAsItsHead) {
  const std::string head = TableHead();
  const RowResult result = Measured(20'000, 2);
  EXPECT_EQ(head.find('\n'), TableRow(result.row, {FiguresOf(result)}).find('\n'));
  EXPECT_LE(head.find('\n'), 130u);
}

TEST(Table, RepetitionsAreMediansWithTheirSpread) {
  const std::vector<Figures> repetitions = {
      FiguresOf(Measured(1000, 1)), FiguresOf(Measured(3000, 1)), FiguresOf(Measured(2000, 1))};
  const std::string line = TableRow(Measured(1, 1).row, repetitions);
  EXPECT_EQ(Words(line)[3], "2,000");
  EXPECT_TRUE(Has(line, "+-50.0 % of 3")) << line;
  EXPECT_FALSE(Has(line, "INVALID"));
}

TEST(Table, AnInvalidRowIsMarkedAndSaysWhy) {
  RowResult result = Measured(1000, 1);
  result.invalid = {"the generator was the bottleneck"};
  result.drive.error_words = {{"OOM", 1234}};
  result.drive.lost_reasons = {{"the server closed it", 2}};
  EXPECT_TRUE(Has(TableRow(result.row, {FiguresOf(result)}), "INVALID"));
  const std::string lines = TroubleLines(result);
  EXPECT_TRUE(Has(lines, "invalid: the generator was the bottleneck")) << lines;
  EXPECT_TRUE(Has(lines, "1,234 error replies: OOM")) << lines;
  EXPECT_TRUE(Has(lines, "2 times: the server closed it")) << lines;
  EXPECT_EQ(TroubleLines(Measured(1, 1)), "");
}

TEST(Table, AnOpenLoopSaysItsRate) {
  RowResult result = Measured(1000, 1);
  result.row.schedule = {.pace = Pace::kConstant, .rate = 10'000};
  EXPECT_TRUE(TableRow(result.row, {FiguresOf(result)}).starts_with("getset @10,000/s "));
  const Row closed;
  EXPECT_TRUE(Has(Notes({closed})[0], "closed loop"));
  EXPECT_EQ(Notes({closed}).size(), 2u);
  EXPECT_TRUE(Has(Notes({result.row})[0], "open loop"));
  EXPECT_EQ(Notes({closed, result.row}).size(), 3u);
}

TEST(Table, OperationsAndWhatTheServerCounted) {
  RowResult result = Measured(1000, 1);
  EXPECT_EQ(Words(OperationLines(result))[0], "GET");
  result.before =
      InfoSampler::Snapshot{.figures = {}, .commands = {{"get", {10, 20}}}, .latencies = {}};
  result.after =
      InfoSampler::Snapshot{.figures = {}, .commands = {{"get", {1010, 2020}}}, .latencies = {}};
  const std::string lines = OperationLines(result);
  EXPECT_TRUE(Has(lines, "1,000 calls, 2.00 us each")) << lines;
}

TEST(Table, TheWorstOfManyIntervals) {
  DriveResult drive;
  EXPECT_EQ(WorstIntervals(drive), "");
  for (int i = 0; i < 20; ++i) {
    drive.intervals.push_back({.begin_seconds = static_cast<double>(i),
                               .seconds = 1,
                               .answered = i == 7 ? 500u : 1000u,
                               .p99_nanos = i == 9 ? 9'000'000u : 100'000u});
  }
  drive.intervals.push_back({.begin_seconds = 20, .seconds = 0.1, .answered = 1});
  const std::string line = WorstIntervals(drive);
  EXPECT_TRUE(Has(line, "500 ops/s at 7 s")) << line;
  EXPECT_TRUE(Has(line, "9,000 us at 9 s")) << line;
}

}  // namespace
}  // namespace bench::remote
