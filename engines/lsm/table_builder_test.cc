// The builder refuses misuse, reports every failure, and makes durable what it finished.
#include "engines/lsm/table_builder.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engines/lsm/table_testing.h"
#include "fmt/format.h"
#include "kv/contract/record.h"
#include "kv/io/simulated.h"

namespace kv {
namespace {

class TableBuilderTest : public testing::Test {
 protected:
  using Builder = TableBuilder<MappedParts, SimulatedFileSystem>;

  Builder Create() { return *Builder::Create(files_, "/table", 1); }

  SimulatedFileSystem files_;
};

TEST_F(TableBuilderTest, RefusesMisuseAndGoesOn) {
  Builder builder = Create();
  ASSERT_TRUE(builder.Add({.key = "b", .sequence = 5}).ok());
  const std::string long_key(kMaxTableKeyBytes + 1, 'k');
  const std::vector<Record> wrong{
      {.key = "b", .sequence = 5},
      {.key = "b", .sequence = 6},
      {.key = "a", .sequence = 1},
      {.key = long_key},
      {.key = "c", .sequence = kMaxSequence + 1},
      {.key = "c", .value = "x", .kind = RecordKind::kTombstone},
  };
  for (const Record& record : wrong) {
    const absl::Status status = builder.Add(record);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_NE(std::string(status.message()).find("/table"), std::string::npos);
  }
  ASSERT_TRUE(builder.Add({.key = "b", .sequence = 4}).ok());
  auto meta = builder.Finish();
  ASSERT_TRUE(meta.ok()) << meta.status();
  EXPECT_EQ(meta->entries, 2u);
  EXPECT_TRUE(absl::IsInvalidArgument(builder.Add({.key = "z"})));
  EXPECT_TRUE(absl::IsInvalidArgument(builder.Finish().status()));
}

TEST_F(TableBuilderTest, RefusesAnEmptyTable) {
  EXPECT_TRUE(absl::IsInvalidArgument(Create().Finish().status()));
}

TEST_F(TableBuilderTest, NothingFollowsAbandon) {
  Builder builder = Create();
  ASSERT_TRUE(builder.Add({.key = "a"}).ok());
  builder.Abandon();
  EXPECT_TRUE(absl::IsInvalidArgument(builder.Add({.key = "b"})));
  EXPECT_TRUE(absl::IsInvalidArgument(builder.Finish().status()));
}

TEST_F(TableBuilderTest, EstimatesItsSize) {
  Builder builder = Create();
  std::string value(100, 'v');
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(builder.Add({.key = fmt::format("{:08}", i), .value = value}).ok());
  }
  const uint64_t estimate = builder.FileBytes();
  auto meta = builder.Finish();
  ASSERT_TRUE(meta.ok());
  EXPECT_GT(estimate, meta->bytes * 95 / 100);
  EXPECT_LE(estimate, meta->bytes);
}

// Finish() is the promise that the manifest builds on: what it wrote survives a power loss.
TEST_F(TableBuilderTest, FinishMakesTheFileDurable) {
  const Records run = RecordMaker(11).Make(500, 2, 50);
  auto opened = BuildTable<MappedParts>(files_, "/table", run, 512);
  ASSERT_TRUE(files_.SyncDirectory("/").ok());
  for (uint64_t seed = 0; seed < 5; ++seed) {
    auto after = BuildTable<MappedParts>(SimulatedFileSystem(), "/table", run, 512);
    after.files = files_.Crash(seed, CrashMode::kLoseUnsynced);
    ASSERT_TRUE(after.Open().ok());
    EXPECT_TRUE(after.table->Verify().ok());
  }
}

// Whichever operation fails, the error comes out, and stays.
TEST_F(TableBuilderTest, EveryFailureIsReportedAndPoisons) {
  const Records run = RecordMaker(12).Make(300, 1, 8000);
  for (uint64_t failing = 0;; ++failing) {
    SimulatedFileSystem files;
    files.FailAfter(failing, Fault::kIoError);
    auto builder = Builder::Create(files, "/table", 1);
    if (!builder.ok()) continue;
    absl::Status first;
    for (const OwnedRecord& record : run) {
      first = builder->Add(record.view());
      if (!first.ok()) break;
    }
    const absl::Status finished = builder->Finish().status();
    if (first.ok() && finished.ok()) break;  // the fault lies beyond the last operation
    EXPECT_TRUE(absl::IsUnavailable(finished)) << finished;
    EXPECT_EQ(builder->Finish().status(), finished);
    EXPECT_EQ(builder->Add({.key = std::string(9, '\xff')}), finished);
    ASSERT_LT(failing, 100u);
  }
}

}  // namespace
}  // namespace kv
