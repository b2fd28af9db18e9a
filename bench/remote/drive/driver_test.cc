#include "bench/remote/drive/driver.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "bench/remote/drive/driver_testing.h"
#include "bench/remote/drive/validity.h"
#include "clients/connection.h"
#include "clients/local/server.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using clients::local::Server;

const FixedCommands kIncrement = {.commands = {{"INCR", "n"}}};

Server StartServer(const clients::local::ServerOptions& options = {}) {
  auto server = Server::Start(options);
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

int64_t NumberAt(const Server& server, std::string_view key) {
  auto connection = clients::Connection::Open(server.connect_options());
  EXPECT_TRUE(connection.ok());
  const auto reply = connection->Run({"GET", key});
  EXPECT_TRUE(reply.ok() && reply->type() == clients::ReplyType::kString);
  return std::stoll(std::string(reply->text()));
}

TEST(Drive, SendsExactlyAsManyAsAreAskedFor) {
  const Server server = StartServer();
  int64_t before = 0;
  for (const auto& [threads, connections, pipeline] :
       {std::tuple{1, 1, 1}, {1, 50, 16}, {2, 7, 3}, {3, 3, 40}}) {
    DrivePlan plan = PatientPlan(server.connect_options());
    plan.threads = threads;
    plan.connections = connections;
    plan.pipeline = pipeline;
    plan.requests = 1001;
    const auto result = DriveFixed(plan, kIncrement);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->operations.size(), 1u);
    const OperationResult& increment = result->operations[0];
    EXPECT_EQ(increment.name, "INCR");
    EXPECT_EQ(increment.answered, 1001u);
    EXPECT_EQ(increment.latency->Count(), 1001u);
    EXPECT_EQ(increment.errors + increment.lost + increment.wrong_replies, 0u);
    EXPECT_EQ(NumberAt(server, "n") - before, 1001);
    EXPECT_EQ(result->threads, threads);
    EXPECT_EQ(result->planned, 0u);
    EXPECT_EQ(result->sent_bytes,
              1001 * std::string_view("*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n").size());
    EXPECT_GE(result->received_bytes, 1001 * std::string_view(":1\r\n").size());
    EXPECT_GT(result->seconds, 0);
    before = NumberAt(server, "n");
  }
}

TEST(Drive, FewerRequestsThanThreads) {
  const Server server = StartServer();
  DrivePlan plan = PatientPlan(server.connect_options());
  plan.threads = 3;
  plan.connections = 5;
  plan.requests = 2;
  const auto result = DriveFixed(plan, kIncrement);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Answered(*result), 2u);
}

TEST(Drive, TheWarmupIsNotCounted) {
  const Server server = StartServer();
  for (const Pace pace : {Pace::kClosed, Pace::kConstant}) {
    DrivePlan plan = PatientPlan(server.connect_options());
    plan.schedule = {.pace = pace, .rate = 5000};
    plan.threads = 2;
    plan.connections = 4;
    plan.warmup_seconds = 0.1;
    plan.requests = 200;
    std::atomic<uint64_t> progress = 0;
    plan.progress = &progress;
    Issued issued = 0;
    const auto result = DriveFixed(plan, kIncrement, &issued);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(Answered(*result), 200u);
    EXPECT_EQ(progress.load(), issued.load());
    if (pace == Pace::kConstant) {
      EXPECT_EQ(issued.load(), 700u);
      EXPECT_EQ(result->planned, 200u);
    } else {
      EXPECT_GT(issued.load(), 200u);
    }
  }
}

TEST(Drive, ForATime) {
  const Server server = StartServer();
  DrivePlan plan = PatientPlan(server.connect_options());
  plan.threads = 2;
  plan.connections = 4;
  plan.seconds = 0.3;
  plan.interval_seconds = 0.1;
  Issued issued = 0;
  const auto result = DriveFixed(plan, kIncrement, &issued);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Answered(*result), issued.load());
  EXPECT_EQ(static_cast<int64_t>(issued.load()), NumberAt(server, "n"));
  EXPECT_GT(result->cpu_seconds, 0);
  EXPECT_GT(result->busiest_thread_share, 0);
  EXPECT_EQ(result->spun_seconds, 0);
}

