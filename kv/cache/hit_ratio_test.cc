// How often the caches hit, on traces that are the same on every run: Zipf, Zipf with scans
// between, and a Zipf whose popular blocks change. One thread, so the counts are exact. The
// headers' "For" lines have the figures that are printed here.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "kv/cache/clock.h"
#include "kv/cache/concept.h"
#include "kv/cache/lru.h"
#include "kv/cache/s3_fifo.h"

namespace kv {
namespace {

constexpr uint64_t kBlocks = 20'000;
constexpr size_t kBlockBytes = 4'000;
constexpr size_t kCapacity = kBlocks / 10 * (kBlockBytes + 300);  // of a tenth of the blocks
constexpr uint64_t kLookups = 300'000;

// Ranks by Zipf's law with exponent 0.9.
class Zipf {
 public:
  Zipf() : below_(kBlocks) {
    double sum = 0;
    for (uint64_t rank = 0; rank < kBlocks; ++rank) {
      below_[rank] = sum += 1 / std::pow(static_cast<double>(rank + 1), 0.9);
    }
  }
  uint64_t operator()(std::mt19937_64& random) const {
    const double at = static_cast<double>(random() >> 11) / 0x1p53 * below_.back();
    const auto place = std::upper_bound(below_.begin(), below_.end(), at);
    return std::min<uint64_t>(static_cast<uint64_t>(place - below_.begin()), kBlocks - 1);
  }

 private:
  std::vector<double> below_;
};

using Trace = std::vector<uint64_t>;

Trace ZipfTrace() {
  const Zipf zipf;
  std::mt19937_64 random(1);
  Trace trace;
  while (trace.size() < kLookups) trace.push_back(zipf(random));
  return trace;
}

// Every 10,000 lookups, as many blocks as the cache holds are read once, and never again.
Trace ZipfWithScans() {
  Trace trace;
  uint64_t next = kBlocks;
  for (const uint64_t block : ZipfTrace()) {
    if (trace.size() % 12'000 == 0) {
      for (uint64_t i = 0; i < kBlocks / 10; ++i) trace.push_back(next++);
    }
    trace.push_back(block);
  }
  return trace;
}

// Every 30,000 lookups other blocks are popular.
Trace ShiftingZipf() {
  Trace trace = ZipfTrace();
  for (size_t i = 0; i < trace.size(); ++i) {
    trace[i] = (trace[i] + i / 30'000 * (kBlocks / 10)) % kBlocks;
  }
  return trace;
}

// Each block is read three times, with half a cache of others in between, and never again, as by
// readers that follow one another.
Trace Followers() {
  constexpr uint64_t kBehind = kBlocks / 10 / 6;
  Trace trace;
  for (uint64_t leader = 2 * kBehind; leader < kBlocks; ++leader) {
    trace.insert(trace.end(), {leader, leader - kBehind, leader - 2 * kBehind});
  }
  return trace;
}

// Hits in percent of the lookups of blocks that come more than once.
template <Cache C>
double HitRatio(std::string_view name, const Trace& trace) {
  C cache(kCapacity);
  for (const uint64_t block : trace) {
    if (!cache.Lookup(1, block * 4'096)) {
      cache.Insert(1, block * 4'096, std::string(kBlockBytes, 'b'));
    }
  }
  const CacheCounters counters = cache.Counters();
  const auto once = static_cast<uint64_t>(
      std::count_if(trace.begin(), trace.end(), [](uint64_t block) { return block >= kBlocks; }));
  const double ratio = 100.0 * static_cast<double>(counters.hits) /
                       static_cast<double>(counters.hits + counters.misses - once);
  fmt::print("{:16} {:8} {:5.1f} %\n", name, C::kName, ratio);
  return ratio;
}

TEST(HitRatio, Zipf) {
  const Trace trace = ZipfTrace();
  const double lru = HitRatio<LruCache>("zipf", trace);
  const double clock = HitRatio<ClockCache>("zipf", trace);
  const double s3_fifo = HitRatio<S3FifoCache>("zipf", trace);
  EXPECT_GT(lru, 50);
  EXPECT_GT(clock, lru);
  EXPECT_GT(s3_fifo, lru + 3);
}

TEST(HitRatio, ZipfWithScans) {
  const Trace trace = ZipfWithScans();
  const double lru = HitRatio<LruCache>("zipf and scans", trace);
  const double clock = HitRatio<ClockCache>("zipf and scans", trace);
  const double s3_fifo = HitRatio<S3FifoCache>("zipf and scans", trace);
  EXPECT_GT(clock, lru);
  EXPECT_GT(s3_fifo, lru + 5);
}

TEST(HitRatio, ShiftingZipf) {
  const Trace trace = ShiftingZipf();
  const double lru = HitRatio<LruCache>("shifting zipf", trace);
  const double clock = HitRatio<ClockCache>("shifting zipf", trace);
  const double s3_fifo = HitRatio<S3FifoCache>("shifting zipf", trace);
  EXPECT_GT(clock, 30);
  EXPECT_GT(lru, 30);
  EXPECT_GT(s3_fifo, 30);
}

TEST(HitRatio, Followers) {
  const Trace trace = Followers();
  const double lru = HitRatio<LruCache>("followers", trace);
  const double clock = HitRatio<ClockCache>("followers", trace);
  const double s3_fifo = HitRatio<S3FifoCache>("followers", trace);
  EXPECT_GT(lru, 65);
  EXPECT_GE(lru, clock);
  EXPECT_GT(lru, s3_fifo + 20);
}

}  // namespace
}  // namespace kv
