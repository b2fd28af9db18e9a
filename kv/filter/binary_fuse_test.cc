#include "kv/filter/binary_fuse.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kv/base/hash.h"
#include "kv/filter/blocked_bloom.h"

namespace kv {
namespace {

uint64_t HashOf(uint64_t i) {
  return HashKey(std::string_view(reinterpret_cast<const char*>(&i), sizeof i));
}

template <typename F>
std::string FilterOf(uint64_t keys) {
  typename F::Builder builder;
  for (uint64_t i = 0; i < keys; ++i) builder.Add(HashOf(i));
  return builder.Finish();
}

struct Measured {
  double bits_per_key;
  double false_positives;  // in percent, over 1 M absent keys
};

template <typename F>
Measured Measure(uint64_t keys) {
  const std::string bytes = FilterOf<F>(keys);
  constexpr uint64_t kAbsent = 1'000'000;
  uint64_t passed = 0;
  for (uint64_t i = keys; i < keys + kAbsent; ++i) passed += F::MayContain(bytes, HashOf(i));
  return {8.0 * static_cast<double>(bytes.size()) / static_cast<double>(keys),
          100.0 * static_cast<double>(passed) / static_cast<double>(kAbsent)};
}

TEST(BinaryFuseFilter, IsStricterThanBlockedBloomAndSmallerForManyKeys) {
  for (const uint64_t keys : {uint64_t{10'000}, uint64_t{100'000}, uint64_t{1'000'000}}) {
    const Measured fuse = Measure<BinaryFuseFilter<8>>(keys);
    const Measured bloom = Measure<BlockedBloomFilter<10>>(keys);
    RecordProperty("bits_per_key_of_" + std::to_string(keys), std::to_string(fuse.bits_per_key));
    RecordProperty("percent_of_" + std::to_string(keys), std::to_string(fuse.false_positives));
    if (keys >= 100'000) {
      EXPECT_LT(fuse.bits_per_key, bloom.bits_per_key) << keys;
    }
    EXPECT_LT(2 * fuse.false_positives, bloom.false_positives) << keys;
  }
}

TEST(BinaryFuseFilter, SpaceAndRateAreAsStated) {
  for (const auto& [keys, bits] : {std::pair<uint64_t, double>{1'000, 11.4},
                                   {10'000, 10.3},
                                   {100'000, 9.6},
                                   {1'000'000, 9.1}}) {
    const Measured measured = Measure<BinaryFuseFilter<8>>(keys);
    EXPECT_LT(measured.bits_per_key, bits) << keys;
    EXPECT_NEAR(measured.false_positives, 0.39, 0.06) << keys;
  }
  EXPECT_LT(Measure<BinaryFuseFilter<16>>(100'000).false_positives, 0.004);
}

// Every size has a layout that it falls apart in.
TEST(BinaryFuseFilter, EverySmallSizeIsBuilt) {
  for (uint64_t keys = 0; keys < 300; ++keys) {
    const std::string bytes = FilterOf<BinaryFuseFilter<8>>(keys);
    ASSERT_FALSE(bytes.empty()) << keys;
    for (uint64_t i = 0; i < keys; ++i) {
      ASSERT_TRUE(BinaryFuseFilter<8>::MayContain(bytes, HashOf(i))) << keys;
    }
  }
  EXPECT_EQ(FilterOf<BinaryFuseFilter<8>>(0).size(), FilterOf<BinaryFuseFilter<8>>(2).size());
}

TEST(BinaryFuseFilter, EqualHashesCountOnceWhereverTheyStand) {
  std::vector<uint64_t> hashes;
  for (uint64_t i = 0; i < 5'000; ++i) hashes.insert(hashes.end(), 1 + i % 4, HashOf(i));
  std::shuffle(hashes.begin(), hashes.end(), std::mt19937_64(1));
  BinaryFuseFilter<8>::Builder builder;
  for (const uint64_t hash : hashes) builder.Add(hash);
  const std::string bytes = builder.Finish();
  EXPECT_EQ(bytes.size(), FilterOf<BinaryFuseFilter<8>>(5'000).size());
  for (const uint64_t hash : hashes) {
    EXPECT_TRUE(BinaryFuseFilter<8>::MayContain(bytes, hash));
  }
}

// Headers whose sizes do not fit the bytes behind them exclude nothing.
TEST(BinaryFuseFilter, HeadersThatLieExcludeNothing) {
  const std::string good = FilterOf<BinaryFuseFilter<8>>(1'000);
  for (size_t at = 8; at < 16; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ (1u << bit));
      for (uint64_t i = 0; i < 3'000; ++i) {
        ASSERT_TRUE(BinaryFuseFilter<8>::MayContain(bad, HashOf(i))) << at << " " << bit;
      }
    }
  }
}

// The bytes are on disk: these must never change while kFormat stays what it is.
TEST(BinaryFuseFilter, BytesAreFrozen) {
  BinaryFuseFilter<8>::Builder builder;
  for (uint64_t i = 0; i < 100; ++i) builder.Add(i * 0x9e3779b97f4a7c15);
  EXPECT_EQ(Checksum(builder.Finish(), 0), 8592388312968076719u);
  EXPECT_EQ(BinaryFuseFilter<8>::kFormat, 0x208u);
  EXPECT_EQ(BinaryFuseFilter<16>::kFormat, 0x210u);
}

TEST(BinaryFuseFilter, NameHasTheShape) { EXPECT_EQ(BinaryFuseFilter<8>::kName, "binary_fuse<8>"); }

}  // namespace
}  // namespace kv
