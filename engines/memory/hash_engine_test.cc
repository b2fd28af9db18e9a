// HashMemory beyond the conformance suite: atomicity under concurrency, expiry and its
// reclamation, growth beside readers, statistics.
#include "engines/memory/hash_engine.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engines/memory/test_parts.h"
#include "gtest/gtest.h"
#include "kv/base/clock.h"

namespace kv {
namespace {

using testing::OneShard;
using testing::Sharded;
using ManualMemory = HashMemory<testing::ShardedParts, ManualClock>;

constexpr int kRounds = 2000;

std::string KeyOf(int i) { return "key" + std::to_string(i); }

TEST(HashMemory, DescriptorNamesEachPart) {
  EXPECT_EQ(Sharded::Descriptor(),
            R"({"engine":"memory_hash","sharding":"hashed<256>","expiry":"absolute"})");
}

TEST(HashMemory, RefusesExpiryWithoutTheSlot) {
  auto engine = *OneShard::Open({});
  EXPECT_EQ(engine->Put("a", "1", {.expires_at = 5}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(engine->Put("a", "1").ok());
  WriteBatch batch;
  batch.Put("b", "2", 5);
  EXPECT_EQ(engine->Write(batch).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(*engine->Count(""), 1u);
}

TEST(HashMemory, BatchWritesOneKeySeveralTimes) {
  auto engine = *OneShard::Open({});
  ASSERT_TRUE(engine->Put("kept", "old").ok());
  WriteBatch batch;
  batch.Put("a", "1");
  batch.Put("a", "2");
  batch.Put("gone", "x");
  batch.Delete("gone");
  batch.Delete("never");
  batch.Delete("kept");
  batch.Put("kept", "new");
  ASSERT_TRUE(engine->Write(batch).ok());
  std::string value;
  ASSERT_TRUE(engine->Get("a", &value).ok());
  EXPECT_EQ(value, "2");
  ASSERT_TRUE(engine->Get("kept", &value).ok());
  EXPECT_EQ(value, "new");
  EXPECT_EQ(engine->Get("gone", &value).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(*engine->Count(""), 2u);
}

// Two keys always change together; no way of reading may see them apart, nor the second older
// than the first when read after it.
template <typename E>
void BatchesAreAtomic() {
  auto engine = *E::Open({});
  const std::vector<std::string_view> keys = {"left", "right", "third"};
  const auto write = [&](int round) {
    WriteBatch batch;
    for (const std::string_view key : keys) batch.Put(key, std::to_string(1'000'000 + round));
    ASSERT_TRUE(engine->Write(batch).ok());
  };
  write(0);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int round = 1; round <= kRounds; ++round) write(round);
    done.store(true, std::memory_order_release);
  });
  std::thread single([&] {
    std::string first, second;
    while (!done.load(std::memory_order_acquire)) {
      ASSERT_TRUE(engine->Get("left", &first).ok());
      ASSERT_TRUE(engine->Get("right", &second).ok());
      ASSERT_LE(first, second);
    }
  });
  std::vector<std::string> values(keys.size());
  std::vector<absl::Status> statuses(keys.size());
  while (!done.load(std::memory_order_acquire)) {
    engine->MultiGet(keys, values, statuses);
    ASSERT_TRUE(statuses[0].ok() && statuses[1].ok() && statuses[2].ok());
    ASSERT_EQ(values[0], values[1]);
    ASSERT_EQ(values[0], values[2]);
  }
  writer.join();
  single.join();
}

TEST(HashMemory, BatchesAreAtomicOverShards) { BatchesAreAtomic<Sharded>(); }
TEST(HashMemory, BatchesAreAtomicWithinOneShard) { BatchesAreAtomic<OneShard>(); }

TEST(HashMemory, CountSeesOneState) {
  auto engine = *Sharded::Open({});
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(engine->Put(KeyOf(i), "v").ok());
  std::atomic<bool> done{false};
  // Moves a key from one name to another, so that there are 200 at every instant.
  std::thread writer([&] {
    for (int round = 0; round < kRounds; ++round) {
      WriteBatch batch;
      batch.Delete(KeyOf(round));
      batch.Put(KeyOf(round + 200), "v");
      ASSERT_TRUE(engine->Write(batch).ok());
    }
    done.store(true, std::memory_order_release);
  });
  while (!done.load(std::memory_order_acquire)) {
    const absl::StatusOr<uint64_t> count = engine->Count("key");
    ASSERT_EQ(*count, 200u);
  }
  writer.join();
}

// One thread writes x, then y, never in a batch: a MultiGet that has the new y has the new x.
TEST(HashMemory, MultiGetKeepsTheOrderOfSingleWrites) {
  auto engine = *Sharded::Open({});
  ASSERT_TRUE(engine->Put("x", "1000000").ok());
  ASSERT_TRUE(engine->Put("y", "1000000").ok());
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 1; i <= 10 * kRounds; ++i) {
      const std::string value = std::to_string(1'000'000 + i);
      ASSERT_TRUE(engine->Put("x", value).ok());
      ASSERT_TRUE(engine->Put("y", value).ok());
    }
    done.store(true, std::memory_order_release);
  });
  const std::vector<std::string_view> keys = {"x", "y"};
  std::vector<std::string> values(2);
  std::vector<absl::Status> statuses(2);
  while (!done.load(std::memory_order_acquire)) {
    engine->MultiGet(keys, values, statuses);
    const int x = std::stoi(values[0]);
    const int y = std::stoi(values[1]);
    ASSERT_TRUE(x == y || x == y + 1) << x << " " << y;
  }
  writer.join();
}

