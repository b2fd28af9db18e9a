// A large tree against std::map: splits, merges, walks both ways, snapshots, reopening.
#include "engines/btree/tree.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engines/btree/store_testing.h"
#include "kv/testing/random.h"

namespace kv::btree {
namespace {

using kv::testing::Random;

struct LargeParts : SmallUnsyncedParts {};
using LargeStore = Btree<LargeParts, SimulatedEnvironment>;

std::string KeyOf(uint64_t number) {
  // Of several lengths, with long common beginnings.
  return fmt::format("{}/{:06}{}", number % 3 == 0 ? "users" : "user-settings-of", number,
                     std::string(number % 5, 'k'));
}

template <typename C>
void ExpectSameWalk(C cursor, const Model& model, bool forward) {
  auto expected = model.begin();
  auto backward = model.rbegin();
  uint64_t count = 0;
  for (forward ? cursor.SeekToFirst() : cursor.SeekToLast(); cursor.Valid();
       forward ? cursor.Next() : cursor.Prev()) {
    ASSERT_LT(count++, model.size());
    const auto& [key, value] = forward ? *expected++ : *backward++;
    ASSERT_EQ(cursor.key(), key);
    ASSERT_EQ(cursor.value(), value);
  }
  ASSERT_TRUE(cursor.status().ok()) << cursor.status();
  ASSERT_EQ(count, model.size());
}

template <typename E>
void ExpectSame(E& store, const Model& model, Random& random) {
  ExpectSameWalk(store.NewCursor(), model, true);
  ExpectSameWalk(store.NewCursor(), model, false);
  auto cursor = store.NewCursor();
  for (int i = 0; i < 500; ++i) {
    const std::string key = KeyOf(random.Below(1'000'000));
    cursor.Seek(key);
    const auto found = model.lower_bound(key);
    ASSERT_EQ(cursor.Valid(), found != model.end());
    if (cursor.Valid()) {
      ASSERT_EQ(cursor.key(), found->first);
    }
    std::string value;
    const absl::Status status = store.Get(key, &value);
    const auto exact = model.find(key);
    ASSERT_EQ(status.ok(), exact != model.end()) << status;
    if (status.ok()) {
      ASSERT_EQ(value, exact->second);
    }
  }
}

TEST(TreeTest, TwoHundredThousandRandomKeys) {
  SimulatedFileSystem fs;
  Options options = SmallOptions();
  options.cache_bytes = 4 << 20;  // a part of the tree, so pages come and go
  auto store = OpenStore<LargeStore>(fs, options);
  ASSERT_TRUE(store.ok());
  Random random(1);
  Model model;
  for (int i = 0; i < 200'000; ++i) {
    const std::string key = KeyOf(random.Below(1'000'000));
    std::string value = random.Bytes(random.Below(30));
    ASSERT_TRUE((*store)->Put(key, value).ok());
    model[key] = std::move(value);
  }
  ExpectSame(**store, model, random);

  const Model before = model;
  const auto snapshot = (*store)->TakeSnapshot();
  // Nine of ten go, in no order, so leaves run empty everywhere and are joined.
  std::vector<std::string> keys;
  for (const auto& [key, value] : model) keys.push_back(key);
  for (const std::string& key : keys) {
    if (random.OneIn(10)) continue;
    ASSERT_TRUE((*store)->Delete(key).ok());
    model.erase(key);
  }
  ExpectSame(**store, model, random);
  ExpectSameWalk((*store)->NewCursor({}, snapshot), before, true);
  ASSERT_TRUE((*store)->Compact().ok());
  ExpectSame(**store, model, random);
  ExpectSameWalk((*store)->NewCursor({}, snapshot), before, false);
  ASSERT_TRUE((*store)->Verify().ok());

  ASSERT_TRUE((*store)->Close().ok());
}

TEST(TreeTest, AscendingAndDescendingRunsAndBack) {
  for (const bool ascending : {true, false}) {
    SimulatedFileSystem fs;
    auto store = OpenStore<LargeStore>(fs);
    ASSERT_TRUE(store.ok());
    Model model;
    Random random(2);
    constexpr uint64_t kCount = 5000;
    for (uint64_t i = 0; i < kCount; ++i) {
      const std::string key = fmt::format("{:08}", ascending ? i : kCount - i);
      ASSERT_TRUE((*store)->Put(key, "v" + key).ok());
      model[key] = "v" + key;
    }
    ExpectSame(**store, model, random);
    while (model.size() > 10) {
      const auto last = ascending ? model.begin() : std::prev(model.end());
      ASSERT_TRUE((*store)->Delete(last->first).ok());
      model.erase(last);
    }
    ASSERT_TRUE((*store)->Compact().ok());
    ExpectSame(**store, model, random);
    EXPECT_LE((*store)->Stats().live_bytes_estimate, 60u * 512) << "the tree is small again";
    ASSERT_TRUE((*store)->Verify().ok());
  }
}

// A cursor that stands in a copy of a leaf goes on behind it, though the leaf was joined with the
// next one, or the one before, meanwhile: nothing twice and nothing left out.
TEST(TreeTest, AWalkGoesOnWhereItWasWhenLeavesAreJoined) {
  for (const bool forward : {true, false}) {
    SimulatedFileSystem fs;
    auto store = OpenStore<LargeStore>(fs);
    ASSERT_TRUE(store.ok());
    Model model;
    for (int i = 0; i < 100; ++i) {
      const std::string key = fmt::format("{:03}", i);
      ASSERT_TRUE((*store)->Put(key, std::string(60, 'v')).ok());
      model[key] = std::string(60, 'v');
    }
    for (int i = 0; i < 100; ++i) {
      const std::string key = fmt::format("{:03}", i);
      if (i % 4 == 0) continue;
      ASSERT_TRUE((*store)->Delete(key).ok());
      model.erase(key);
    }
    auto cursor = (*store)->NewCursor();
    uint64_t count = 0;
    for (forward ? cursor.SeekToFirst() : cursor.SeekToLast(); cursor.Valid();
         forward ? cursor.Next() : cursor.Prev()) {
      if (++count == model.size() / 2) {
        ASSERT_TRUE((*store)->Compact().ok());
      }
    }
    EXPECT_TRUE(cursor.status().ok());
    EXPECT_EQ(count, model.size());
  }
}

// Versions of one key are in one page, whatever their number, as long as somebody may see them.
TEST(TreeTest, ManyVersionsOfOneKey) {
  SimulatedFileSystem fs;
  auto store = OpenStore<LargeStore>(fs);
  ASSERT_TRUE(store.ok());
  std::vector<LargeStore::Snapshot> snapshots;
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE((*store)->Put("key", fmt::format("value{}", i)).ok());
    snapshots.push_back((*store)->TakeSnapshot());
  }
  ASSERT_TRUE((*store)->Compact().ok());
  for (size_t i = 0; i < snapshots.size(); ++i) {
    std::string value;
    ASSERT_TRUE((*store)->Get("key", &value, snapshots[i]).ok());
    EXPECT_EQ(value, fmt::format("value{}", i));
  }
  snapshots.clear();
  ASSERT_TRUE((*store)->Compact().ok());
  EXPECT_LE((*store)->Stats().live_bytes_estimate, 10u * 512);
}

}  // namespace
}  // namespace kv::btree
