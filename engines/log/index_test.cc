// The index against a map, its memory at every size, and its readers beside its writers.
#include "engines/log/index.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "gtest/gtest.h"
#include "kv/base/hash.h"
#include "kv/base/read_gate.h"
#include "kv/testing/random.h"

namespace kv {
namespace {

uint64_t HashOf(uint64_t key) {
  return HashKey(std::string_view(reinterpret_cast<const char*>(&key), sizeof key));
}
// The n-th location that a test hands out.
Location At(uint64_t n) { return Location(static_cast<uint32_t>(n >> 20), (n & 0xfffff) * 8 + 64); }

// Stands for the records: which key is where.
class Records {
 public:
  Location Add(uint64_t key) {
    keys_.push_back(key);
    return At(keys_.size() - 1);
  }
  auto Same(uint64_t key) const {
    return [this, key](Location at) { return KeyAt(at) == key; };
  }
  uint64_t KeyAt(Location at) const {
    return keys_[(uint64_t{at.place()} << 20 | (at.offset() - 64) / 8)];
  }

 private:
  std::vector<uint64_t> keys_;
};

TEST(LocationTest, KeepsItsParts) {
  for (const uint32_t place : {0u, 1u, kMaxSegments - 1}) {
    for (const uint64_t offset : {uint64_t{8}, uint64_t{64}, kMaxSegmentBytes - 8}) {
      const Location location(place, offset);
      EXPECT_EQ(location.place(), place);
      EXPECT_EQ(location.offset(), offset);
      EXPECT_EQ(Location::FromBits(location.bits()), location);
      EXPECT_LT(location.bits(), uint64_t{1} << 48);
      EXPECT_TRUE(location);
    }
  }
  EXPECT_FALSE(Location());
}

TEST(LogIndexTest, DoesAsAMapDoes) {
  ReadGate gate;
  LogIndex index(gate);
  Records records;
  std::unordered_map<uint64_t, Location> model;
  testing::Random random(1);
  for (int step = 0; step < 200'000; ++step) {
    // Grows for a while, shrinks for a while, so that tables change their size both ways.
    const bool growing = step / 25'000 % 2 == 0;
    const uint64_t key = random.Below(30'000);
    const uint64_t hash = HashOf(key);
    const auto before = model.find(key);
    const Location expected = before == model.end() ? Location() : before->second;
    ASSERT_EQ(index.Find(hash, records.Same(key)), expected);
    if (random.Below(4) < (growing ? 3u : 1u)) {
      const Location at = records.Add(key);
      ASSERT_EQ(index.Put(hash, at, records.Same(key)), expected);
      model[key] = at;
    } else {
      ASSERT_EQ(index.Erase(hash, records.Same(key)), expected);
      model.erase(key);
    }
    index.Reclaim();
  }
  EXPECT_EQ(index.Keys(), model.size());
  for (const auto& [key, at] : model) EXPECT_EQ(index.Find(HashOf(key), records.Same(key)), at);
}

// All keys have one tag and one shard: nothing but the records tells them apart.
TEST(LogIndexTest, KeysOfOneHashAreToldApartByTheirRecords) {
  ReadGate gate;
  LogIndex index(gate);
  Records records;
  constexpr uint64_t kHash = 0x1234'5678'9abc'def0;
  std::vector<Location> at;
  for (uint64_t key = 0; key < 100; ++key) {
    at.push_back(records.Add(key));
    EXPECT_FALSE(index.Put(kHash, at.back(), records.Same(key)));
  }
  for (uint64_t key = 0; key < 100; key += 2) {
    EXPECT_EQ(index.Erase(kHash, records.Same(key)), at[key]);
  }
  for (uint64_t key = 0; key < 100; ++key) {
    EXPECT_EQ(index.Find(kHash, records.Same(key)), key % 2 == 0 ? Location() : at[key]);
  }
}

TEST(LogIndexTest, MovesOnlyWhatIsStillThere) {
  ReadGate gate;
  LogIndex index(gate);
  const auto any = [](Location) { return true; };
  index.Put(1, At(1), any);
  EXPECT_TRUE(index.PointsAt(1, At(1)));
  EXPECT_FALSE(index.Move(1, At(2), At(3)));
  EXPECT_TRUE(index.Move(1, At(1), At(3)));
  EXPECT_FALSE(index.PointsAt(1, At(1)));
  EXPECT_EQ(index.Find(1, any), At(3));
  EXPECT_FALSE(index.Move(1, At(1), Location()));
  EXPECT_TRUE(index.Move(1, At(3), Location()));
  EXPECT_EQ(index.Find(1, any), Location());
  EXPECT_EQ(index.Keys(), 0u);
}

// The figure that the engine promises: at no size more than 20 bytes a key, tables that wait to be
// freed included. Below 100,000 keys the 256 shards themselves show.
TEST(LogIndexTest, TakesAtMostTwentyBytesAKeyAtEverySize) {
  ReadGate gate;
  LogIndex index(gate);
  const auto never = [](Location) { return false; };
  double most = 0;
  for (uint64_t key = 1; key <= 1'500'000; ++key) {
    index.Put(HashOf(key), At(key), never);
    index.Reclaim();
    if (key < 100'000 || key % 128 != 0) continue;
    most = std::max(most, static_cast<double>(index.MemoryBytes()) / static_cast<double>(key));
  }
  EXPECT_LE(most, 20.0);
  RecordProperty("most_bytes_a_key", std::to_string(most));
  EXPECT_GE(most, 10.0);  // the figure is not one of something else
}

TEST(LogIndexTest, FrozenIndexStaysAsItWas) {
  ReadGate gate;
  LogIndex index(gate);
  const auto any = [](Location) { return true; };
  for (uint64_t key = 0; key < 5'000; ++key) index.Put(HashOf(key), At(key), any);
  {
    const LogIndex::Frozen frozen = index.Freeze();
    for (uint64_t key = 0; key < 5'000; ++key) {
      if (key % 2 == 0) {
        index.Erase(HashOf(key), any);
      } else {
        index.Move(HashOf(key), At(key), At(key + 10'000));
      }
    }
    for (uint64_t key = 5'000; key < 20'000; ++key) index.Put(HashOf(key), At(key), any);
    std::vector<bool> seen(5'000);
    frozen.ForEach([&](Location at) {
      const uint64_t n = (at.offset() - 64) / 8;
      ASSERT_LT(n, seen.size());
      EXPECT_FALSE(seen[n]);
      seen[n] = true;
    });
    EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 5'000);
  }
  EXPECT_EQ(index.Keys(), 2'500u + 15'000u);
}

// Every shard is locked at once, by a freeze and by a batch that has keys in all of them.
TEST(LogIndexTest, AllShardsAreLockedAtOnceBesideWriters) {
  ReadGate gate;
  LogIndex index(gate);
  const auto any = [](Location) { return true; };
  std::vector<uint64_t> hashes;
  for (uint64_t shard = 0; shard < LogIndex::kShards; ++shard) hashes.push_back(shard << 56);
  std::thread writer([&] {
    for (uint64_t n = 1; n <= 100; ++n) {
      for (const uint64_t hash : hashes) index.Put(hash | 1, At(n), any);
    }
  });
  for (uint64_t n = 1; n <= 100; ++n) {
    index.Batch(
        hashes, [] {},
        [&] {
          for (const uint64_t hash : hashes) index.PutInBatch(hash, At(n), any);
        });
    const LogIndex::Frozen frozen = index.Freeze();
    size_t in_batch = 0;
    frozen.ForEach([&](Location at) { in_batch += at == At(n) ? 1 : 0; });
    EXPECT_GE(in_batch, hashes.size());
  }
  writer.join();
  EXPECT_EQ(index.Keys(), 2 * hashes.size());
}

// Two keys are always changed together; readers that validate see them together. A third thread
// makes the tables grow and shrink meanwhile.
//
// Memory order: seq_cst, the default, for the flag and the counts.
TEST(LogIndexTest, ReadersSeeBatchesWhole) {
  ReadGate gate;
  LogIndex index(gate);
  const auto any = [](Location) { return true; };
  const uint64_t keys[] = {HashOf(1), HashOf(2)};
  index.Put(keys[0], At(1), any);
  index.Put(keys[1], At(1), any);
  std::atomic<bool> done{false};
  std::atomic<int> read{0};
  std::thread reader([&] {
    while (!done || read < 1'000) {
      const auto guard = gate.Enter();
      uint64_t versions[2];
      Location at[2];
      for (int i = 0; i < 2; ++i) versions[i] = index.StableVersion(keys[i]);
      for (int i = 0; i < 2; ++i) at[i] = index.Find(keys[i], any);
      if (index.Version(keys[0]) != versions[0] || index.Version(keys[1]) != versions[1]) continue;
      EXPECT_EQ(at[0], at[1]);
      ++read;
    }
  });
  std::thread grower([&] {
    const auto never = [](Location) { return false; };
    for (int round = 0; round < 4; ++round) {
      for (uint64_t key = 10; key < 20'000; ++key) index.Put(HashOf(key), At(key), never);
      for (uint64_t key = 10; key < 20'000; ++key) index.Move(HashOf(key), At(key), Location());
      index.Reclaim();
    }
  });
  for (uint64_t n = 2; n < 20'000 || read < 1'000; ++n) {
    index.Batch(
        keys, [] {},
        [&] {
          for (const uint64_t hash : keys) index.PutInBatch(hash, At(n), any);
        });
    if (n > 50'000'000) break;
  }
  done = true;
  reader.join();
  grower.join();
  EXPECT_EQ(index.Keys(), 2u);
}

}  // namespace
}  // namespace kv
