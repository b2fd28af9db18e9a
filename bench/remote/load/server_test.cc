// Every load against a real server: what it preloads is what it finds, every reply is right, and
// structures keep their sizes.
#include "clients/local/server.h"

#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/remote/load/load_source.h"
#include "clients/command.h"
#include "clients/connection.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using clients::Connection;
using clients::Reply;

struct Tally {
  uint64_t answered = 0;
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t errors = 0;
  uint64_t wrong = 0;
  std::string first_problem;
};

class LoadsOnAServer : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto server = clients::local::Server::Start({.unix_socket = true});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = new clients::local::Server(*std::move(server));
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }

  void SetUp() override {
    ASSERT_NE(server_, nullptr);
    auto connection = Connection::Open(server_->connect_options());
    ASSERT_TRUE(connection.ok()) << connection.status();
    connection_ = std::make_unique<Connection>(*std::move(connection));
    Run({"FLUSHALL"});
  }

  Reply Run(std::initializer_list<std::string_view> arguments) {
    auto reply = connection_->Run(arguments);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? *std::move(reply) : Reply();
  }

  // Up to `limit` requests of a source, a hundred in flight at a time.
  template <RequestSource Source>
  Tally Send(Source* source, uint64_t limit = ~uint64_t{0}) {
    constexpr size_t kInFlight = 100;
    Tally tally;
    std::vector<Reply> replies(kInFlight);
    bool ended = false;
    while (!ended && tally.answered < limit) {
      std::string commands;
      std::vector<Request> sent;
      std::vector<std::string> texts;
      while (sent.size() < kInFlight && tally.answered + sent.size() < limit) {
        const Request request = source->Next();
        if (request.arguments.empty()) {
          ended = true;
          break;
        }
        if (!request.formatted.empty()) {
          commands.append(request.formatted);
        } else {
          EXPECT_TRUE(clients::AppendCommand(request.arguments, &commands).ok());
        }
        texts.emplace_back(request.arguments[request.key_argument]);
        sent.push_back(request);
      }
      if (sent.empty()) break;
      size_t answered = 0;
      const absl::Status status =
          connection_->Exchange(commands, std::span(replies).first(sent.size()), &answered);
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_EQ(answered, sent.size());
      for (size_t i = 0; i < answered; ++i) {
        Count(*source, sent[i], texts[i], replies[i], &tally);
      }
      if (answered < sent.size()) break;
    }
    return tally;
  }

  template <RequestSource Source>
  static void Count(Source& source, const Request& request, const std::string& text,
                    const Reply& reply, Tally* tally) {
    ++tally->answered;
    std::string problem;
    if (reply.is_error()) {
      ++tally->errors;
      problem = std::string(reply.text());
    } else {
      switch (source.Judge(request.operation, request.subject, reply)) {
        case Outcome::kHit:
          ++tally->hits;
          break;
        case Outcome::kMiss:
          ++tally->misses;
          break;
        case Outcome::kWrongReply:
          ++tally->wrong;
          problem = "wrong reply";
          break;
        case Outcome::kDone:
          break;
      }
    }
    if (!problem.empty() && tally->first_problem.empty()) {
      tally->first_problem =
          std::string(source.OperationName(request.operation)) + " " + text + ": " + problem;
    }
  }

  void Preload(const LoadPlan& plan) {
    for (int thread = 0; thread < plan.threads; ++thread) {
      PreloadSource source(plan, thread);
      const Tally tally = Send(&source);
      EXPECT_EQ(tally.errors + tally.wrong, 0u) << tally.first_problem;
    }
  }
  void Cleanup(const LoadPlan& plan) {
    for (int thread = 0; thread < plan.threads; ++thread) {
      CleanupSource source(plan, thread);
      const Tally tally = Send(&source);
      EXPECT_EQ(tally.errors + tally.wrong, 0u) << tally.first_problem;
    }
  }

  static clients::local::Server* server_;
  std::unique_ptr<Connection> connection_;
};

clients::local::Server* LoadsOnAServer::server_ = nullptr;

TEST_F(LoadsOnAServer, EveryReplyIsRightAndEveryHitIsImplied) {
  for (const Load& load : Loads()) {
    for (const double hit_ratio : {1.0, 0.5}) {
      const bool halves = load.profile == nullptr && hit_ratio < 1;
      LoadOptions options = {.keys = 60, .elements = 60, .threads = 2};
      if (load.name.find("lrange") != std::string_view::npos) options.elements = 600;
      if (halves) options.hit_ratio = hit_ratio;
      // Clusters of which no exponent is known, too.
      if (load.profile != nullptr && load.profile->zipf_alpha == TwitterProfile::kUnknown) {
        options.distribution = KeyDistribution{};
      }
      if (!halves && hit_ratio < 1) continue;
      const auto plan = PlanLoad(load, options);
      if (!plan.ok()) continue;
      Preload(*plan);
      uint64_t hits = 0;
      uint64_t misses = 0;
      for (int thread = 0; thread < 2; ++thread) {
        LoadSource source(*plan, thread);
        const Tally tally = Send(&source, 500);
        EXPECT_EQ(tally.answered, 500u) << load.name;
        EXPECT_EQ(tally.errors, 0u) << load.name << ": " << tally.first_problem;
        EXPECT_EQ(tally.wrong, 0u) << load.name << ": " << tally.first_problem;
        hits += tally.hits;
        misses += tally.misses;
      }
      const std::optional<double> implied = ImpliedHitRatio(*plan);
      if (implied) {
        ASSERT_GT(hits + misses, 0u) << load.name;
        const double found = static_cast<double>(hits) / static_cast<double>(hits + misses);
        EXPECT_NEAR(found, *implied, *implied == 1 ? 0 : 0.1) << load.name;
      }
      Cleanup(*plan);
      EXPECT_EQ(Run({"DBSIZE"}).integer(), 0) << load.name;
    }
  }
}

