#include "bench/remote/hdr_log.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "zlib.h"

namespace bench::remote {
namespace {

// A decoder written from the picture in the header alone.

std::string FromBase64(std::string_view text) {
  const std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t held = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    held = held << 6 | static_cast<uint32_t>(alphabet.find(c));
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(held >> bits & 0xff);
  }
  return bytes;
}

uint64_t BigEndian(std::string_view bytes, size_t at, size_t size) {
  uint64_t number = 0;
  for (size_t i = 0; i < size; ++i) number = number << 8 | static_cast<uint8_t>(bytes.at(at + i));
  return number;
}

int64_t ZigZag(std::string_view bytes, size_t* at) {
  uint64_t number = 0;
  for (int i = 0;; ++i) {
    const auto byte = static_cast<uint8_t>(bytes.at((*at)++));
    const bool last = i == 8;  // the ninth
    number |= static_cast<uint64_t>(last ? byte : byte & 0x7f) << (7 * i);
    if (last || byte < 0x80) break;
  }
  return static_cast<int64_t>(number >> 1) ^ -static_cast<int64_t>(number & 1);
}

struct Bucket {
  uint64_t lowest = 0;
  uint64_t width = 0;
  int64_t count = 0;
};

// Where bucket `index` of a histogram with 3 digits begins.
Bucket BucketAt(size_t index, int64_t count) {
  if (index < 2048) return {index, 1, count};
  const size_t shift = index / 1024 - 1;
  return {(index % 1024 + 1024) << shift, uint64_t{1} << shift, count};
}

std::vector<Bucket> Decode(const std::string& text) {
  const std::string outer = FromBase64(text);
  EXPECT_EQ(BigEndian(outer, 0, 4), 0x1c849314u);
  EXPECT_EQ(BigEndian(outer, 4, 4), outer.size() - 8);
  std::string bytes(1 << 20, '\0');
  uLongf size = bytes.size();
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(bytes.data()), &size,
                       reinterpret_cast<const Bytef*>(outer.data()) + 8, outer.size() - 8),
            Z_OK);
  bytes.resize(size);
  EXPECT_EQ(BigEndian(bytes, 0, 4), 0x1c849313u);
  EXPECT_EQ(BigEndian(bytes, 4, 4), bytes.size() - 40);
  EXPECT_EQ(BigEndian(bytes, 8, 4), 0u);
  EXPECT_EQ(BigEndian(bytes, 12, 4), 3u);
  EXPECT_EQ(BigEndian(bytes, 16, 8), 1u);
  EXPECT_EQ(BigEndian(bytes, 24, 8), 3'600'000'000'000u);
  EXPECT_EQ(std::bit_cast<double>(BigEndian(bytes, 32, 8)), 1.0);
  std::vector<Bucket> buckets;
  size_t index = 0;
  for (size_t at = 40; at < bytes.size();) {
    const int64_t number = ZigZag(bytes, &at);
    EXPECT_NE(number, 0);
    if (number < 0) {
      index += static_cast<size_t>(-number);
    } else {
      buckets.push_back(BucketAt(index++, number));
    }
  }
  return buckets;
}

int64_t CountOf(const std::vector<Bucket>& buckets) {
  int64_t count = 0;
  for (const Bucket& bucket : buckets) count += bucket.count;
  return count;
}

bool Holds(const Bucket& bucket, uint64_t value) {
  return value >= bucket.lowest && value - bucket.lowest < bucket.width;
}

TEST(HdrLog, AnEmptyHistogramHasNoCounts) {
  EXPECT_TRUE(Decode(EncodeHistogram(*std::make_unique<kv::Histogram>())).empty());
}

TEST(HdrLog, OneValueIsInItsBucketAtEverySize) {
  for (uint64_t value = 0; value <= kv::Histogram::kMaxNanos; value = value * 3 + 1) {
    const auto histogram = std::make_unique<kv::Histogram>();
    histogram->Record(value);
    const auto buckets = Decode(EncodeHistogram(*histogram));
    ASSERT_EQ(buckets.size(), 1u) << value;
    EXPECT_EQ(buckets[0].count, 1);
    EXPECT_TRUE(Holds(buckets[0], value)) << value;
  }
}

TEST(HdrLog, CountsOfEverySizeAreKept) {
  for (const uint64_t count : {uint64_t{1}, uint64_t{63}, uint64_t{64}, uint64_t{8191},
                               uint64_t{8192}, uint64_t{1} << 40, (uint64_t{1} << 62) - 1}) {
    const auto histogram = std::make_unique<kv::Histogram>();
    histogram->Record(5, count);
    histogram->Record(700'000, count);
    const auto buckets = Decode(EncodeHistogram(*histogram));
    ASSERT_GE(buckets.size(), 2u);
    EXPECT_EQ(buckets[0].count, static_cast<int64_t>(count));
    EXPECT_EQ(CountOf(buckets), static_cast<int64_t>(2 * count));
  }
}

TEST(HdrLog, PercentilesAreThoseOfTheHistogram) {
  std::mt19937_64 random(5);
  const auto histogram = std::make_unique<kv::Histogram>();
  for (int i = 0; i < 50'000; ++i) {
    histogram->Record(uint64_t{1} << random() % 40 | (random() & 0xffff));
  }
  const auto buckets = Decode(EncodeHistogram(*histogram));
  EXPECT_EQ(CountOf(buckets), 50'000);
  for (const double percent : {1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto wanted = static_cast<double>(histogram->Percentile(percent));
    int64_t left = static_cast<int64_t>(percent / 100 * 50'000);
    double found = -1;
    for (const Bucket& bucket : buckets) {
      left -= bucket.count;
      if (left > 0) continue;
      found = static_cast<double>(bucket.lowest);
      break;
    }
    EXPECT_NEAR(found, wanted, wanted * 0.003 + 1) << percent;
  }
  EXPECT_TRUE(Holds(buckets.back(), histogram->Max()));
}

TEST(HdrLog, WhatIsOverAnHourStandsAtTheEnd) {
  const auto histogram = std::make_unique<kv::Histogram>();
  histogram->Record(kv::Histogram::kMaxNanos * 3);
  const auto buckets = Decode(EncodeHistogram(*histogram));
  ASSERT_EQ(buckets.size(), 1u);
  EXPECT_TRUE(Holds(buckets[0], kv::Histogram::kMaxNanos));
}

TEST(HdrLog, Lines) {
  EXPECT_EQ(HdrLogHead("made here", 1700000000.25, "2023-11-14T22:13:20Z"),
            "#[made here]\n#[Histogram log format version 1.3]\n"
            "#[StartTime: 1700000000.250 (seconds since epoch), 2023-11-14T22:13:20Z]\n"
            "#[BaseTime: 1700000000.250 (seconds since epoch)]\n"
            "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
            "\"Interval_Compressed_Histogram\"\n");
  const auto histogram = std::make_unique<kv::Histogram>();
  histogram->Record(832'000);
  const std::string line = HdrLogLine("a b,c\n", 3.1021, 5, *histogram);
  EXPECT_TRUE(line.starts_with("Tag=a_b_c_,3.102,5.000,0.832,HISTFAAAA")) << line;
  EXPECT_TRUE(line.ends_with('\n'));
  const std::string body = line.substr(line.rfind(',') + 1);
  EXPECT_EQ(CountOf(Decode(body.substr(0, body.size() - 1))), 1);
}

}  // namespace
}  // namespace bench::remote
