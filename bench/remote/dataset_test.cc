#include "bench/remote/dataset.h"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/remote/load/load.h"
#include "clients/local/server.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using clients::Connection;
using clients::local::Server;

class DatasetTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = Server::Start();
    ASSERT_TRUE(started.ok()) << started.status();
    server_.emplace(*std::move(started));
    auto nodes = ConnectToNodes(server_->connect_options());
    ASSERT_TRUE(nodes.ok()) << nodes.status();
    nodes_ = *std::move(nodes);
    auto sampler = InfoSampler::Start(server_->connect_options());
    ASSERT_TRUE(sampler.ok()) << sampler.status();
    sampler_ = *std::move(sampler);
  }

  Dataset Make(DatasetOptions options) {
    options.server = server_->connect_options();
    return {options, sampler_.get(), &nodes_};
  }
  LoadPlan PlanFor(std::string_view load, uint64_t keys, int threads = 1) {
    auto plan = PlanLoad(*FindLoad(load), {.keys = keys, .elements = 10, .threads = threads});
    EXPECT_TRUE(plan.ok()) << plan.status();
    return *std::move(plan);
  }
  int64_t Keys() { return nodes_[0].Run({"DBSIZE"})->integer(); }

  std::optional<Server> server_;
  std::vector<Connection> nodes_;
  std::unique_ptr<InfoSampler> sampler_;
};

TEST_F(DatasetTest, OneLoadsDataAtATime) {
  for (const bool own : {true, false}) {
    Dataset data = Make({.threads = 2, .own_server = own});
    ASSERT_TRUE(data.Prepare(PlanFor("getset", 3000, 2)).ok());
    EXPECT_EQ(Keys(), 3000);
    ASSERT_TRUE(data.memory().has_value());
    EXPECT_EQ(data.memory()->keys, 3000);
    EXPECT_GT(data.memory()->grown_bytes, 100);
    EXPECT_EQ(data.memory()->sampled, 100);
    ASSERT_TRUE(data.Prepare(PlanFor("list", 20, 2)).ok());
    EXPECT_EQ(Keys(), 20);
    ASSERT_TRUE(data.Remove().ok());
    EXPECT_EQ(Keys(), 0);
  }
}

TEST_F(DatasetTest, TheSameLoadIsWrittenOnce) {
  Dataset data = Make({});
  ASSERT_TRUE(data.Prepare(PlanFor("getset", 10)).ok());
  ASSERT_TRUE(nodes_[0].Run({"FLUSHALL"}).ok());
  ASSERT_TRUE(data.Prepare(PlanFor("getset", 10)).ok());
  EXPECT_EQ(Keys(), 0);
}

TEST_F(DatasetTest, KeysOfOthersStay) {
  ASSERT_TRUE(nodes_[0].Run({"SET", "somebodys", "value"}).ok());
  Dataset data = Make({});
  ASSERT_TRUE(data.Prepare(PlanFor("getset", 10)).ok());
  EXPECT_EQ(Keys(), 11);
  ASSERT_TRUE(data.Remove().ok());
  EXPECT_EQ(Keys(), 1);
}

TEST_F(DatasetTest, DataOfAnEarlierRunAreNotWrittenTwice) {
  Dataset first = Make({.keep = true});
  ASSERT_TRUE(first.Prepare(PlanFor("list", 20)).ok());
  ASSERT_TRUE(first.Remove().ok());
  EXPECT_EQ(Keys(), 20);
  Dataset second = Make({});
  ASSERT_TRUE(second.Prepare(PlanFor("list", 20)).ok());
  EXPECT_EQ(Keys(), 20);
  const auto key = nodes_[0].Run({"RANDOMKEY"});
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(nodes_[0].Run({"LLEN", key->text()})->integer(), 10);
}

TEST_F(DatasetTest, WhatCannotBeWrittenIsAnError) {
  ASSERT_TRUE(nodes_[0].Run({"CONFIG", "SET", "maxmemory", "1"}).ok());
  Dataset data = Make({});
  const absl::Status status = data.Prepare(PlanFor("getset", 10));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.ToString().find("10 of 10 requests failed: OOM 10"), std::string::npos)
      << status;
}

}  // namespace
}  // namespace bench::remote
