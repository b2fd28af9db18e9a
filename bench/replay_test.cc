// The replay finds no fault with an engine that is right, and finds it with one that lies.
#include "bench/replay.h"

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "bench/engine_subject.h"
#include "gtest/gtest.h"
#include "kv/base/clock.h"
#include "kv/testing/reference_engine.h"

namespace bench {
namespace {

using Reference = kv::testing::BasicReferenceEngine<kv::SystemClock>;

// How an engine may lie.
enum class Lie { kNone, kWrongByte, kStaleValue, kLostKey, kGhostKey };

// The reference engine, but its tenth read is a lie. What it inherits keeps the contract.
template <Lie kLie>
class LyingEngine : public Reference {
 public:
  using Reference::Reference;

  static absl::StatusOr<std::unique_ptr<LyingEngine>> Open(const kv::Options&) {
    return std::make_unique<LyingEngine>(kv::SystemClock{});
  }

  absl::Status Get(std::string_view key, std::string* value) {
    absl::Status status = Reference::Get(key, value);
    if (++reads_ % 10 != 0) return status;
    switch (kLie) {
      case Lie::kNone:
        break;
      case Lie::kWrongByte:
        if (status.ok() && !value->empty()) value->back() ^= 1;
        break;
      case Lie::kStaleValue:
        if (status.ok()) *value = first_;
        break;
      case Lie::kLostKey:
        return kv::NotFound();
      case Lie::kGhostKey:
        *value = "ghost";
        return absl::OkStatus();
    }
    return status;
  }
  using Reference::Get;

  absl::Status Put(std::string_view key, std::string_view value,
                   const kv::PutOptions& options = {}) {
    if (first_.empty()) first_ = value;
    return Reference::Put(key, value, options);
  }

