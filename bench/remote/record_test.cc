#include "bench/remote/record.h"

#include <fstream>
#include <string>

#include "bench/remote/row.h"
#include "clients/connection.h"
#include "clients/local/process.h"
#include "clients/local/server.h"
#include "gtest/gtest.h"

namespace bench::remote {
namespace {

class RecordTest : public testing::Test {
 protected:
  std::string Write(const std::string& content) {
    const std::string path = directory_.path() + "/record";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  // How many requests were answered, without any error.
  uint64_t Answered(const Record& record) {
    auto server = clients::local::Server::Start();
    EXPECT_TRUE(server.ok()) << server.status();
    const auto result = record.Drive({.server = server->connect_options(), .connections = 2});
    EXPECT_TRUE(result.ok()) << result.status();
    const OperationResult total = TotalOf(*result);
    EXPECT_EQ(total.failed(), 0u);
    return total.answered;
  }

  const clients::local::TemporaryDirectory directory_;
};

TEST_F(RecordTest, ATrace) {
  const auto record =
      Record::Read({.path = Write("0,k1,2,100,1,set,0\n1,k1,2,0,1,get,0\n2,k2,2,0,1,get,0\n")});
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->requests(), 3u);
  EXPECT_TRUE(record->Notes().empty());
  EXPECT_EQ(Answered(*record), 3u);
}

TEST_F(RecordTest, MonitorsOutput) {
  const auto record = Record::Read(
      {.path = Write("OK\n1339518083.107412 [0 127.0.0.1:60866] \"set\" \"k\" \"a\\\"b\\xff\"\n"
                     "1339518083.107413 [0 127.0.0.1:60866] \"get\" \"k\"\n"
                     "1339518083.107414 [0 127.0.0.1:60866] \"flushall\"\n")});
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->requests(), 2u);
  ASSERT_EQ(record->Notes().size(), 1u);
  EXPECT_NE(record->Notes()[0].find("left out"), std::string::npos);
  EXPECT_EQ(Answered(*record), 2u);
}

TEST_F(RecordTest, BadLinesAreNamedOrCounted) {
  const std::string path = Write("0,k1,2,100,1,set,0\n1,k1,2,0,1,frobnicate,0\n");
  const auto refused = Record::Read({.path = path});
  EXPECT_TRUE(absl::IsInvalidArgument(refused.status())) << refused.status();
  const auto record = Record::Read({.path = path, .skip_bad_lines = true});
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->requests(), 1u);
  EXPECT_NE(record->Notes().at(0).find("bad lines left out: 1"), std::string::npos);
  EXPECT_FALSE(Record::Read({.path = directory_.path() + "/absent"}).ok());
}

}  // namespace
}  // namespace bench::remote
