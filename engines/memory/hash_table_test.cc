// HashTable and HashShard against std::unordered_map: growth, deletes, reuse of tombstones,
// shrinking, freezing, and the memory that is reclaimed.
#include "engines/memory/hash_table.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engines/memory/epoch.h"
#include "engines/memory/hash_shard.h"
#include "gtest/gtest.h"
#include "kv/base/hash.h"

namespace kv::memory_internal {
namespace {

std::string KeyOf(uint64_t i) { return "key" + std::to_string(i); }

void Put(HashShard& shard, uint64_t hash, std::string_view key, std::string_view value,
         uint64_t expires_at = kNeverExpires) {
  shard.Put(hash, Entry::New(key, value, expires_at));
}

void Put(HashShard& shard, std::string_view key, std::string_view value) {
  Put(shard, HashKey(key), key, value);
}

std::string Get(HashShard& shard, uint64_t hash, std::string_view key) {
  const Entry* const entry = shard.Find(hash, key);
  return entry == nullptr ? "(absent)" : std::string(entry->value());
}

TEST(HashTable, StartsEmptyAndAligned) {
  const HashTable table = HashTable::New(64);
  EXPECT_EQ(table.capacity(), 64u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(&table.slot(0)) % kCacheLineBytes, 0u);
  EXPECT_EQ(table.Find(HashKey("a"), "a"), nullptr);
  EXPECT_FALSE(table.Locate(HashKey("a"), "a").found);
  ::operator delete(table.Base());
}

TEST(HashTable, EqualHashesAreToldApartByTheirKeys) {
  Epochs epochs;
  HashShard shard(&epochs);
  const uint64_t hash = 0;  // also the tag that is nearest to that of a tombstone
  // Few enough not to grow: growing places keys by hashes of its own.
  for (int i = 0; i < 5; ++i) Put(shard, hash, KeyOf(i), std::to_string(i));
  for (int i = 0; i < 5; i += 2) shard.Delete(hash, KeyOf(i));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Get(shard, hash, KeyOf(i)), i % 2 == 0 ? "(absent)" : std::to_string(i));
  }
}

TEST(HashShard, RandomOperationsAgreeWithUnorderedMap) {
  for (const uint64_t key_space : {20, 300, 5000}) {
    Epochs epochs;
    HashShard shard(&epochs);
    std::unordered_map<std::string, std::string> model;
    std::mt19937_64 random(key_space);
    for (int step = 0; step < 40'000; ++step) {
      const std::string key = KeyOf(random() % key_space);
      const uint64_t hash = HashKey(key);
      switch (random() % 8) {
        case 0:
        case 1:
        case 2: {
          const std::string value(random() % 40, static_cast<char>('a' + random() % 26));
          Put(shard, key, value);
          model[key] = value;
          break;
        }
        case 3:
        case 4:
          shard.Delete(hash, key);
          model.erase(key);
          break;
        case 5:
          if (random() % 50 == 0) {
            const auto guard = epochs.Enter();
            const HashTable frozen = shard.Freeze();
            const size_t size = model.size();
            Put(shard, "frozen", "x");
            shard.Delete(HashKey("frozen"), "frozen");
            size_t live = 0;
            for (size_t i = 0; i < frozen.capacity(); ++i) live += IsEntry(frozen.Peek(i));
            ASSERT_EQ(live, size);
          }
          break;
        default: {
          const auto found = model.find(key);
          ASSERT_EQ(Get(shard, hash, key), found == model.end() ? "(absent)" : found->second);
        }
      }
      ASSERT_EQ(shard.Live(), model.size());
    }
    for (const auto& [key, value] : model) ASSERT_EQ(Get(shard, HashKey(key), key), value);
  }
}

TEST(HashShard, TombstonesAreReusedSoThatChurnDoesNotGrowTheTable) {
  Epochs epochs;
  HashShard shard(&epochs);
  for (uint64_t i = 0; i < 100; ++i) Put(shard, KeyOf(i), "v");
  const size_t capacity = shard.Table().capacity();
  for (uint64_t i = 100; i < 100'000; ++i) {
    Put(shard, KeyOf(i), "v");
    shard.Delete(HashKey(KeyOf(i - 100)), KeyOf(i - 100));
  }
  EXPECT_EQ(shard.Live(), 100u);
  EXPECT_LE(shard.Table().capacity(), capacity * 2);
}

TEST(HashShard, ShrinksWhenItEmpties) {
  Epochs epochs;
  HashShard shard(&epochs);
  for (uint64_t i = 0; i < 10'000; ++i) Put(shard, KeyOf(i), "v");
  EXPECT_GE(shard.Table().capacity(), 10'000u);
  for (uint64_t i = 0; i < 10'000; ++i) shard.Delete(HashKey(KeyOf(i)), KeyOf(i));
  EXPECT_EQ(shard.Live(), 0u);
  EXPECT_EQ(shard.LiveBytes(), 0u);
  EXPECT_LE(shard.Table().capacity(), 64u);
  EXPECT_LE(shard.AllocatedBytes(), 100'000u);
}

TEST(HashShard, GarbageWaitsForReadersAndThenGoes) {
  Epochs epochs;
  HashShard shard(&epochs);
  const std::string value(1000, 'v');
  {
    const auto guard = epochs.Enter();
    for (int i = 0; i < 1000; ++i) Put(shard, "key", value);
    EXPECT_GE(shard.AllocatedBytes(), 900'000u);  // nothing may be freed beside the reader
  }
  for (int i = 0; i < 200; ++i) Put(shard, "key", value);
  EXPECT_LE(shard.AllocatedBytes(), 200'000u);
}

TEST(HashShard, SweepDropsWhatHasExpired) {
  Epochs epochs;
  HashShard shard(&epochs);
  for (uint64_t i = 0; i < 1000; ++i) {
    Put(shard, HashKey(KeyOf(i)), KeyOf(i), "v", i % 2 == 0 ? 100 : 200);
  }
  const auto expired = [](uint64_t at) { return at <= 100; };
  size_t dropped = 0;
  for (int i = 0; i < 10'000; ++i) dropped += shard.Sweep(expired);
  EXPECT_EQ(dropped, 500u);
  EXPECT_EQ(shard.Live(), 500u);
  EXPECT_EQ(Get(shard, HashKey(KeyOf(1)), KeyOf(1)), "v");
}

TEST(Epochs, PassesWhenOlderGuardsAreGone) {
  Epochs epochs;
  EXPECT_TRUE(epochs.Passed(epochs.Advance()));
  Epochs::Ticket ticket;
  {
    const auto guard = epochs.Enter();
    ticket = epochs.Advance();
    EXPECT_FALSE(epochs.Passed(ticket));
    { const auto nested = epochs.Enter(); }
    EXPECT_FALSE(epochs.Passed(ticket));
  }
  EXPECT_TRUE(epochs.Passed(ticket));
  const auto later = epochs.Enter();
  EXPECT_TRUE(epochs.Passed(ticket));
}

}  // namespace
}  // namespace kv::memory_internal
