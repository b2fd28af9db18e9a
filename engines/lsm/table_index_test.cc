// The index finds the block that a linear search finds, and refuses bytes that are no index.
#include "engines/lsm/table_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engines/lsm/table_testing.h"
#include "fmt/format.h"

namespace kv {
namespace {

TEST(ShortestSeparatorTest, LiesInRangeAndIsNoLongerThanTheLastKey) {
  RecordMaker maker(1);
  for (int i = 0; i < 200'000; ++i) {
    std::string last = maker.Bytes(maker.Below(6), 4);
    std::string next = maker.Below(2) == 0 ? last.substr(0, maker.Below(4)) + maker.Bytes(2, 4)
                                           : maker.Bytes(maker.Below(6), 4);
    if (next < last) std::swap(next, last);
    std::string buffer;
    const std::string_view separator = ShortestSeparator(last, next, &buffer);
    ASSERT_GE(separator, last);
    if (last != next) {
      ASSERT_LT(separator, next);
    }
    ASSERT_LE(separator.size(), last.size());
  }
}

TEST(ShortestSeparatorTest, Cases) {
  std::string buffer;
  EXPECT_EQ(ShortestSeparator("abcdef", "abzzz", &buffer), "abd");
  EXPECT_EQ(ShortestSeparator("abc1zz", "abc2yy", &buffer), "abc2");
  EXPECT_EQ(ShortestSeparator("abc1zz", "abc2", &buffer), "abc1{");
  EXPECT_EQ(ShortestSeparator("abc1\xff\xff", "abc2", &buffer), "abc1\xff\xff");
  EXPECT_EQ(ShortestSeparator("abc", "abcd", &buffer), "abc");
  EXPECT_EQ(ShortestSeparator("abc", "abc", &buffer), "abc");
  EXPECT_EQ(ShortestSeparator("", "a", &buffer), "");
}

std::string Encode(const std::vector<std::string>& separators) {
  TableIndexBuilder builder;
  for (size_t i = 0; i < separators.size(); ++i) {
    builder.Add(100 + i, i % 3 == 0, 16 + 8 * (i % 2), separators[i]);
  }
  return builder.Finish();
}

TEST(TableIndexTest, FindsWhatALinearSearchFinds) {
  RecordMaker maker(2);
  for (int round = 0; round < 300; ++round) {
    // Few letters and a common prefix, so that heads are often equal; and duplicates.
    const std::string prefix = maker.Bytes(maker.Below(12), 3);
    std::vector<std::string> separators;
    for (uint64_t n = 1 + maker.Below(40); n > 0; --n) {
      separators.push_back(prefix + maker.Bytes(maker.Below(12), round % 2 == 0 ? 2 : 5));
    }
    std::sort(separators.begin(), separators.end());
    TableIndex index;
    ASSERT_TRUE(TableIndex::Parse(Encode(separators), 100'000, &index));
    ASSERT_EQ(index.blocks(), separators.size());
    uint64_t offset = 0;
    uint64_t directory = 0;
    for (size_t i = 0; i < separators.size(); ++i) {
      EXPECT_EQ(index.separator(i), separators[i]);
      EXPECT_TRUE(index.SeparatorEquals(i, separators[i]));
      EXPECT_FALSE(index.SeparatorEquals(i, separators[i] + "x"));
      const TableIndex::Block block = index.block(i);
      EXPECT_EQ(block.offset, offset);
      EXPECT_EQ(block.stored_bytes, 100 + i);
      EXPECT_EQ(block.compressed, i % 3 == 0);
      EXPECT_EQ(block.directory_begin, directory);
      EXPECT_EQ(block.directory_bytes, 16 + 8 * (i % 2));
      offset += 100 + i;
      directory += block.directory_bytes;
    }
    EXPECT_EQ(index.data_bytes(), offset);
    EXPECT_EQ(index.directories_bytes(), directory);
    for (int i = 0; i < 200; ++i) {
      std::string key = separators[maker.Below(separators.size())];
      if (maker.Below(2) == 0) key = key.substr(0, maker.Below(key.size() + 1));
      if (maker.Below(2) == 0) key += maker.Bytes(maker.Below(3), 3);
      const size_t expected = static_cast<size_t>(
          std::lower_bound(separators.begin(), separators.end(), key) - separators.begin());
      ASSERT_EQ(index.LowerBound(key), expected);
    }
  }
}

// Around the sizes at which groups and levels fill up.
TEST(TableIndexTest, FindsInIndexesOfEverySize) {
  for (const size_t blocks : {1, 15, 16, 17, 255, 256, 257, 4095, 4096, 4097, 5000}) {
    std::vector<std::string> separators;
    for (size_t i = 0; i < blocks; ++i) separators.push_back(fmt::format("{:05}", i * 2));
    TableIndex index;
    ASSERT_TRUE(TableIndex::Parse(Encode(separators), 100'000'000, &index));
    for (size_t i = 0; i < blocks; ++i) {
      ASSERT_EQ(index.LowerBound(fmt::format("{:05}", i * 2)), i);
      ASSERT_EQ(index.LowerBound(fmt::format("{:05}", i * 2 + 1)), i + 1);
    }
    ASSERT_EQ(index.LowerBound(""), 0u);
    ASSERT_EQ(index.LowerBound("z"), blocks);
    ASSERT_EQ(index.LowerBound(std::string(20, '\xff')), blocks);
  }
}

TEST(TableIndexTest, RefusesWhatIsNoIndex) {
  const std::vector<std::string> separators{"a", "ab", "b"};
  const std::string bytes = Encode(separators);
  {
    TableIndex index;
    EXPECT_TRUE(TableIndex::Parse(bytes, 1000, &index));
  }
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    TableIndex index;
    EXPECT_FALSE(TableIndex::Parse(std::string_view(bytes).substr(0, cut), 1000, &index)) << cut;
  }
  TableIndex index;
  EXPECT_FALSE(TableIndex::Parse(bytes + "x", 1000, &index));
  TableIndex small;
  EXPECT_FALSE(TableIndex::Parse(bytes, 300, &small));
  TableIndex disordered;
  EXPECT_FALSE(TableIndex::Parse(Encode({"b", "a"}), 1000, &disordered));
}

TEST(TableIndexTest, ArbitraryBytesAreHarmless) {
  RecordMaker maker(3);
  const std::string valid = Encode({"a", "ab", "abc", "b"});
  for (int i = 0; i < 100'000; ++i) {
    std::string bytes = maker.Below(2) == 0 ? valid : maker.Bytes(maker.Below(40), 20);
    for (uint64_t edits = maker.Below(4); edits > 0 && !bytes.empty(); --edits) {
      bytes[maker.Below(bytes.size())] = static_cast<char>(maker.Below(256));
    }
    TableIndex index;
    if (TableIndex::Parse(bytes, 1000, &index)) {
      EXPECT_LE(index.LowerBound("abb"), index.blocks());
      EXPECT_LE(index.data_bytes() + index.directories_bytes(), 1000u);
    }
  }
}

}  // namespace
}  // namespace kv
