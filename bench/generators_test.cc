// Keys, values, random numbers and Zipf ranks.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bench/cycle_clock.h"
#include "bench/key_generator.h"
#include "bench/random.h"
#include "bench/value_generator.h"
#include "bench/zipf.h"
#include "gtest/gtest.h"

namespace bench {
namespace {

std::string DbBenchKey(uint64_t number, size_t size) {
  std::string key(size, '\0');
  WriteDbBenchKey(number, size, key.data());
  return key;
}

std::string YcsbKey(uint64_t number) {
  std::string key(kMaxYcsbKeyBytes, '\0');
  key.resize(WriteYcsbKey(number, key.data()));
  return key;
}

TEST(Random, IsTheReferenceStream) {
  // SplitMix64 from seed 0, as its reference implementation prints it.
  EXPECT_EQ(SplitMix64(0), 0xe220a8397b1dcdaf);
  EXPECT_EQ(SplitMix64(0x9e3779b97f4a7c15), 0x6e789e6aa1b965f4);
  Random a(7);
  Random b(7);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.Next(), b.Next());
}

TEST(Random, UniformStaysInBoundsAndCoversThem) {
  Random random(1);
  std::vector<int> counts(10);
  for (int i = 0; i < 100'000; ++i) ++counts[random.Uniform(10)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
  for (int i = 0; i < 1000; ++i) {
    const double unit = random.UnitDouble();
    EXPECT_GE(unit, 0);
    EXPECT_LT(unit, 1);
  }
}

TEST(DbBenchKey, IsBigEndianThenZeros) {
  EXPECT_EQ(DbBenchKey(0x0102, 16), std::string("\0\0\0\0\0\0\1\2", 8) + "00000000");
  EXPECT_EQ(DbBenchKey(0x0102, 8), std::string("\0\0\0\0\0\0\1\2", 8));
  EXPECT_EQ(DbBenchKey(0x0102, 4), std::string("\0\0\1\2", 4));
  EXPECT_LT(DbBenchKey(255, 16), DbBenchKey(256, 16));
}

TEST(YcsbKey, IsYcsbsOwn) {
  // FNV-1a-64 of eight zero bytes, from the offset basis and prime of the definition.
  uint64_t hash = 0xCBF29CE484222325;
  for (int i = 0; i < 8; ++i) hash *= 1099511628211;
  EXPECT_EQ(Fnv1a64(0), hash);
  EXPECT_EQ(Fnv1a64(0), 12161962213042174405u);
  // The first keys that YCSB itself loads.
  EXPECT_EQ(YcsbKey(0), "user6284781860667377211");
  EXPECT_EQ(YcsbKey(1), "user8517097267634966620");
  EXPECT_EQ(YcsbKey(2), "user1820151046732198393");
}

TEST(PrefixedKey, PrefixesSelectEqualShares) {
  std::map<std::string, int> counts;
  for (uint64_t number = 0; number < 10'000; ++number) {
    std::string key(kPrefixedKeyBytes, '\0');
    WritePrefixedKey(number, key.data());
    EXPECT_LT(key, "z");
    for (const size_t bytes : {size_t{1}, size_t{3}, size_t{4}, key.size()}) {
      ++counts[key.substr(0, bytes)];
    }
  }
  EXPECT_EQ(counts.size(), 5u + 100u + 1000u + 10'000u);
  for (const auto& [prefix, count] : counts) {
    const int expected = prefix.size() == 1 ? 2000 : prefix.size() == 3 ? 100 : 10;
    EXPECT_EQ(count, prefix.size() == kPrefixedKeyBytes ? 1 : expected) << prefix;
  }
}

TEST(PathKey, SharesItsHeadAndKeepsTheOrderOfNumbers) {
  std::string last;
  for (const uint64_t number : {0, 1, 9, 10, 123'456'789}) {
    std::string key(kPathKeyBytes, '\0');
    WritePathKey(number, key.data());
    EXPECT_EQ(key.size(), 52u);
    EXPECT_TRUE(key.starts_with(kPathHead));
    EXPECT_EQ(std::stoull(key.substr(kPathHead.size())), number);
    EXPECT_LT(last, key);
    last = key;
  }
}

TEST(Permutation, HitsEveryNumberOnce) {
  for (const uint64_t size : {1, 2, 3, 5, 16, 100, 1000, 4096, 10'007}) {
    const Permutation permutation(size, 42);
    std::vector<bool> seen(size);
    for (uint64_t i = 0; i < size; ++i) {
      const uint64_t image = permutation(i);
      ASSERT_LT(image, size);
      ASSERT_FALSE(seen[image]) << size << ": " << image << " twice";
      seen[image] = true;
    }
  }
}

TEST(Permutation, DependsOnTheSeed) {
  const Permutation a(1000, 1);
  const Permutation b(1000, 2);
  int equal = 0;
  for (uint64_t i = 0; i < 1000; ++i) equal += a(i) == b(i) ? 1 : 0;
  EXPECT_LT(equal, 20);
}

TEST(ValueGenerator, SlicesDifferAndCompressTwoToOne) {
  const ValuePool pool;
  EXPECT_GE(pool.bytes().size(), size_t{1} << 20);
  ValueGenerator values(pool, 0);
  std::set<std::string> distinct;
  for (int i = 0; i < 10'000; ++i) {
    const std::string_view value = values.Next(100);
    ASSERT_EQ(value.size(), 100u);
    // The second half repeats the first: that is what compresses.
    ASSERT_EQ(value.substr(0, 50), value.substr(50));
    distinct.emplace(value);
  }
  EXPECT_EQ(distinct.size(), 10'000u);
  EXPECT_EQ(values.Next(0), "");
}

TEST(ValueGenerator, AlphanumericValuesUseAllLettersAndDigitsAlike) {
  const ValuePool pool(0, ValueText::kAlphanumeric);
  std::map<char, int> counts;
  for (const char letter : pool.bytes()) ++counts[letter];
  EXPECT_EQ(counts.size(), 62u);
  for (const auto& [letter, count] : counts) {
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(letter)) != 0) << letter;
    EXPECT_NEAR(count, pool.bytes().size() / 62.0, pool.bytes().size() / 62.0 / 10);
  }
}

TEST(ValueGenerator, CompressibleValuesHaveTheirShareOfOneByte) {
  for (const double share : {0.0, 0.1, 0.5, 0.99, 1.0}) {
    const ValuePool pool = ValuePool::Compressible(share);
    EXPECT_GE(pool.bytes().size(), size_t{1} << 20);
    const auto filling = std::count(pool.bytes().begin(), pool.bytes().end(), 'x');
    // One in 256 random bytes is that byte, too.
    EXPECT_NEAR(static_cast<double>(filling) / static_cast<double>(pool.bytes().size()),
                share + (1 - share) / 256, 0.001);
  }
  EXPECT_GE(ValuePool::Compressible(0.5, 3 << 20).bytes().size(), size_t{3} << 20);
}

TEST(ValueGenerator, ServesTheLargestSliceItsPoolPromises) {
  const ValuePool pool(3 << 20);
  ValueGenerator values(pool, 12345);
  EXPECT_EQ(values.Next(3 << 20).size(), size_t{3} << 20);
}

TEST(Zeta, AgreesWithTheSumAndWithYcsbsConstant) {
  for (const double theta : {0.0, 0.3, 0.99, 1.0, 1.5, 2.7}) {
    double sum = 0;
    for (int i = 1; i <= 200'000; ++i) sum += std::pow(i, -theta);
    EXPECT_NEAR(Zeta(200'000, theta) / sum, 1, 1e-10) << theta;
  }
  EXPECT_NEAR(Zeta(10'000'000'000, 0.99), 26.46902820178302, 1e-8);
}

// Observed frequencies of the first ranks against 1/(r+1)^theta / zeta.
void ExpectZipf(double theta, uint64_t items, double tolerance) {
  const Zipf zipf(items, theta);
  Random random(99);
  constexpr int kDraws = 400'000;
  std::vector<int> counts(items);
  for (int i = 0; i < kDraws; ++i) {
    const uint64_t rank = zipf.Next(random);
    ASSERT_LT(rank, items);
    ++counts[rank];
  }
  const double zeta = Zeta(items, theta);
  for (const uint64_t rank : {0, 1}) {
    const double expected = kDraws * std::pow(static_cast<double>(rank + 1), -theta) / zeta;
    EXPECT_NEAR(counts[rank] / expected, 1, tolerance) << "theta " << theta << " rank " << rank;
  }
  // A wide band of ranks: where Gray's formula is an approximation, it must still carry the mass.
  double band = 0;
  double expected_band = 0;
  for (uint64_t rank = 9; rank < items / 2; ++rank) {
    band += counts[rank];
    expected_band += kDraws * std::pow(static_cast<double>(rank + 1), -theta) / zeta;
  }
  EXPECT_NEAR(band / expected_band, 1, 0.1) << "theta " << theta;
}

TEST(Zipf, FrequenciesFollowTheLaw) {
  ExpectZipf(0.0, 100, 0.06);
  ExpectZipf(0.5, 1000, 0.15);
  ExpectZipf(0.99, 1000, 0.03);
  ExpectZipf(1.0, 1000, 0.03);
  ExpectZipf(1.2, 1000, 0.03);
  ExpectZipf(2.6774, 1000, 0.03);
}

TEST(Zipf, OneItemIsAlwaysDrawn) {
  Random random(3);
  for (const double theta : {0.0, 0.99, 1.0, 2.0}) {
    const Zipf zipf(1, theta);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(zipf.Next(random), 0u);
  }
}

TEST(Zipf, GrowingStepByStepEqualsStartingLarge) {
  for (const double theta : {0.99, 1.3}) {
    Zipf grown(1000, theta);
    for (uint64_t items = 1001; items <= 1100; ++items) grown.Grow(items);
    grown.Grow(5000);
    const Zipf whole(5000, theta);
    EXPECT_EQ(grown.items(), 5000u);
    Random a(5);
    Random b(5);
    int equal = 0;
    for (int i = 0; i < 1000; ++i) equal += grown.Next(a) == whole.Next(b) ? 1 : 0;
    EXPECT_GE(equal, 990);
  }
}

TEST(CycleClock, AgreesWithTheSteadyClock) {
  const CycleClock& clock = CycleClock::Get();
  const auto begin = std::chrono::steady_clock::now();
  const uint64_t first = clock.Now();
  auto end = begin;
  while (end - begin < std::chrono::milliseconds(30)) end = std::chrono::steady_clock::now();
  const double steady = std::chrono::duration<double>(end - begin).count();
  EXPECT_NEAR(clock.ToSeconds(clock.Now() - first) / steady, 1, 0.2);
  EXPECT_EQ(clock.Elapsed(10, 5), 0u);
}

}  // namespace
}  // namespace bench