 private:
  uint64_t reads_ = 0;
  std::string first_;
};

std::string BlockTraceText() {
  std::string text;
  for (int i = 0; i < 2000; ++i) {
    text += "1,1,2a," + std::to_string(512 * (1 + i % 5)) + "," + std::to_string(i % 97) + "\n";
    text += "1,1,28,512," + std::to_string((i * 7) % 120) + "\n";
  }
  return text;
}

std::string CacheTraceText() {
  static constexpr const char* kOperations[] = {"get",    "set",    "add",  "replace",
                                                "cas",    "append", "gets", "prepend",
                                                "delete", "incr",   "decr", "get"};
  std::string text;
  Random random(5);
  for (int i = 0; i < 5000; ++i) {
    text += "1,key" + std::to_string(random.Uniform(60)) + ",8," +
            std::to_string(random.Uniform(300)) + ",1," + kOperations[random.Uniform(12)] +
            (random.Uniform(4) == 0 ? ",3600\n" : ",0\n");
  }
  return text;
}

template <typename E>
ReplayResult Replay(const std::string& text, int threads) {
  auto trace = ParseTrace(text, "trace", {});
  EXPECT_TRUE(trace.ok()) << trace.status();
  const ReplayValues values(trace->largest_value);
  std::atomic<uint64_t> progress = 0;
  EngineSubject<E> subject("test");
  EXPECT_TRUE(subject.Open({}).ok());
  auto result = std::make_unique<ReplayResult>();
  const absl::Status status = subject.Replay(
      {.trace = &*trace, .values = &values, .threads = threads, .progress = &progress},
      result.get());
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(result->requests, trace->requests.size());
  return *result;
}

TEST(Replay, ARightEngineHasNoMismatch) {
  for (const int threads : {1, 3}) {
    for (const std::string& text : {BlockTraceText(), CacheTraceText()}) {
      const ReplayResult result = Replay<Reference>(text, threads);
      EXPECT_EQ(result.mismatches, 0u) << result.first_mismatch;
      EXPECT_GT(result.reads_verified, 500u);
      EXPECT_GT(result.never_written, 0u);
      EXPECT_EQ(result.reads.Count() + result.writes.Count(), result.requests);
    }
  }
}

TEST(Replay, ThreadsDoNotChangeTheAnswers) {
  const ReplayResult one = Replay<Reference>(CacheTraceText(), 1);
  const ReplayResult four = Replay<Reference>(CacheTraceText(), 4);
  EXPECT_EQ(one.reads_verified, four.reads_verified);
  EXPECT_EQ(one.absences_verified, four.absences_verified);
  EXPECT_EQ(one.never_written, four.never_written);
  EXPECT_EQ(one.live_bytes, four.live_bytes);
}

TEST(Replay, EveryKindOfLieIsCaught) {
  const std::string text = BlockTraceText();
  EXPECT_EQ(Replay<LyingEngine<Lie::kNone>>(text, 1).mismatches, 0u);
  EXPECT_GT(Replay<LyingEngine<Lie::kWrongByte>>(text, 1).mismatches, 100u);
  EXPECT_GT(Replay<LyingEngine<Lie::kStaleValue>>(text, 1).mismatches, 100u);
  EXPECT_GT(Replay<LyingEngine<Lie::kLostKey>>(text, 1).mismatches, 100u);
  const ReplayResult ghost = Replay<LyingEngine<Lie::kGhostKey>>(text, 1);
  EXPECT_GT(ghost.mismatches, 100u);
  EXPECT_NE(ghost.first_mismatch.find("request "), std::string::npos);
}

TEST(Replay, LiesInConditionalWritesAreCaught) {
  EXPECT_GT(Replay<LyingEngine<Lie::kWrongByte>>(CacheTraceText(), 1).mismatches, 10u);
}

TEST(Expected, ExpiryAllowsEitherAnswerOnlyAroundItsInstant) {
  Expected expected;
  EXPECT_FALSE(expected.MayBePresent(0));
  EXPECT_TRUE(expected.MayBeAbsent(0));
  expected.Store(1, 10, /*expires_at=*/1000);
  EXPECT_TRUE(expected.MayBePresent(999));
  EXPECT_FALSE(expected.MayBePresent(1000));
  EXPECT_FALSE(expected.MayBeAbsent(999));
  EXPECT_TRUE(expected.MayBeAbsent(1000));
  expected.Remove();
  EXPECT_TRUE(expected.MayBeAbsent(0));
}

TEST(ReplayValues, FollowFromSeedAndSizeAlone) {
  const ReplayValues values(100'000);
  std::string value;
  for (const size_t size : {0, 1, 15, 16, 17, 512, 100'000}) {
    values.Make(9, size, &value);
    EXPECT_EQ(value.size(), size);
    EXPECT_TRUE(values.Matches(value, 9, size));
    if (size == 0) continue;
    EXPECT_FALSE(values.Matches(value, 9, size - 1));
    EXPECT_FALSE(values.Matches(value, 10, size));
    value.back() ^= 1;
    EXPECT_FALSE(values.Matches(value, 9, size));
  }
}

TEST(Transform, IsMemcacheds) {
  std::string out;
  Transform(OperationKind::kAppend, "ab", "cd", 1, &out);
  EXPECT_EQ(out, "abcd");
  Transform(OperationKind::kPrepend, "ab", "cd", 1, &out);
  EXPECT_EQ(out, "cdab");
  Transform(OperationKind::kAddDecimal, "41", "", 1, &out);
  EXPECT_EQ(out, "42");
  Transform(OperationKind::kSubtractDecimal, "0", "", 1, &out);
  EXPECT_EQ(out, "0");
  Transform(OperationKind::kAddDecimal, "18446744073709551615", "", 1, &out);
  EXPECT_EQ(out, "0");
  Transform(OperationKind::kAddDecimal, "not a number", "", 1, &out);
  EXPECT_EQ(out, "1");
  Transform(OperationKind::kCas, "old", "new", 1, &out);
  EXPECT_EQ(out, "new");
}

}  // namespace
}  // namespace bench
