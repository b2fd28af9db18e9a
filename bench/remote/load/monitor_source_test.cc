#include "bench/remote/load/monitor_source.h"

#include <chrono>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "clients/command.h"
#include "clients/connection.h"
#include "clients/deadline.h"
#include "clients/dialer.h"
#include "clients/local/server.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

std::shared_ptr<const MonitorRecord> RecordOf(const std::vector<std::string>& commands) {
  std::string content;
  for (size_t i = 0; i < commands.size(); ++i) {
    content += std::to_string(100 + i) + ".000000 [0 127.0.0.1:1] " + commands[i] + "\n";
  }
  auto record = MonitorRecord::Parse(content, "m", {});
  EXPECT_TRUE(record.ok()) << record.status();
  return std::make_shared<const MonitorRecord>(*std::move(record));
}

TEST(MonitorSource, SendsWhatWasRecordedWhenItWas) {
  const MonitorPlan plan(RecordOf({"\"set\" \"k\" \"v w\"", "\"GET\" \"k\""}), 1);
  MonitorSource source(plan, 0);
  ASSERT_EQ(source.operations(), 2u);
  Request request = source.Next();
  EXPECT_EQ(source.OperationName(request.operation), "SET");
  ASSERT_EQ(request.arguments.size(), 3u);
  EXPECT_EQ(request.arguments[0], "set");
  EXPECT_EQ(request.arguments[2], "v w");
  EXPECT_EQ(request.at_nanos, 0u);
  request = source.Next();
  EXPECT_EQ(source.OperationName(request.operation), "GET");
  EXPECT_EQ(request.arguments.size(), 2u);
  EXPECT_EQ(request.at_nanos, 1'000'000'000u);
  EXPECT_TRUE(source.Next().arguments.empty());
}

TEST(MonitorSource, LeavesOutWhatIsNotForASharedConnection) {
  const MonitorPlan plan(
      RecordOf({"\"flushall\"", "\"MULTI\"", "\"SET\" \"k\" \"v\"", "\"EXEC\"",
                "\"BLPOP\" \"l\" \"0\"", "\"SUBSCRIBE\" \"c\"", "\"Shutdown\"",
                "\"XREAD\" \"block\" \"0\" \"STREAMS\" \"s\" \"$\"",
                "\"XREAD\" \"COUNT\" \"1\" \"streams\" \"s\" \"0\"", "\"SELECT\" \"1\""}),
      1);
  EXPECT_EQ(plan.left_out(), 8u);
  ASSERT_EQ(plan.sent().size(), 2u);
  EXPECT_EQ(plan.commands(), (std::vector<std::string>{"SET", "XREAD"}));
  EXPECT_EQ(plan.sent()[1].key_argument, 4);
}

TEST(MonitorSource, KnowsWhereKeysStand) {
  const std::vector<std::pair<std::string, int>> cases = {
      {"\"GET\" \"k\"", 1},
      {"\"PING\"", 0},
      {"\"PING\" \"text\"", 0},
      {"\"INFO\" \"memory\"", 0},
      {"\"EVAL\" \"return 1\" \"0\"", 0},
      {"\"EVAL\" \"return 1\" \"0\" \"argument\"", 0},
      {"\"EVALSHA\" \"abc\" \"1\" \"k\"", 3},
      {"\"OBJECT\" \"ENCODING\" \"k\"", 2},
      {"\"MSET\" \"k\" \"v\" \"l\" \"w\"", 1},
  };
  for (const auto& [command, key] : cases) {
    const MonitorPlan plan(RecordOf({command}), 1);
    ASSERT_EQ(plan.sent().size(), 1u) << command;
    EXPECT_EQ(plan.sent()[0].key_argument, key) << command;
  }
}

TEST(MonitorSource, ThreadsDivideTheKeys) {
  std::vector<std::string> commands;
  for (int i = 0; i < 300; ++i) {
    commands.push_back("\"APPEND\" \"key" + std::to_string(i % 30) + "\" \"x\"");
  }
  const MonitorPlan plan(RecordOf(commands), 3);
  std::set<std::string> keys;
  size_t requests = 0;
  for (int thread = 0; thread < 3; ++thread) {
    MonitorSource source(plan, thread);
    std::set<std::string> own;
    for (Request request = source.Next(); !request.arguments.empty(); request = source.Next()) {
      own.emplace(request.arguments[1]);
      ++requests;
    }
    EXPECT_GE(own.size(), 3u);
    for (const std::string& key : own) EXPECT_TRUE(keys.insert(key).second) << key;
  }
  EXPECT_EQ(requests, 300u);
  EXPECT_EQ(keys.size(), 30u);
}

TEST(MonitorSource, CommandsThatAreNoNamesAreOthers) {
  const MonitorPlan plan(RecordOf({"\"\\xff\\x00\"", "\"a b\"", "\"JSON.GET\" \"k\""}), 1);
  EXPECT_EQ(plan.commands(), (std::vector<std::string>{"OTHERS", "JSON.GET"}));
}

// What a real server shows of what it was asked is what is sent again.
TEST(MonitorSource, ReadsWhatAServerWrites) {
  const auto server = clients::local::Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  const auto dialer = clients::Dialer::Create(server->connect_options());
  ASSERT_TRUE(dialer.ok()) << dialer.status();
  // Not a Connection: that takes replies to no command for the end of it.
  auto watching = (*dialer)->Dial();
  auto asking = clients::Connection::Open(server->connect_options());
  ASSERT_TRUE(watching.ok() && asking.ok());
  std::string monitor;
  ASSERT_TRUE(clients::AppendCommand({"MONITOR"}, &monitor).ok());
  clients::Reply started;
  size_t read = 0;
  ASSERT_TRUE(watching
                  ->Exchange(monitor, std::span(&started, 1),
                             clients::After(std::chrono::seconds(10)), &read)
                  .ok());
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte.push_back(static_cast<char>(byte));
  const std::vector<std::vector<std::string_view>> asked = {
      {"SET", every_byte, "a\"b\\ \r\n\t"}, {"GET", every_byte}, {"RPUSH", "l", ""}, {"llen", "l"}};
  for (const auto& arguments : asked) ASSERT_TRUE(asking->Run(arguments).ok());

  std::vector<clients::Reply> lines(asked.size());
  ASSERT_TRUE(watching->Exchange("", lines, clients::After(std::chrono::seconds(10)), &read).ok());
  std::string content;
  for (const clients::Reply& line : lines) content += std::string(line.text()) + "\n";
  auto record = MonitorRecord::Parse(content, "m", {});
  ASSERT_TRUE(record.ok()) << record.status() << content;
  const MonitorPlan plan(std::make_shared<const MonitorRecord>(*std::move(record)), 1);
  MonitorSource source(plan, 0);
  std::vector<Outcome> outcomes;
  for (const auto& arguments : asked) {
    const Request request = source.Next();
    EXPECT_EQ(std::vector<std::string_view>(request.arguments.begin(), request.arguments.end()),
              arguments);
    const auto reply = asking->Run(request.arguments);
    ASSERT_TRUE(reply.ok());
    outcomes.push_back(source.Judge(request.operation, request.subject, *reply));
  }
  EXPECT_EQ(outcomes,
            (std::vector<Outcome>{Outcome::kDone, Outcome::kHit, Outcome::kDone, Outcome::kHit}));
  EXPECT_EQ(source.Judge(1, 0, clients::Reply()), Outcome::kMiss);
}

}  // namespace
}  // namespace bench::remote
