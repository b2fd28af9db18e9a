#include "kv/base/status.h"

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace kv {
namespace {

TEST(StatusTest, NotFoundHasNoMessage) {
  EXPECT_EQ(NotFound().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(NotFound().message().empty());
  EXPECT_TRUE(absl::IsNotFound(NotFound()));
}

TEST(StatusTest, CorruptionNamesFileAndOffset) {
  const absl::Status status = Corruption("/data/000007.sst", 4096, "the checksum differs");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(),
            "/data/000007.sst: corrupt at byte offset 4096: the checksum differs");
}

TEST(StatusTest, IoErrorNamesOperationPathAndReason) {
  for (const auto& [error, code] : {std::pair(ENOENT, absl::StatusCode::kNotFound),
                                    std::pair(EEXIST, absl::StatusCode::kAlreadyExists),
                                    std::pair(ENOSPC, absl::StatusCode::kResourceExhausted),
                                    std::pair(EDQUOT, absl::StatusCode::kResourceExhausted),
                                    std::pair(EMFILE, absl::StatusCode::kResourceExhausted),
                                    std::pair(ENFILE, absl::StatusCode::kResourceExhausted),
                                    std::pair(EACCES, absl::StatusCode::kPermissionDenied),
                                    std::pair(EPERM, absl::StatusCode::kPermissionDenied),
                                    std::pair(EROFS, absl::StatusCode::kPermissionDenied),
                                    std::pair(EIO, absl::StatusCode::kUnavailable),
                                    std::pair(EINVAL, absl::StatusCode::kUnavailable)}) {
    const absl::Status status = IoError("rename", "/data/manifest", error);
    EXPECT_EQ(status.code(), code) << error;
    const std::string text = status.ToString();
    EXPECT_NE(text.find("rename /data/manifest: "), std::string::npos) << text;
    EXPECT_NE(text.find(std::generic_category().message(error)), std::string::npos) << text;
  }
}

TEST(StatusTest, InvalidKeepsItsReason) {
  EXPECT_EQ(Invalid("key too long").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Invalid("key too long").message(), "key too long");
}

absl::Status PassOn(const absl::Status& status, int* reached) {
  KV_RETURN_IF_ERROR(status);
  ++*reached;
  return absl::OkStatus();
}

TEST(StatusMacrosTest, ReturnIfError) {
  int reached = 0;
  EXPECT_TRUE(PassOn(absl::OkStatus(), &reached).ok());
  EXPECT_EQ(reached, 1);
  EXPECT_EQ(PassOn(Invalid("why"), &reached), Invalid("why"));
  EXPECT_EQ(reached, 1);
}

TEST(StatusTest, AWantOfSpaceMayBeFinal) {
  const absl::Status full = IoError("write", "/store/log", ENOSPC);
  EXPECT_TRUE(IsOutOfSpace(full));
  EXPECT_FALSE(IsOutOfSpace(Final(full)));
  EXPECT_EQ(Final(full).message(), full.message());
  EXPECT_EQ(Final(Invalid("why")), Invalid("why"));
  EXPECT_EQ(Final(absl::OkStatus()), absl::OkStatus());
}

absl::StatusOr<std::unique_ptr<int>> Sum(absl::StatusOr<std::unique_ptr<int>> a,
                                         absl::StatusOr<std::unique_ptr<int>> b) {
  KV_ASSIGN_OR_RETURN(const std::unique_ptr<int> first, std::move(a));
  KV_ASSIGN_OR_RETURN(const std::unique_ptr<int> second, std::move(b));
  return std::make_unique<int>(*first + *second);
}

TEST(StatusMacrosTest, AssignOrReturnMovesTheValue) {
  const auto sum = Sum(std::make_unique<int>(1), std::make_unique<int>(2));
  ASSERT_TRUE(sum.ok());
  EXPECT_EQ(**sum, 3);
  EXPECT_EQ(Sum(Invalid("first"), std::make_unique<int>(2)).status(), Invalid("first"));
  EXPECT_EQ(Sum(std::make_unique<int>(1), Invalid("second")).status(), Invalid("second"));
}

}  // namespace
}  // namespace kv
