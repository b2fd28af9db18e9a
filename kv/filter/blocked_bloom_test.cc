#include "kv/filter/blocked_bloom.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "kv/base/hash.h"

namespace kv {
namespace {

uint64_t HashOf(uint64_t i) {
  return HashKey(std::string_view(reinterpret_cast<const char*>(&i), sizeof i));
}

// In percent, over as many absent keys as there are keys.
template <typename F>
double FalsePositives(uint64_t keys) {
  typename F::Builder builder;
  for (uint64_t i = 0; i < keys; ++i) builder.Add(HashOf(i));
  const std::string bytes = builder.Finish();
  uint64_t passed = 0;
  for (uint64_t i = keys; i < 2 * keys; ++i) passed += F::MayContain(bytes, HashOf(i)) ? 1 : 0;
  return 100.0 * static_cast<double>(passed) / static_cast<double>(keys);
}

TEST(BlockedBloomFilter, FalsePositivesAreAsStated) {
  EXPECT_LT(FalsePositives<BlockedBloomFilter<5>>(300'000), 10.0);
  EXPECT_LT(FalsePositives<BlockedBloomFilter<8>>(300'000), 2.6);
  EXPECT_LT(FalsePositives<BlockedBloomFilter<10>>(300'000), 1.1);
  EXPECT_LT(FalsePositives<BlockedBloomFilter<12>>(300'000), 0.5);
  EXPECT_LT(FalsePositives<BlockedBloomFilter<16>>(300'000), 0.12);
  EXPECT_LT(FalsePositives<BlockedBloomFilter<20>>(300'000), 0.05);
}

TEST(BlockedBloomFilter, FalsePositivesDoNotDependOnSize) {
  EXPECT_LT(FalsePositives<BlockedBloomFilter<10>>(2'000), 2.0);
  EXPECT_LT(FalsePositives<BlockedBloomFilter<10>>(20'000), 1.3);
}

TEST(BlockedBloomFilter, TakesWholeBlocks) {
  BlockedBloomFilter<10>::Builder builder;
  EXPECT_EQ(builder.Finish(), std::string(64, '\0'));
  for (uint64_t i = 0; i < 51; ++i) builder.Add(HashOf(i));
  EXPECT_EQ(builder.Finish().size(), 64u);
  for (uint64_t i = 0; i < 52; ++i) builder.Add(HashOf(i));
  EXPECT_EQ(builder.Finish().size(), 128u);
}

TEST(BlockedBloomFilter, VersionsOfAKeyCountOnce) {
  BlockedBloomFilter<10>::Builder builder;
  for (int i = 0; i < 1'000; ++i) builder.Add(42);
  EXPECT_EQ(builder.Finish().size(), 64u);
}

// The bytes are on disk: these must never change while kFormat stays what it is.
TEST(BlockedBloomFilter, BytesAreFrozen) {
  BlockedBloomFilter<10>::Builder builder;
  for (uint64_t i = 0; i < 100; ++i) builder.Add(i * 0x9e3779b97f4a7c15);
  EXPECT_EQ(Checksum(builder.Finish(), 0), 8673025825209371479u);
  EXPECT_EQ(BlockedBloomFilter<10>::kFormat, 0x106u);
}

// Filters of one format read each other, whatever their density.
TEST(BlockedBloomFilter, FormatIsTheNumberOfProbes) {
  static_assert(BlockedBloomFilter<15>::kFormat != BlockedBloomFilter<10>::kFormat);
  static_assert(BlockedBloomFilter<9>::kFormat == 0x105);
  static_assert(BlockedBloomFilter<8>::kFormat == BlockedBloomFilter<9>::kFormat);
  BlockedBloomFilter<8>::Builder builder;
  for (uint64_t i = 0; i < 1'000; ++i) builder.Add(HashOf(i));
  const std::string bytes = builder.Finish();
  for (uint64_t i = 0; i < 1'000; ++i) {
    EXPECT_TRUE(BlockedBloomFilter<9>::MayContain(bytes, HashOf(i)));
  }
}

TEST(BlockedBloomFilter, NameHasTheShape) {
  EXPECT_EQ(BlockedBloomFilter<10>::kName, "blocked_bloom<10>");
  EXPECT_EQ(BlockedBloomFilter<8>::kName, "blocked_bloom<8>");
}

}  // namespace
}  // namespace kv
