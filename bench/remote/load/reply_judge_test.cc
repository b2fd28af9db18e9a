#include "bench/remote/load/reply_judge.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace bench::remote {
namespace {

using clients::Reply;
using enum Outcome;

Reply ReplyOf(std::string_view bytes) {
  clients::ReplyReader reader;
  Reply reply;
  EXPECT_TRUE(reader.Feed(bytes).ok());
  const auto whole = reader.Next(&reply);
  EXPECT_TRUE(whole.ok() && *whole) << bytes;
  return reply;
}

Outcome Form(std::string_view operation, std::string_view bytes) {
  return JudgeForm(*FindOperation(operation), ReplyOf(bytes));
}

TEST(JudgeForm, EachOperationKnowsItsReplies) {
  const struct {
    const char* operation;
    const char* bytes;
    Outcome outcome;
  } cases[] = {
      {"PING", "+PONG\r\n", kDone},
      {"PING", "+OK\r\n", kWrongReply},
      {"SET", "+OK\r\n", kDone},
      {"SET", "$-1\r\n", kWrongReply},
      {"ADD", "$-1\r\n", kDone},
      {"ADD", "+OK\r\n", kDone},
      {"ADD", ":1\r\n", kWrongReply},
      {"GET", "$1\r\nx\r\n", kHit},
      {"GET", "$-1\r\n", kMiss},
      {"GET", ":7\r\n", kWrongReply},
      {"GET", "+OK\r\n", kWrongReply},
      {"INCR", ":8\r\n", kDone},
      {"INCR", "$1\r\n8\r\n", kWrongReply},
      {"DELETE", ":0\r\n", kMiss},
      {"DELETE", ":1\r\n", kHit},
      {"DELETE", ":-1\r\n", kWrongReply},
      {"LLEN", ":0\r\n", kMiss},
      {"LLEN", ":9\r\n", kHit},
      {"LLEN", "*0\r\n", kWrongReply},
      {"SISMEMBER", ":1\r\n", kHit},
      {"LRANGE_10", "*0\r\n", kMiss},
      {"LRANGE_10", "*1\r\n$1\r\na\r\n", kHit},
      {"LRANGE_10", "*1\r\n:1\r\n", kWrongReply},
      {"LRANGE_10", "$1\r\na\r\n", kWrongReply},
      {"LRANGE_10", "*11\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
       kWrongReply},
      {"HGETALL", "*2\r\n$9\r\nelement:1\r\n$1\r\nv\r\n", kHit},
      {"HGETALL", "*1\r\n$9\r\nelement:1\r\n", kWrongReply},
      {"HGETALL", "*2\r\n$3\r\nfoo\r\n$1\r\nv\r\n", kWrongReply},
      {"READ", "*2\r\n$6\r\nfield3\r\n$1\r\nv\r\n", kHit},
      {"READ", "*0\r\n", kMiss},
      {"SMEMBERS", "*1\r\n$9\r\nelement:1\r\n", kHit},
      {"SMEMBERS", "*1\r\n$5\r\nother\r\n", kWrongReply},
      {"SPOP", "$-1\r\n", kMiss},
      {"SPOP", "$9\r\nelement:1\r\n", kHit},
      {"ZSCORE", "$2\r\n12\r\n", kHit},
      {"ZSCORE", "$-1\r\n", kMiss},
      {"ZSCORE", "$3\r\nabc\r\n", kWrongReply},
      {"ZINCRBY", "$-1\r\n", kWrongReply},
      {"ZINCRBY", "$1\r\n3\r\n", kDone},
      {"ZPOPMIN", "*0\r\n", kMiss},
      {"ZPOPMIN", "*2\r\n$9\r\nelement:1\r\n$1\r\n5\r\n", kHit},
      {"ZPOPMIN", "*2\r\n$9\r\nelement:1\r\n:5\r\n", kWrongReply},
      {"XADD", "$3\r\n1-1\r\n", kDone},
      {"XADD", "+OK\r\n", kWrongReply},
      {"SCAN", "*1\r\n$5\r\nuser1\r\n", kHit},
      {"SCAN", "*1\r\n$4\r\nelse\r\n", kWrongReply},
      {"MGET_10", "*0\r\n", kWrongReply},
      {"MGET_10", "*1\r\n$1\r\nv\r\n", kWrongReply},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(Form(one.operation, one.bytes), one.outcome) << one.operation << " " << one.bytes;
  }
}

TEST(JudgeForm, ManyValuesAreAHitWhereAllAreThere) {
  std::string hit = "*10\r\n";
  std::string part = hit;
  std::string miss = hit;
  for (int i = 0; i < 10; ++i) {
    hit += "$1\r\nv\r\n";
    part += i == 9 ? "$-1\r\n" : "$1\r\nv\r\n";
    miss += "$-1\r\n";
  }
  EXPECT_EQ(Form("MGET_10", hit), kHit);
  EXPECT_EQ(Form("MGET_10", part), kMiss);
  EXPECT_EQ(Form("HMGET_10", miss), kMiss);
}

LoadPlan PlanOf(const LoadOptions& options) { return *PlanLoad(*FindLoad("getset"), options); }

TEST(Judge, AnotherKeysValueIsWrong) {
  const LoadPlan plan = PlanOf({});
  const ReplyJudge judge(plan);
  const Operation& get = *FindOperation("GET");
  const Reply of_seven = ReplyOf("$15\r\n000000000007abc\r\n");
  EXPECT_EQ(judge(get, 7, of_seven), kHit);
  EXPECT_EQ(judge(get, 8, of_seven), kWrongReply);
  EXPECT_EQ(judge(get, kAnySubject, of_seven), kHit);
  // What nobody writes cannot be found.
  EXPECT_EQ(judge(get, kMissingKeys + 7, of_seven), kWrongReply);
  EXPECT_EQ(judge(get, 7, ReplyOf("$-1\r\n")), kMiss);
  EXPECT_EQ(judge(get, 7, ReplyOf("$3\r\nfoo\r\n")), kWrongReply);
  // Of a short value, its key's last digits.
  EXPECT_EQ(judge(get, 123'456, ReplyOf("$3\r\n456\r\n")), kHit);
  EXPECT_EQ(judge(get, 123'456, ReplyOf("$3\r\n457\r\n")), kWrongReply);
  EXPECT_EQ(judge(get, 123'456, ReplyOf("$0\r\n\r\n")), kHit);
}

TEST(Judge, TheFirstOfManyIsLookedAt) {
  const LoadPlan plan = PlanOf({});
  const ReplyJudge judge(plan);
  const Reply list = ReplyOf("*2\r\n$12\r\n000000000007\r\n$1\r\nx\r\n");
  EXPECT_EQ(judge(*FindOperation("LRANGE_10"), 7, list), kHit);
  EXPECT_EQ(judge(*FindOperation("LRANGE_10"), 6, list), kWrongReply);
  const Reply hash = ReplyOf("*2\r\n$9\r\nelement:1\r\n$12\r\n000000000007\r\n");
  EXPECT_EQ(judge(*FindOperation("HGETALL"), 7, hash), kHit);
  EXPECT_EQ(judge(*FindOperation("HGETALL"), 6, hash), kWrongReply);
}

TEST(Judge, ValuesOfAFileAreHeldAgainstIt) {
  const auto file = KeyFile::Parse("a\tfirst\nb\tsecond\n", "f");
  ASSERT_TRUE(file.ok());
  const LoadPlan plan = PlanOf({.key_file = *file});
  const ReplyJudge judge(plan);
  const Operation& get = *FindOperation("GET");
  EXPECT_EQ(judge(get, 1, ReplyOf("$6\r\nsecond\r\n")), kHit);
  EXPECT_EQ(judge(get, 0, ReplyOf("$6\r\nsecond\r\n")), kWrongReply);
  EXPECT_EQ(judge(get, kMissingKeys, ReplyOf("$6\r\nsecond\r\n")), kWrongReply);
}

}  // namespace
}  // namespace bench::remote