TEST(HashMemory, CompareAndSetLosesNoIncrement) {
  auto engine = *Sharded::Open({});
  ASSERT_TRUE(engine->Put("n", "0").ok());
  constexpr int kThreads = 3;
  constexpr int kIncrements = 500;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      std::string seen;
      for (int i = 0; i < kIncrements; ++i) {
        for (;;) {
          ASSERT_TRUE(engine->Get("n", &seen).ok());
          const std::string next = std::to_string(std::stoi(seen) + 1);
          if (engine->CompareAndSet("n", seen, next)->swapped) break;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::string value;
  ASSERT_TRUE(engine->Get("n", &value).ok());
  EXPECT_EQ(value, std::to_string(kThreads * kIncrements));
}

// Readers beside growth, shrinking and reclamation: a key that is always there is always found,
// with a value that is whole.
TEST(HashMemory, ReadersBesideGrowthAndChurn) {
  auto engine = *OneShard::Open({});
  ASSERT_TRUE(engine->Put("constant", std::string(100, 'a')).ok());
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 3000; ++i) {
        ASSERT_TRUE(engine->Put(KeyOf(i), "v").ok());
        ASSERT_TRUE(
            engine->Put("constant", std::string(100, static_cast<char>('a' + i % 26))).ok());
      }
      for (int i = 0; i < 3000; ++i) ASSERT_TRUE(engine->Delete(KeyOf(i)).ok());
    }
    done.store(true, std::memory_order_release);
  });
  std::string value;
  while (!done.load(std::memory_order_acquire)) {
    ASSERT_TRUE(engine->Get("constant", &value).ok());
    ASSERT_EQ(value, std::string(100, value[0]));
  }
  writer.join();
}

TEST(HashMemory, ExpiredKeysAreAbsentAtOnceAndLaterFreed) {
  ManualClock clock;
  auto engine = *ManualMemory::Open({}, clock);
  const std::string value(1000, 'v');
  const uint64_t soon = clock.UnixMillis() + 10;
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(engine->Put(KeyOf(i), value, {.expires_at = soon}).ok());
  }
  ASSERT_TRUE(engine->Put("stays", "v").ok());
  EXPECT_EQ(*engine->Count(""), 10'001u);
  EXPECT_EQ(*engine->ExpiresAt(KeyOf(1)), soon);
  EXPECT_GE(engine->Stats().memory_bytes, 10'000'000u);
  clock.AdvanceMillis(10);
  std::string found;
  EXPECT_EQ(engine->Get(KeyOf(1), &found).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(engine->ExpireAt(KeyOf(1), kNeverExpires).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(engine->CompareAndSet(KeyOf(1), std::nullopt, "again")->swapped);
  // Writes sweep: a few passes' worth of them frees all but the limbo of each shard.
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(engine->Put(KeyOf(i % 100), "v").ok());
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(engine->Delete("absent" + KeyOf(i)).ok());
  // All but those that were overwritten first.
  EXPECT_GE(engine->Stats().expired_dropped, 9'900u);
  EXPECT_LT(engine->Stats().live_bytes_estimate, 10'000u);
  EXPECT_EQ(*engine->Count(""), 101u);
}

TEST(HashMemory, CountFreesWhatHasExpired) {
  ManualClock clock;
  auto engine = *ManualMemory::Open({}, clock);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(engine->Put(KeyOf(i), "v", {.expires_at = clock.UnixMillis() + 10}).ok());
  }
  clock.AdvanceMillis(10);
  EXPECT_EQ(*engine->Count(""), 0u);
  EXPECT_EQ(engine->Stats().expired_dropped, 1000u);
  EXPECT_EQ(engine->Stats().live_bytes_estimate, 0u);
}

TEST(HashMemory, OverwritesDoNotPileUp) {
  auto engine = *Sharded::Open({});
  const std::string value(1000, 'v');
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(engine->Put(KeyOf(i % 100), value).ok());
  EXPECT_LT(engine->Stats().memory_bytes, 16u << 20);
}

TEST(HashMemory, CountsWhatItDoes) {
  auto engine = *Sharded::Open({});
  ASSERT_TRUE(engine->Put("ab", "cde").ok());
  std::string value;
  EXPECT_TRUE(engine->Get("ab", &value).ok());
  EXPECT_FALSE(engine->Get("x", &value).ok());
  EXPECT_FALSE(engine->CompareAndSet("ab", "no", "yes")->swapped);
  const Statistics statistics = engine->Stats();
  EXPECT_EQ(statistics.reads, 2u);
  EXPECT_EQ(statistics.read_hits, 1u);
  EXPECT_EQ(statistics.writes, 1u);
  EXPECT_EQ(statistics.user_bytes_written, 5u);
  EXPECT_EQ(statistics.cas_attempts, 1u);
  EXPECT_EQ(statistics.cas_failures, 1u);
  EXPECT_EQ(statistics.live_bytes_estimate, 5u);
}

}  // namespace
}  // namespace kv