TEST(Drive, OpenLoopSendsWhatIsPlanned) {
  const Server server = StartServer();
  for (const Schedule& schedule :
       {Schedule{.pace = Pace::kConstant, .rate = 2000},
        Schedule{.pace = Pace::kRamp, .rate = 1000, .end_rate = 3000, .seconds = 0.5},
        Schedule{.pace = Pace::kBurst,
        .rate = 9000,
        .burst_seconds = 0.1,
        .rest_seconds = 0.15,
        .rest_rate = 2000 * 2.0 / 3}}) {
    DrivePlan plan = PatientPlan(server.connect_options());
    plan.schedule = schedule;
    plan.threads = 2;
    plan.connections = 3;
    plan.seconds = 0.5;
    const auto result = DriveFixed(plan, kIncrement);
    ASSERT_TRUE(result.ok()) << result.status();
    const uint64_t planned = Timetable(schedule).CountBefore(500'000'000);
    EXPECT_EQ(result->planned, planned);
    EXPECT_EQ(Answered(*result), planned);
    EXPECT_GE(result->spun_seconds, 0);
  }
}

TEST(Drive, OpenLoopForANumberOfRequests) {
  const Server server = StartServer();
  DrivePlan plan = PatientPlan(server.connect_options());
  plan.schedule = {.pace = Pace::kConstant, .rate = 20'000};
  plan.requests = 777;
  const auto result = DriveFixed(plan, kIncrement);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->planned, 777u);
  EXPECT_EQ(Answered(*result), 777u);
  EXPECT_EQ(NumberAt(server, "n"), 777);
}

TEST(Drive, ARecordIsSentAtItsOwnTimes) {
  const Server server = StartServer();
  // A millisecond between two, twice as fast: half of 1000 in the first quarter of a second.
  FixedCommands commands = kIncrement;
  commands.step_nanos = 1'000'000;
  commands.end = 1000;
  DrivePlan plan = PatientPlan(server.connect_options());
  plan.schedule = {.pace = Pace::kRecorded, .speed = 2};
  plan.seconds = 0.25;
  auto result = DriveFixed(plan, commands);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->planned, 500u);
  EXPECT_EQ(Answered(*result), 500u);

  plan.seconds = 0;  // to its end
  result = DriveFixed(plan, commands);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->planned, 1000u);
  EXPECT_EQ(Answered(*result), 1000u);
  EXPECT_GE(result->seconds, 0.4995);

  plan.requests = 30;
  result = DriveFixed(plan, commands);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->planned, 30u);
  EXPECT_EQ(Answered(*result), 30u);
}

