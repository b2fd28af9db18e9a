#include "kv/expiry/call_check.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "kv/contract/engine.h"
#include "kv/contract/record.h"
#include "kv/contract/write_batch.h"
#include "kv/expiry/absolute.h"
#include "kv/expiry/none.h"

namespace kv {
namespace {

const std::string kLongestKey(kMaxKeyBytes, 'k');
const std::string kTooLong(kMaxKeyBytes + 1, 'k');

TEST(CallCheck, LetsWhatTheContractAllowsPass) {
  const CallCheck<AbsoluteExpiry> check;
  EXPECT_TRUE(check.Open().ok());
  EXPECT_TRUE(check.Read("").ok());
  EXPECT_TRUE(check.Read(kLongestKey).ok());
  EXPECT_TRUE(check.Put(kLongestKey, kTooLong, kNeverExpires).ok());
  EXPECT_TRUE(check.Put("", "", 1).ok());
  EXPECT_TRUE(check.Expire("key", 1).ok());
  EXPECT_TRUE(check.Batch(WriteBatch()).ok());
}

TEST(CallCheck, RefusesKeysAndValuesThatAreTooLong) {
  const CallCheck<AbsoluteExpiry> check;
  EXPECT_TRUE(absl::IsInvalidArgument(check.Read(kTooLong)));
  EXPECT_TRUE(absl::IsInvalidArgument(check.Put(kTooLong, "", kNeverExpires)));
  EXPECT_TRUE(absl::IsInvalidArgument(check.Expire(kTooLong, 1)));
  // Its bytes are never read, so they need not be there.
  const std::string_view too_long_a_value(kTooLong.data(), kMaxValueBytes + 1);
  EXPECT_TRUE(absl::IsInvalidArgument(check.Put("key", too_long_a_value, kNeverExpires)));
}

TEST(CallCheck, RefusesAnExpiryThatNothingKeeps) {
  const CallCheck<NoExpiry> check;
  EXPECT_TRUE(check.Put("key", "value", kNeverExpires).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(check.Put("key", "value", 1)));
  WriteBatch batch;
  batch.Put("key", "value", 1);
  EXPECT_TRUE(absl::IsInvalidArgument(check.Batch(batch)));
}

TEST(CallCheck, LooksAtEveryRecordOfABatch) {
  const CallCheck<AbsoluteExpiry> check;
  WriteBatch batch;
  batch.Put("a", "value");
  batch.Delete(kTooLong);
  batch.Put("b", "value");
  std::vector<std::string> seen;
  const absl::Status status =
      check.Batch(batch, [&](const Record& record) { seen.emplace_back(record.key); });
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(seen, (std::vector<std::string>{"a", kTooLong, "b"}));
}

TEST(CallCheck, TellsTheFirstErrorOfABatch) {
  const CallCheck<NoExpiry> check;
  WriteBatch batch;
  batch.Put("key", "value", 1);
  batch.Delete(kTooLong);
  EXPECT_EQ(check.Batch(batch), check.Put("key", "value", 1));
  EXPECT_NE(check.Batch(batch), check.Read(kTooLong));
}

TEST(CallCheck, RefusesEveryCallAfterClose) {
  CallCheck<AbsoluteExpiry> check;
  EXPECT_TRUE(check.Close().ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(check.Open()));
  EXPECT_TRUE(absl::IsFailedPrecondition(check.Read(kTooLong)));
  EXPECT_TRUE(absl::IsFailedPrecondition(check.Put("key", "value", kNeverExpires)));
  EXPECT_TRUE(absl::IsFailedPrecondition(check.Expire("key", 1)));
  EXPECT_TRUE(absl::IsFailedPrecondition(check.Batch(WriteBatch())));
  EXPECT_TRUE(absl::IsFailedPrecondition(check.Close()));
}

}  // namespace
}  // namespace kv
