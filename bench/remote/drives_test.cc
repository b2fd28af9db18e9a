#include "bench/remote/drives.h"

#include "bench/remote/load/load.h"
#include "bench/remote/row.h"
#include "clients/connection.h"
#include "clients/local/server.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

TEST(Drives, DataLoadAndRemoval) {
  auto server = clients::local::Server::Start();
  ASSERT_TRUE(server.ok()) << server.status();
  const auto load = PlanLoad(*FindLoad("getset"), {.keys = 100, .threads = 2});
  ASSERT_TRUE(load.ok()) << load.status();
  DrivePlan plan{.server = server->connect_options(), .threads = 2, .connections = 4};
  const auto written = DrivePreload(plan, *load);
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(TotalOf(*written).answered, 100u);

  plan.requests = 1000;
  const auto driven = DriveLoad(plan, *load);
  ASSERT_TRUE(driven.ok()) << driven.status();
  const OperationResult total = TotalOf(*driven);
  EXPECT_EQ(total.answered, 1000u);
  EXPECT_EQ(total.failed(), 0u);
  EXPECT_EQ(total.misses, 0u);
  EXPECT_GT(total.hits, 0u);

  plan.requests = 0;
  ASSERT_TRUE(DriveCleanup(plan, *load).ok());
  auto connection = clients::Connection::Open(server->connect_options());
  ASSERT_TRUE(connection.ok());
  EXPECT_EQ(connection->Run({"DBSIZE"})->integer(), 0);
}

}  // namespace
}  // namespace bench::remote
