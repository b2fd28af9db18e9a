// Pages: what is built is found, in any order of inserts, and no damaged byte passes.
#include "engines/btree/page.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "engines/btree/leaf.h"
#include "engines/btree/page_builder.h"
#include "engines/btree/page_maker.h"
#include "engines/btree/pool.h"
#include "engines/btree/search.h"
#include "kv/io/simulated.h"
#include "kv/testing/random.h"

namespace kv::btree {
namespace {

using kv::testing::Random;

constexpr size_t kBytes = 4096;

// A frame of one page, as the pool has them.
class TestFrame {
 public:
  TestFrame()
      : memory_(::operator new (sizeof(Frame) + kBytes, std::align_val_t{alignof(Frame)})),
        frame_(new (memory_) Frame()) {
    std::fill_n(page().bytes(), kBytes, '#');  // what a page was before must not matter
  }
  TestFrame(const TestFrame&) = delete;
  TestFrame& operator=(const TestFrame&) = delete;
  ~TestFrame() { ::operator delete (memory_, std::align_val_t{alignof(Frame)}); }

  Frame* frame() { return frame_; }
  Page page() { return frame_->page(); }

 private:
  void* memory_;
  Frame* frame_;
};

// Keys that share their beginning, among them ones that are the beginning of others.
std::vector<std::string> MakeKeys(Random& random, size_t count) {
  const std::string shared = random.Bytes(random.Below(20));
  std::vector<std::string> keys;
  for (size_t i = 0; i < count; ++i) {
    keys.push_back(shared + std::string(random.Below(3), '\0') +
                   random.Bytes(random.Below(2) * random.Below(12)));
  }
  return keys;
}

std::vector<LeafItem> Sorted(std::vector<LeafItem> items) {
  std::ranges::sort(items, [](const LeafItem& a, const LeafItem& b) {
    return CompareInternal(a.key, a.sequence, b.key, b.sequence) < 0;
  });
  return items;
}

size_t RankIn(const std::vector<LeafItem>& items, std::string_view key, Sequence sequence) {
  return static_cast<size_t>(std::ranges::count_if(items, [&](const LeafItem& item) {
    return CompareInternal(item.key, item.sequence, key, sequence) < 0;
  }));
}

void ExpectSame(const LeafItem& got, const LeafItem& wanted) {
  EXPECT_EQ(got.key, wanted.key);
  EXPECT_EQ(got.value, wanted.value);
  EXPECT_EQ(got.sequence, wanted.sequence);
  EXPECT_EQ(got.expires_at, wanted.expires_at);
  EXPECT_EQ(got.kind, wanted.kind);
  EXPECT_EQ(got.blob, wanted.blob);
}

TEST(PageTest, BuiltLeavesAreSearchedAsSortedLists) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const std::vector<std::string> keys = MakeKeys(random, 1 + random.Below(25));
    std::vector<LeafItem> items;
    for (size_t i = 0; i < keys.size(); ++i) {
      items.push_back({.key = keys[i],
                       .value = keys[random.Below(keys.size())],
                       .sequence = i + 1,
                       .expires_at = random.OneIn(3) ? 1000 + i : kNeverExpires,
                       .kind = random.OneIn(4) ? RecordKind::kTombstone : RecordKind::kValue});
    }
    items = Sorted(std::move(items));
    TestFrame holder;
    const Page page = holder.page();
    page.Initialize(7, 1, kBytes, PageKind::kLeaf, 0);
    FillLeaf(page, items, SharedPrefix(items), 5);
    ASSERT_TRUE(IsWellFormed(page, kBytes));
    ASSERT_EQ(page.count(), items.size());
    EXPECT_EQ(page.lsn(), keys.size());
    EXPECT_EQ(page.pruned_at(), 5u);
    EXPECT_EQ(page.FreeBytes() + LeafBytes(items), kBytes);
    for (size_t i = 0; i < items.size(); ++i) ExpectSame(page.item(i), items[i]);
    for (const std::string& any : MakeKeys(random, 50)) {
      const std::string& key = random.OneIn(2) ? any : keys[random.Below(keys.size())];
      const Sequence sequence = random.Below(30);
      ASSERT_EQ(RankInLeafOfAny(page, page.count(), key, sequence), RankIn(items, key, sequence))
          << "seed " << seed;
    }
  }
}

TEST(PageTest, InsertsInPlaceKeepTheOrder) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    const std::vector<std::string> keys = MakeKeys(random, 60);
    TestFrame holder;
    const Page page = holder.page();
    page.Initialize(7, 1, kBytes, PageKind::kLeaf, 0);
    FillLeaf(page, {}, 0, 0);
    std::vector<LeafItem> items;
    for (size_t i = 0; i < keys.size(); ++i) {
      const LeafItem item{.key = keys[i], .value = "value", .sequence = i + 1};
      if (!FitsInPlace(page, item)) break;
      EXPECT_TRUE(InsertInPlace(holder.frame(), item));
      EXPECT_FALSE(InsertInPlace(holder.frame(), item)) << "it is there already";
      items.push_back(item);
    }
    items = Sorted(std::move(items));
    ASSERT_TRUE(IsWellFormed(page, kBytes));
    ASSERT_EQ(page.count(), items.size());
    for (size_t i = 0; i < items.size(); ++i) ExpectSame(page.item(i), items[i]);
    EXPECT_EQ(holder.frame()->version.load() % 2, 0u);
  }
}