TEST(Drive, ASourceEnds) {
  const Server server = StartServer();
  for (const Pace pace : {Pace::kClosed, Pace::kConstant}) {
    DrivePlan plan = PatientPlan(server.connect_options());
    plan.schedule = {.pace = pace, .rate = 10'000};
    plan.threads = 2;
    plan.connections = 6;
    plan.pipeline = 4;
    FixedCommands commands = kIncrement;
    commands.end = 50;  // of each thread
    const auto result = DriveFixed(plan, commands);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(Answered(*result), 100u);
    EXPECT_EQ(result->planned, pace == Pace::kClosed ? 0u : 100u);
  }
}

TEST(Drive, CountsWhatRepliesSay) {
  const Server server = StartServer();
  DrivePlan plan = PatientPlan(server.connect_options());
  plan.pipeline = 3;
  plan.requests = 700;
  const auto result = DriveFixed(plan, {.commands = {{"SET", "k", "v"},
                                                     {"GET", "k"},
                                                     {"GET", "absent"},
                                                     {"LPUSH", "k", "v"},
                                                     {"NONSENSE"},
                                                     {"MGET", "k", "k"},
                                                     {"INCR", "n"}}});
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->operations.size(), 7u);
  for (const OperationResult& operation : result->operations) {
    EXPECT_EQ(operation.answered, 100u) << operation.name;
    EXPECT_EQ(operation.latency->Count(), 100u) << operation.name;
  }
  EXPECT_EQ(result->operations[1].hits, 100u);
  EXPECT_EQ(result->operations[2].misses, 100u);
  EXPECT_EQ(result->operations[3].errors, 100u);
  EXPECT_EQ(result->operations[4].errors, 100u);
  EXPECT_EQ(result->operations[5].wrong_replies, 100u);
  EXPECT_EQ(result->operations[6].hits + result->operations[6].misses, 0u);
  const std::map<std::string, uint64_t> words = {{"ERR", 100}, {"WRONGTYPE", 100}};
  EXPECT_EQ(result->error_words, words);
  uint64_t in_intervals = 0;
  uint64_t errors_in_intervals = 0;
  for (const Interval& interval : result->intervals) {
    in_intervals += interval.answered;
    errors_in_intervals += interval.errors;
  }
  EXPECT_EQ(in_intervals, 700u);
  EXPECT_EQ(errors_in_intervals, 300u);
  EXPECT_EQ(WhyInvalid(plan, *result, {.server_cpu_share = 1}).size(), 2u);
  EXPECT_TRUE(WhyInvalid(plan, *result, {.errors_allowed = true, .server_cpu_share = 1}).empty());
}

TEST(Drive, IntervalsSumUpToTheWhole) {
  const Server server = StartServer();
  DrivePlan plan = PatientPlan(server.connect_options());
  plan.threads = 2;
  plan.connections = 4;
  plan.schedule = {.pace = Pace::kConstant, .rate = 4000};
  plan.seconds = 0.5;
  plan.interval_seconds = 0.1;
  const auto result = DriveFixed(plan, kIncrement);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_GE(result->intervals.size(), 5u);
  uint64_t answered = 0;
  uint64_t most = 0;
  double end = 0;
  for (const Interval& interval : result->intervals) {
    EXPECT_NEAR(interval.begin_seconds, end, 1e-9);
    end = interval.begin_seconds + interval.seconds;
    answered += interval.answered;
    most = std::max(most, interval.max_nanos);
    EXPECT_LE(interval.p50_nanos, interval.p99_nanos);
    EXPECT_LE(interval.p99_nanos, interval.max_nanos);
  }
  EXPECT_EQ(answered, 2000u);
  EXPECT_EQ(answered, Answered(*result));
  EXPECT_EQ(most, result->operations[0].latency->Max());
  EXPECT_NEAR(end, result->seconds, 1e-9);
}

TEST(Drive, UnderTlsAndOverAUnixSocket) {
  for (const clients::local::ServerOptions& options :
       {clients::local::ServerOptions{.tls_names = "IP:127.0.0.1"},
        clients::local::ServerOptions{.unix_socket = true}}) {
    const Server server = StartServer(options);
    DrivePlan plan = PatientPlan(server.connect_options());
    plan.connections = 3;
    plan.pipeline = 8;
    plan.requests = 1000;
    const auto result = DriveFixed(plan, kIncrement);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(Answered(*result), 1000u);
  }
}

TEST(Drive, RefusesPlansThatCannotBe) {
  const std::vector<DrivePlan> refused = {{.threads = 0},
                                          {.threads = 3, .connections = 2},
                                          {.pipeline = 0},
                                          {.warmup_seconds = -1},
                                          {.seconds = 1e300},
                                          {.interval_seconds = 0},
                                          {.schedule = {.pace = Pace::kConstant}}};
  for (DrivePlan plan : refused) {
    plan.server.url.hosts = {{"127.0.0.1", 1}};
    EXPECT_TRUE(absl::IsInvalidArgument(DriveFixed(plan, kIncrement).status()));
  }
}

struct NoSource {
  Request Next() { return {}; }
};
static_assert(!RequestSource<NoSource>);

}  // namespace
}  // namespace bench::remote
