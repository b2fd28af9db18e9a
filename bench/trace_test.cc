#include "bench/trace.h"

#include <cstdint>
#include <string>
#include <vector>

#include "bench/random.h"
#include "gtest/gtest.h"
#include "kv/base/bytes.h"

namespace bench {
namespace {

std::string ErrorOf(std::string_view content) {
  const auto trace = ParseTrace(content, "t.csv", {});
  return trace.ok() ? "" : std::string(trace.status().message());
}

TEST(BlockTrace, ReadsRequests) {
  const auto trace = ParseTrace(
      "version,time,op,size,lbn\n1,10,2a,512,7\n1,11,28,4096,7\r\n\n1,12,88,1,9", "t", {});
  ASSERT_TRUE(trace.ok()) << trace.status();
  EXPECT_EQ(trace->format, TraceFormat::kBlock);
  ASSERT_EQ(trace->requests.size(), 3u);
  EXPECT_EQ(trace->requests[0].kind, OperationKind::kPut);
  EXPECT_EQ(trace->requests[0].value_bytes, 512u);
  EXPECT_EQ(trace->requests[1].kind, OperationKind::kGet);
  EXPECT_EQ(trace->requests[0].key, trace->requests[1].key);
  EXPECT_EQ(trace->requests[2].kind, OperationKind::kGet);
  ASSERT_EQ(trace->keys.size(), 2u);
  EXPECT_EQ(kv::LoadBig64(trace->keys[0].data()), 7u);
  EXPECT_EQ(trace->largest_value, 4096u);
}

TEST(BlockTrace, NeedsNoHeader) {
  const auto trace = ParseTrace("1,10,2a,512,7\n", "t", {});
  ASSERT_TRUE(trace.ok()) << trace.status();
  EXPECT_EQ(trace->requests.size(), 1u);
}

TEST(TwitterTrace, ReadsEveryOperation) {
  std::string content;
  for (const char* operation : {"get", "gets", "set", "add", "replace", "cas", "append", "prepend",
                                "delete", "incr", "decr"}) {
    content += std::string("5,key,3,20,1,") + operation + ",60\n";
  }
  const auto trace = ParseTrace(content, "t", {});
  ASSERT_TRUE(trace.ok()) << trace.status();
  EXPECT_EQ(trace->format, TraceFormat::kTwitter);
  EXPECT_EQ(trace->requests.size(), 11u);
  EXPECT_EQ(trace->requests[10].kind, OperationKind::kSubtractDecimal);
  EXPECT_EQ(trace->requests[0].ttl_seconds, 60u);
}

TEST(TwitterTrace, KeysMayHoldCommasAndAreFilledToTheirSize) {
  const auto trace = ParseTrace("5,a,b,c,8,20,1,get,0\n", "t", {});
  ASSERT_TRUE(trace.ok()) << trace.status();
  EXPECT_EQ(trace->keys[0], "a,b,c000");
}

std::vector<uint64_t> TimesOf(std::string_view content) {
  std::vector<uint64_t> times;
  const auto trace = ParseTrace(content, "t", {});
  EXPECT_TRUE(trace.ok()) << trace.status();
  if (!trace.ok()) return times;
  for (const TraceRequest& request : trace->requests) times.push_back(request.at_micros);
  return times;
}

TEST(Trace, TheRequestsOfASecondAreSpreadOverIt) {
  const std::vector<uint64_t> spread = {0, 250'000, 500'000, 750'000, 3'000'000, 3'500'000};
  EXPECT_EQ(TimesOf("7,a,1,2,3,get,0\n7,a,1,2,3,get,0\n7,a,1,2,3,get,0\n7,a,1,2,3,get,0\n"
                    "10,a,1,2,3,get,0\n10,a,1,2,3,get,0\n"),
            spread);
  EXPECT_EQ(TimesOf("1,7,2a,1,1\n1,7,2a,1,1\n1,7,2a,1,1\n1,7,2a,1,1\n1,10,2a,1,1\n1,10,28,1,1\n"),
            spread);
}

TEST(Trace, TimesNeverFall) {
  // The older ones count to the second before them, and a time beyond all bounds is cut off.
  EXPECT_EQ(TimesOf("1,7,2a,1,1\n1,9,2a,1,1\n1,3,2a,1,1\n1,8,2a,1,1\n1,9,2a,1,1\n"
                    "1,18446744073709551615,2a,1,1\n"),
            (std::vector<uint64_t>{0, 2'000'000, 2'250'000, 2'500'000, 2'750'000,
                                   1'000'000'000'000'000}));
}

TEST(Trace, ABadLineIsNamedWithItsReason) {
  EXPECT_EQ(ErrorOf("1,1,2a,512,7\n1,1,2a,512\n"),
            "t.csv:2: fewer than the 5 fields version,time,op,size,lbn");
  EXPECT_EQ(ErrorOf("1,1,2a,512,7\n1,1,2a,512,7,8\n"),
            "t.csv:2: more than the 5 fields version,time,op,size,lbn");
  EXPECT_EQ(ErrorOf("1,1,35,512,7\n"), "t.csv:1: op is neither a SCSI read nor a write: \"35\"");
  EXPECT_EQ(ErrorOf("1,1,2a,many,7\n"), "t.csv:1: size is not a number: \"many\"");
  EXPECT_EQ(ErrorOf("1,1,2a,-1,7\n"), "t.csv:1: size is not a number: \"-1\"");
  EXPECT_EQ(ErrorOf("1,1,2a,4294967295,7\n"),
            "t.csv:1: value of 4294967295 bytes is over 268435456");
  EXPECT_EQ(ErrorOf("1,1,2a,99999999999,7\n"), "t.csv:1: size is not a number: \"99999999999\"");
  EXPECT_EQ(ErrorOf("1,1,2a,512,7x\n"), "t.csv:1: lbn is not a number: \"7x\"");
  EXPECT_EQ(ErrorOf("5,k,1,2,3,get,0\n5,k,1,2,3,got,0\n"), "t.csv:2: unknown operation: \"got\"");
  EXPECT_EQ(ErrorOf("5,k,1,2,3,get,0\n5,k,99999,2,3,get,0\n"),
            "t.csv:2: key of 99999 bytes is over 65536");
}

TEST(Trace, UnknownContentAndNoContentAreErrors) {
  EXPECT_NE(ErrorOf("hello\n").find("not a trace this program knows"), std::string::npos);
  EXPECT_EQ(ErrorOf(""), "t.csv: no requests");
  EXPECT_EQ(ErrorOf("version,time,op,size,lbn\n"), "t.csv: no requests");
}

TEST(Trace, BadLinesCanBeLeftOut) {
  const auto trace = ParseTrace("1,1,2a,512,7\nrubbish\n1,1,28,512,7\n1,1,zz,512,7\n", "t.csv",
                                {.skip_bad_lines = true});
  ASSERT_TRUE(trace.ok()) << trace.status();
  EXPECT_EQ(trace->requests.size(), 2u);
  EXPECT_EQ(trace->bad_lines, 2u);
  EXPECT_EQ(trace->first_bad_line, "t.csv:2: fewer than the 5 fields version,time,op,size,lbn");
}

TEST(Trace, ALimitEndsTheTrace) {
  const auto trace = ParseTrace("1,1,2a,512,7\n1,1,2a,512,8\nrubbish\n", "t", {.limit = 2});
  ASSERT_TRUE(trace.ok()) << trace.status();
  EXPECT_EQ(trace->requests.size(), 2u);
}

TEST(Trace, AMissingFileAndADirectoryAreErrors) {
  EXPECT_TRUE(absl::IsNotFound(ReadTrace("/nonexistent/trace", {}).status()));
  EXPECT_FALSE(ReadTrace("/tmp", {}).ok());
}

TEST(Trace, RandomBytesNeverCrash) {
  Random random(11);
  const std::string_view seeds[] = {"1,1,2a,512,7\n", "5,k,1,2,3,get,0\n",
                                    "version,time,op,size,lbn\n"};
  for (int round = 0; round < 5000; ++round) {
    std::string content;
    for (int line = 0; line < 3; ++line) content += seeds[random.Uniform(3)];
    for (uint64_t edits = random.Uniform(12); edits > 0; --edits) {
      const uint64_t at = random.Uniform(content.size());
      switch (random.Uniform(3)) {
        case 0:
          content[at] = static_cast<char>(random.Next());
          break;
        case 1:
          content.erase(at, 1 + random.Uniform(4));
          break;
        default:
          content.insert(at, 1, ",\n\r0f"[random.Uniform(5)]);
      }
      if (content.empty()) break;
    }
    for (const bool skip : {false, true}) {
      const auto trace = ParseTrace(content, "t", {.skip_bad_lines = skip});
      if (!trace.ok()) {
        EXPECT_FALSE(trace.status().message().empty());
        continue;
      }
      for (const TraceRequest& request : trace->requests) {
        ASSERT_LT(request.key, trace->keys.size());
      }
    }
  }
}

}  // namespace
}  // namespace bench
