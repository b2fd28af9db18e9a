// A log that there is no space for leaves the one before it as it was, whatever the moment.
#include "kv/io/next_log.h"

#include <string>

#include "gtest/gtest.h"
#include "kv/base/status.h"
#include "kv/io/log_reader.h"
#include "kv/io/log_writer.h"
#include "kv/io/simulated.h"

namespace kv {
namespace {

using Writer = LogWriter<SimulatedFileSystem>;

constexpr LogHeader kHeader{
    .generation = 2, .previous_generation = 1, .previous_end = 64, .synced = true};

class NextLogTest : public testing::Test {
 protected:
  NextLogTest() {
    EXPECT_TRUE(files_.CreateDirectories("/d").ok());
    EXPECT_TRUE(files_.SyncDirectory("/d").ok());
  }

  absl::StatusOr<Writer> Start() { return StartNextLog<Writer>(files_, "/d", "/d/2.log", kHeader); }
  bool ThereAfterACrash() {
    return files_.Crash(1, CrashMode::kLoseUnsynced).Exists("/d/2.log") ||
           files_.Crash(1, CrashMode::kKeepAll).Exists("/d/2.log");
  }

  SimulatedFileSystem files_;
};

TEST_F(NextLogTest, StartsALogThatLasts) {
  ASSERT_TRUE(Start().ok());
  EXPECT_TRUE(files_.Crash(1, CrashMode::kLoseUnsynced).Exists("/d/2.log"));
}

TEST_F(NextLogTest, WithoutSpaceForItsHeaderThereIsNoLog) {
  for (const uint64_t capacity : {0, 10, 63}) {
    files_.SetCapacity(capacity);
    const absl::Status status = Start().status();
    EXPECT_TRUE(IsOutOfSpace(status)) << status;
    EXPECT_FALSE(ThereAfterACrash());
  }
  files_.SetCapacity(64);
  EXPECT_TRUE(Start().ok()) << "the header fits, and nothing else has to";
}

TEST_F(NextLogTest, WithoutSpaceForItsNameThereIsNoLog) {
  files_.FailAfter(0, Fault::kNoSpace);
  const absl::Status status = Start().status();
  EXPECT_TRUE(IsOutOfSpace(status)) << status;
  EXPECT_FALSE(ThereAfterACrash());
}

TEST_F(NextLogTest, ALogThatCannotBeRemovedIsAnErrorOfAnotherKind) {
  files_.SetCapacity(10);
  int removals = 0;
  files_.SetHook([&](FileOperation operation, const std::string&) {
    if (operation == FileOperation::kRemove && removals++ == 0) {
      files_.FailAfter(0, Fault::kIoError);
    }
  });
  const absl::Status status = Start().status();
  files_.SetHook({});
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_NE(status.message().find("No space left"), std::string::npos) << status;
}

TEST_F(NextLogTest, AnyOtherErrorIsLeftToTheCaller) {
  files_.FailAfter(0, Fault::kSyncFailure);
  EXPECT_TRUE(absl::IsUnavailable(Start().status()));
  EXPECT_TRUE(files_.Exists("/d/2.log"));
}

// A log that has no room for a record takes the next one that fits; what it had taken is written
// out when there is space, and neither a crash nor a reader finds what was refused.
TEST_F(NextLogTest, AFullDiskEndsNoLog) {
  for (const bool synced : {true, false}) {
    SCOPED_TRACE(synced ? "synced" : "unsynced");
    files_.SetCapacity(uint64_t{1} << 30);
    LogHeader header = kHeader;
    header.synced = synced;
    auto log = StartNextLog<Writer>(files_, "/d", "/d/2.log", header);
    ASSERT_TRUE(log.ok());
    const auto append = [&](uint64_t number, std::string_view payload) {
      return log->AppendRecord(number, 1, [&](std::string* to) { to->append(payload); });
    };
    ASSERT_TRUE(append(1, "first").ok() && log->Sync().ok());
    files_.SetCapacity(files_.UsedBytes());
    ASSERT_TRUE(append(2, "second").ok());
    EXPECT_EQ(IsOutOfSpace(log->Sync()), !synced) << "only a synced log has space ahead";
    const uint64_t end = log->End();
    EXPECT_TRUE(IsOutOfSpace(append(3, std::string(size_t{3} << 20, 'x'))));
    EXPECT_EQ(log->End(), end);
    files_.SetCapacity(uint64_t{1} << 30);
    ASSERT_TRUE(append(3, "third").ok() && log->Sync().ok());
    SimulatedFileSystem crashed = files_.Crash(1, CrashMode::kLoseUnsynced);
    std::string read;
    const auto summary = ReadLog(crashed, "/d/2.log", 2, [&](const LogRecord& record) {
      read += std::string(record.payload) + " ";
      return absl::OkStatus();
    });
    ASSERT_TRUE(summary.ok()) << summary.status();
    EXPECT_EQ(read, "first second third ");
    ASSERT_TRUE(files_.Remove("/d/2.log").ok() && files_.SyncDirectory("/d").ok());
  }
}

}  // namespace
}  // namespace kv