TEST_F(LoadsOnAServer, StructuresKeepTheirSizes) {
  const std::map<std::string, std::string> lengths = {
      {"list", "LLEN"}, {"hash", "HLEN"}, {"set", "SCARD"}, {"zset", "ZCARD"}};
  constexpr int64_t kElements = 50;
  for (const auto& [type, length] : lengths) {
    const auto plan =
        PlanLoad(*FindLoad(type), {.keys = 5, .elements = kElements, .read_ratio = 0.1});
    ASSERT_TRUE(plan.ok());
    Preload(*plan);
    for (int key = 0; key < 5; ++key) {
      const std::string name = "ashlar:" + type + ":00000000000" + std::to_string(key);
      EXPECT_EQ(Run({length, name}).integer(), kElements) << name;
    }
    LoadSource source(*plan, 0);
    const Tally tally = Send(&source, 5 * kElements * 10);
    EXPECT_EQ(tally.errors + tally.wrong + tally.misses, 0u) << tally.first_problem;
    for (int key = 0; key < 5; ++key) {
      const std::string name = "ashlar:" + type + ":00000000000" + std::to_string(key);
      EXPECT_NEAR(static_cast<double>(Run({length, name}).integer()), kElements, kElements * 0.2)
          << name;
    }
    Cleanup(*plan);
  }
}

TEST_F(LoadsOnAServer, TheLiteralSpopFindsNothingAndSaysSo) {
  const auto plan = PlanLoad(*FindLoad("redis_literal_spop"), {});
  ASSERT_TRUE(plan.ok());
  Preload(*plan);
  LoadSource source(*plan, 0);
  const Tally tally = Send(&source, 300);
  EXPECT_EQ(tally.hits, 1u);
  EXPECT_EQ(tally.misses, 299u);
}

TEST_F(LoadsOnAServer, AValueOfAnotherWriterIsAWrongReply) {
  const auto plan = PlanLoad(*FindLoad("getset"), {.keys = 10, .read_ratio = 1});
  ASSERT_TRUE(plan.ok());
  Preload(*plan);
  Run({"SET", "ashlar:string:000000000003", "somebody else's"});
  Run({"COPY", "ashlar:string:000000000001", "ashlar:string:000000000002", "REPLACE"});
  LoadSource source(*plan, 0);
  const Tally tally = Send(&source, 1000);
  EXPECT_NEAR(static_cast<double>(tally.wrong), 200, 80);
  EXPECT_EQ(tally.hits + tally.wrong, 1000u);
}

TEST_F(LoadsOnAServer, AKeyOfAnotherTypeIsAnError) {
  const auto plan = PlanLoad(*FindLoad("getset"), {.keys = 1, .read_ratio = 1});
  ASSERT_TRUE(plan.ok());
  Run({"LPUSH", "ashlar:string:000000000000", "x"});
  LoadSource source(*plan, 0);
  const Tally tally = Send(&source, 10);
  EXPECT_EQ(tally.errors, 10u);
  EXPECT_TRUE(tally.first_problem.find("WRONGTYPE") != std::string::npos) << tally.first_problem;
}

TEST_F(LoadsOnAServer, KeysExpire) {
  const auto plan = PlanLoad(*FindLoad("getset"), {.keys = 10, .ttls = {{100, 200}}});
  ASSERT_TRUE(plan.ok());
  Preload(*plan);
  for (int key = 0; key < 10; ++key) {
    const int64_t left = Run({"TTL", "ashlar:string:00000000000" + std::to_string(key)}).integer();
    EXPECT_GT(left, 0);
    EXPECT_LE(left, 200);
  }
}

TEST_F(LoadsOnAServer, KeysAndValuesOfAFile) {
  const auto file = KeyFile::Parse("one\tfirst\ntwo\tsecond value\nthree\t\n", "f");
  ASSERT_TRUE(file.ok());
  const auto plan = PlanLoad(*FindLoad("getset"), {.prefix = "", .key_file = *file});
  ASSERT_TRUE(plan.ok()) << plan.status();
  Preload(*plan);
  EXPECT_EQ(Run({"GET", "two"}).text(), "second value");
  LoadSource source(*plan, 0);
  const Tally tally = Send(&source, 500);
  EXPECT_EQ(tally.errors + tally.wrong + tally.misses, 0u) << tally.first_problem;
  EXPECT_GT(tally.hits, 300u);
  EXPECT_EQ(Run({"DBSIZE"}).integer(), 3);
}

TEST_F(LoadsOnAServer, CleaningUpLeavesOtherKeysAlone) {
  Run({"SET", "mine", "1"});
  const auto plan = PlanLoad(*FindLoad("ycsb_d"), {.keys = 50, .threads = 3});
  ASSERT_TRUE(plan.ok());
  Preload(*plan);
  LoadSource source(*plan, 0);
  Send(&source, 500);
  EXPECT_GT(Run({"DBSIZE"}).integer(), 60);
  Cleanup(*plan);
  EXPECT_EQ(Run({"DBSIZE"}).integer(), 1);
}

}  // namespace
}  // namespace bench::remote
