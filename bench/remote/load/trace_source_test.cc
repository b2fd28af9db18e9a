#include "bench/remote/load/trace_source.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "clients/connection.h"
#include "clients/local/server.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

std::shared_ptr<const Trace> TraceOf(std::string_view content) {
  auto trace = ParseTrace(content, "t", {});
  EXPECT_TRUE(trace.ok()) << trace.status();
  return std::make_shared<const Trace>(*std::move(trace));
}

std::string Text(const Request& request) {
  std::string text;
  for (const std::string_view argument : request.arguments) {
    if (!text.empty()) text.push_back(' ');
    text.append(argument);
  }
  return text;
}

TEST(TraceSource, MapsEachOperation) {
  const TracePlan plan(TraceOf("5,k,1,4,1,get,0\n5,k,1,4,1,gets,0\n5,k,1,4,1,set,0\n"
                               "5,k,1,4,1,set,60\n5,k,1,4,1,add,60\n5,k,1,4,1,replace,0\n"
                               "5,k,1,4,1,cas,0\n5,k,1,4,1,append,0\n5,k,1,4,1,prepend,0\n"
                               "5,k,1,4,1,delete,0\n5,c,1,3,1,incr,0\n5,c,1,3,1,decr,0\n"
                               "5,c,1,3,1,set,0\n5,c,1,3,1,append,0\n"),
                       "p:", 0.5, 1);
  TraceSource source(plan, 0);
  const std::string value = "0000";
  for (const std::string& expected :
       {std::string("GET p:k"), std::string("GET p:k"), "SET p:k " + value,
        "SET p:k " + value + " EX 60", "SET p:k " + value + " EX 60 NX", "SET p:k " + value + " XX",
        "SET p:k " + value + " XX", "APPEND p:k " + value, "APPEND p:k " + value,
        std::string("DEL p:k"), std::string("INCRBY p:c 1"), std::string("DECRBY p:c 1"),
        std::string("SET p:c 111"), std::string("SET p:c 111 XX")}) {
    EXPECT_EQ(Text(source.Next()), expected);
  }
  EXPECT_TRUE(source.Next().arguments.empty());
  EXPECT_TRUE(source.Next().arguments.empty());
}

TEST(TraceSource, GivesTheRecordedTimes) {
  const TracePlan plan(TraceOf("5,k,1,4,1,get,0\n5,k,1,4,1,get,0\n8,k,1,4,1,get,0\n"), "", 0, 1);
  TraceSource source(plan, 0);
  EXPECT_EQ(source.Next().at_nanos, 0u);
  EXPECT_EQ(source.Next().at_nanos, 500'000'000u);
  EXPECT_EQ(source.Next().at_nanos, 3'000'000'000u);
}

TEST(TraceSource, ThreadsDivideTheKeysAndKeepTheOrderOfEach) {
  std::string content;
  for (int i = 0; i < 1000; ++i) {
    content += "5,key" + std::to_string(i % 37) + ",1," + std::to_string(i) + ",1,set,0\n";
  }
  const auto trace = TraceOf(content);
  const TracePlan plan(trace, "", 0.5, 3);
  std::map<std::string, std::vector<size_t>> sizes;
  std::map<std::string, int> owner;
  size_t requests = 0;
  for (int thread = 0; thread < 3; ++thread) {
    TraceSource source(plan, thread);
    uint64_t last = 0;
    for (Request request = source.Next(); !request.arguments.empty(); request = source.Next()) {
      const std::string key(request.arguments[1]);
      EXPECT_TRUE(owner.emplace(key, thread).second || owner[key] == thread);
      sizes[key].push_back(request.arguments[2].size());
      EXPECT_GE(request.at_nanos, last);
      last = request.at_nanos;
      ++requests;
    }
  }
  EXPECT_EQ(requests, 1000u);
  for (const auto& [key, of_key] : sizes) {
    EXPECT_TRUE(std::is_sorted(of_key.begin(), of_key.end())) << key;
  }
}

TEST(TraceSource, BlockTracesHaveBinaryKeys) {
  const TracePlan plan(TraceOf("1,10,2a,512,7\n1,11,28,512,7\n"), "b:", 0.5, 1);
  TraceSource source(plan, 0);
  Request request = source.Next();
  EXPECT_EQ(request.arguments[0], "SET");
  EXPECT_EQ(request.arguments[1], std::string_view("b:\0\0\0\0\0\0\0\7", 10));
  EXPECT_EQ(request.arguments[2].size(), 512u);
  request = source.Next();
  EXPECT_EQ(request.arguments[0], "GET");
  EXPECT_EQ(request.at_nanos, 1'000'000'000u);
}

TEST(TraceSource, IsJudgedOnAServer) {
  const auto server = clients::local::Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  auto connection = clients::Connection::Open(server->connect_options());
  ASSERT_TRUE(connection.ok()) << connection.status();
  // Every operation on keys of many sizes; counted keys are set and appended to as well.
  std::string content;
  const char* const operations[] = {"get", "set",    "gets",   "add", "get", "replace",
                                    "cas", "get",    "append", "get", "set", "prepend",
                                    "get", "delete", "get",    "set", "get"};
  for (int i = 0; i < 1700; ++i) {
    content += std::to_string(i / 100) + ",key" + std::to_string(i / 17 % 20) + ",1," +
               std::to_string(i * 7 % 60) + ",1," + operations[i % 17] + ",3600\n";
    if (i % 3 == 0)
      content += "9,count,1,6,1," + std::string(i % 2 == 0 ? "incr" : "decr") + ",0\n";
    if (i % 100 == 0)
      content += "9,count,1,6,1,set,0\n9,count,1,5,1,append,0\n9,count,1,5,1,get,0\n";
  }
  // Keys without appends, whose values are judged.
  for (int i = 0; i < 500; ++i) {
    content += "20,plain" + std::to_string(i % 9) + ",1," + std::to_string(i % 50) + ",1," +
               (i % 3 == 0 ? "set" : "get") + ",0\n";
  }
  const TracePlan plan(TraceOf(content), "r:", 0.5, 1);
  TraceSource source(plan, 0);
  std::map<Outcome, int> outcomes;
  for (Request request = source.Next(); !request.arguments.empty(); request = source.Next()) {
    const std::string text = Text(request);
    const auto reply = connection->Run(request.arguments);
    ASSERT_TRUE(reply.ok()) << text << ": " << reply.status();
    const Outcome outcome = source.Judge(request.operation, request.subject, *reply);
    EXPECT_NE(outcome, Outcome::kWrongReply) << text;
    ++outcomes[outcome];
  }
  EXPECT_GT(outcomes[Outcome::kHit], 400);
  EXPECT_GT(outcomes[Outcome::kMiss], 50);
  EXPECT_GT(outcomes[Outcome::kDone], 500);

  // Somebody else's value under a key of the trace.
  const TracePlan read(TraceOf("1,plain0,1,20,1,get,0\n"), "r:", 0.5, 1);
  ASSERT_TRUE(connection->Run({"SET", "r:plain0", "foreign"}).ok());
  TraceSource reader(read, 0);
  const Request request = reader.Next();
  const auto reply = connection->Run(request.arguments);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reader.Judge(request.operation, request.subject, *reply), Outcome::kWrongReply);
}

}  // namespace
}  // namespace bench::remote
