// The recorder tells the truth of a sound engine, and an engine with one bug is found out.
#include "kv/testing/concurrent_history.h"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "gtest/gtest.h"
#include "kv/testing/conformance.h"
#include "kv/testing/wrapped_engine.h"

namespace kv::testing {
namespace {

StoreCall Sees(uint32_t keys, const StoreState& state) {
  return {.name = "Get", .saw = keys, .seen = state};
}

StoreCall Writes(uint32_t keys, const StoreState& state) {
  return {.name = "Put", .wrote = keys, .written = state};
}

TEST(ConcurrentHistoryTest, TheModelIsAStore) {
  const StoreState state = {5, 0, 7, 0};
  EXPECT_EQ(After(state, Sees(0b0011, {5, 0, 1, 1})), state) << "what was not seen is any";
  EXPECT_EQ(After(state, Sees(0b0010, {0, 5, 0, 0})), std::nullopt);
  EXPECT_EQ(After(state, Writes(0b0110, {9, 8, 0, 9})), (StoreState{5, 8, 0, 0}));
  StoreCall count{.name = "Count", .counted = 2};
  EXPECT_EQ(After(state, count), state);
  count.counted = 3;
  EXPECT_EQ(After(state, count), std::nullopt);
}

TEST(ConcurrentHistoryTest, TellsWhatContradictsWhat) {
  const ConcurrentHistory history = {
      {10, 20, Writes(1, {3})}, {30, 50, Sees(1, {0})}, {25, 40, Writes(2, {0, 4})}};
  const auto wrong = Contradiction(history);
  ASSERT_TRUE(wrong.has_value());
  EXPECT_EQ(*wrong,
            "no order explains: Get saw 0: absent\n"
            "beside it, in ns from its beginning:\n"
            "         0 to       20  Get saw 0: absent\n"
            "        -5 to       10  Put wrote 1: 4\n");
}

TEST(ConcurrentHistoryTest, CallsOfEveryKindAreRecorded) {
  const Composition reference = CompositionOf<ReferenceEngine>("Reference");
  const auto engine = reference.open({});
  ASSERT_TRUE(engine.ok());
  const auto history = RunConcurrently(**engine, reference.has, {.threads = 2, .calls = 300});
  ASSERT_TRUE(history.ok()) << history.status();
  std::map<std::string_view, int> names;
  for (const auto& [begin, end, call] : *history) {
    EXPECT_LE(begin, end);
    ++names[call.name];
  }
  for (const std::string_view name : {"Get", "Put", "Delete", "Write", "MultiGet", "CompareAndSet",
                                      "Count", "NewCursor", "TakeSnapshot", "DeleteRange"}) {
    EXPECT_GT(names[name], 0) << name;
  }
  EXPECT_EQ(Contradiction(*history), std::nullopt);
}

// ---- Engines with one bug ----

class Sound : public Wrapped {};

// A write is there for its writer at once and for the others a little later.
class SeesOldValues : public Wrapped {
 public:
  absl::Status Get(std::string_view key, std::string* value) override {
    const std::lock_guard lock(mutex_);
    auto& [found, kept, left] = kept_[std::string(key)];
    if (left == 0) {
      found = inner_.Get(key, &kept);
      left = 4;
    }
    --left;
    *value = kept;
    return found;
  }
  using Wrapped::Get;

 private:
  struct Kept {
    absl::Status found;
    std::string value;
    int left = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Kept> kept_;
};

// Has no lock around what it compares and what it sets.
class CasInTwoSteps : public Wrapped {
 public:
  absl::StatusOr<CasResult> CompareAndSet(std::string_view key,
                                          std::optional<std::string_view> expected,
                                          std::optional<std::string_view> desired,
                                          const PutOptions&) override {
    KV_ASSIGN_OR_RETURN(auto found, Lookup(inner_, key));
    std::this_thread::yield();
    if (found != expected) return CasResult{.swapped = false, .current = std::move(found)};
    KV_RETURN_IF_ERROR(desired ? inner_.Put(key, *desired, {}) : inner_.Delete(key));
    return CasResult{.swapped = true, .current = std::nullopt};
  }
};

class MultiGetKeyByKey : public Wrapped {
 public:
  void MultiGet(std::span<const std::string_view> keys, std::span<std::string> values,
                std::span<absl::Status> statuses) override {
    for (size_t i = 0; i < keys.size(); ++i) {
      statuses[i] = inner_.Get(keys[i], &values[i]);
      std::this_thread::yield();
    }
  }
};

// Answers before the write is in, which comes with the next one.
class AnswersBeforeItWrites : public Wrapped {
 public:
  absl::Status Put(std::string_view key, std::string_view value,
                   const PutOptions& options) override {
    const std::lock_guard lock(mutex_);
    if (!key_.empty()) KV_RETURN_IF_ERROR(inner_.Put(key_, value_, options));
    key_ = key;
    value_ = value;
    return absl::OkStatus();
  }
  using Wrapped::Put;

 private:
  std::mutex mutex_;
  std::string key_, value_;
};

// A snapshot that reads what is there when it is read.
class SnapshotsOfLater : public Wrapped {
 public:
  absl::Status Get(std::string_view key, std::string* value, const AnySnapshot&) override {
    return inner_.Get(key, value);
  }
  using Wrapped::Get;
};

class CountsTwice : public Wrapped {
 public:
  absl::StatusOr<uint64_t> Count(std::string_view prefix) override {
    KV_ASSIGN_OR_RETURN(const uint64_t before, inner_.Count(prefix));
    std::this_thread::yield();
    KV_ASSIGN_OR_RETURN(const uint64_t after, inner_.Count(prefix));
    return before + after - (before + after) / 2;
  }
};

// Whether some load finds the engine out. A race has to happen to be seen, so there are many.
template <typename Broken>
bool IsFoundOut() {
  const Composition composition = CompositionWith<Broken>();
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Broken engine;
    const auto history = RunConcurrently(engine, composition.has, {.seed = seed, .calls = 400});
    EXPECT_TRUE(history.ok()) << history.status();
    if (!history.ok() || Contradiction(*history)) return true;
  }
  return false;
}

TEST(ConcurrentHistoryTest, ASoundEngineIsNotAccused) {
  const Composition composition = CompositionWith<Sound>();
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Sound engine;
    const auto history = RunConcurrently(engine, composition.has, {.seed = seed});
    ASSERT_TRUE(history.ok()) << history.status();
    EXPECT_EQ(Contradiction(*history), std::nullopt);
  }
}

TEST(ConcurrentHistoryTest, FindsOutStaleReads) { EXPECT_TRUE(IsFoundOut<SeesOldValues>()); }

TEST(ConcurrentHistoryTest, FindsOutEarlyAnswers) {
  EXPECT_TRUE(IsFoundOut<AnswersBeforeItWrites>());
}

TEST(ConcurrentHistoryTest, FindsOutWhatIsNotAtomic) {
  EXPECT_TRUE(IsFoundOut<CasInTwoSteps>());
  EXPECT_TRUE(IsFoundOut<MultiGetKeyByKey>());
  EXPECT_TRUE(IsFoundOut<AppliesBatchesOneByOne>());
  EXPECT_TRUE(IsFoundOut<CountsTwice>());
}

TEST(ConcurrentHistoryTest, FindsOutSnapshotsOfNoInstant) {
  EXPECT_TRUE(IsFoundOut<SnapshotsOfLater>());
}

}  // namespace
}  // namespace kv::testing