TEST(PageTest, InnerPagesLeadToTheChildOfAKey) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    std::vector<std::string> keys = MakeKeys(random, 1 + random.Below(40));
    std::ranges::sort(keys);
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    if (keys.front().empty()) keys.erase(keys.begin());
    std::vector<Branch> branches;
    for (size_t i = 0; i < keys.size(); ++i) {
      branches.push_back({keys[i], static_cast<PageId>(100 + i)});
    }
    TestFrame holder;
    const Page page = holder.page();
    page.Initialize(7, 1, kBytes, PageKind::kInner, 1);
    FillInner(page, 99, branches);
    ASSERT_TRUE(IsWellFormed(page, kBytes));
    for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(page.separator(i), keys[i]);
    for (const std::string& any : MakeKeys(random, 30)) {
      const std::string& key =
          random.OneIn(2) || keys.empty() ? any : keys[random.Below(keys.size())];
      const auto at_or_before =
          static_cast<size_t>(std::ranges::upper_bound(keys, key) - keys.begin());
      const auto before = static_cast<size_t>(std::ranges::lower_bound(keys, key) - keys.begin());
      ASSERT_EQ(RankInInner<true>(page, key), at_or_before) << "seed " << seed;
      ASSERT_EQ(RankInInner<false>(page, key), before) << "seed " << seed;
      EXPECT_EQ(page.child(at_or_before), 99 + at_or_before);
    }
  }
}

TEST(PageTest, SplitsBetweenKeysOnly) {
  const auto item = [](std::string_view key, Sequence sequence) {
    return LeafItem{.key = key, .value = "0123456789", .sequence = sequence};
  };
  const std::vector<LeafItem> one_key = {item("a", 3), item("a", 2), item("a", 1)};
  EXPECT_EQ(SplitBoundary(one_key, false), 0u);
  const std::vector<LeafItem> two_keys = {item("a", 3), item("a", 2), item("a", 1), item("b", 4)};
  EXPECT_EQ(SplitBoundary(two_keys, false), 3u);
  const std::vector<LeafItem> many = {item("a", 1), item("b", 2), item("c", 3), item("d", 4)};
  EXPECT_EQ(SplitBoundary(many, false), 2u);
  EXPECT_EQ(SplitBoundary(many, true), 3u) << "a run that ascends fills its pages";
  EXPECT_EQ(Separator("abcd", "abx"), "abx");
  EXPECT_EQ(Separator("abc", "abcdef"), "abcd");
}

using SmallPool = Pool<SimulatedFileSystem, 512>;

absl::Status ReadBack(const SimulatedFileSystem& original, PageId id, uint64_t newest) {
  SimulatedFileSystem fs = original;
  const auto file = fs.OpenForRead("/d/TREE");
  alignas(64) char bytes[512];
  return SmallPool::ReadPage(*file, "/d/TREE", id, {3, 1}, newest, bytes);
}

TEST(PageTest, EveryFlippedBitIsFoundAndNamed) {
  alignas(64) char bytes[512] = {};
  const Page page(bytes);
  page.Initialize(7, 1, 512, PageKind::kLeaf, 0);
  const std::vector<LeafItem> items = {{.key = "apple", .value = "red", .sequence = 1},
                                       {.key = "pear", .value = "green", .sequence = 2}};
  FillLeaf(page, items, 0, 0);
  page.set_generation(4);
  page.set_checksum(page.ComputeChecksum(512));
  SimulatedFileSystem fs;
  ASSERT_TRUE(fs.CreateDirectories("/d").ok());
  auto file = fs.Create("/d/TREE");
  ASSERT_TRUE(file->WriteAt(3 * 512, std::string_view(bytes, 512)).ok());
  ASSERT_TRUE(ReadBack(fs, 7, 4).ok());
  EXPECT_FALSE(ReadBack(fs, 8, 4).ok()) << "an intact page in another one's place";
  EXPECT_FALSE(ReadBack(fs, 7, 3).ok()) << "a page of a checkpoint that has not been";
  for (uint64_t at = 0; at < 512; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      ASSERT_TRUE(fs.FlipBit("/d/TREE", 3 * 512 + at, bit).ok());
      const absl::Status status = ReadBack(fs, 7, 4);
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << "byte " << at << ", bit " << bit;
      const std::string message(status.message());
      EXPECT_NE(message.find("/d/TREE"), std::string::npos) << message;
      EXPECT_NE(message.find("page 7"), std::string::npos) << message;
      ASSERT_TRUE(fs.FlipBit("/d/TREE", 3 * 512 + at, bit).ok());
    }
  }
  EXPECT_TRUE(ReadBack(fs, 7, 4).ok());
}

}  // namespace
}  // namespace kv::btree
