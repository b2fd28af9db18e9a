#include "bench/remote/hdr_log.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "fmt/format.h"
#include "zlib.h"

namespace bench::remote {
namespace {

constexpr uint32_t kCookie = 0x1c849313;
constexpr uint32_t kCompressedCookie = 0x1c849314;
constexpr uint32_t kDigits = 3;
// 3 digits: 2048 values of one width, then 1024 for each power of two.
constexpr unsigned kExactBits = 11;
constexpr size_t kPerOctave = size_t{1} << (kExactBits - 1);

void AppendBigEndian(uint64_t number, size_t bytes, std::string* out) {
  for (size_t i = bytes; i-- > 0;) *out += static_cast<char>(number >> (8 * i));
}

size_t BucketOf(uint64_t nanos) {
  const auto width = static_cast<unsigned>(std::bit_width(nanos));
  const unsigned shift = width > kExactBits ? width - kExactBits : 0;
  return shift * kPerOctave + static_cast<size_t>(nanos >> shift);
}

void AppendZigZag(int64_t number, std::string* out) {
  uint64_t rest = (static_cast<uint64_t>(number) << 1) ^ static_cast<uint64_t>(number >> 63);
  for (int byte = 0; byte < 8; ++byte) {
    if (rest < 0x80) {
      *out += static_cast<char>(rest);
      return;
    }
    *out += static_cast<char>((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  *out += static_cast<char>(rest);
}

std::string CountsOf(const kv::Histogram& histogram) {
  std::vector<uint64_t> counts;
  const auto add = [&](uint64_t nanos, uint64_t count) {
    const size_t bucket = BucketOf(nanos);
    if (bucket >= counts.size()) counts.resize(bucket + 1);
    counts[bucket] += count;
  };
  // The largest is known exactly, so its bucket is: the last one that is visited has it.
  uint64_t last_middle = 0;
  uint64_t last_count = 0;
  histogram.ForEach([&](uint64_t middle, uint64_t count) {
    if (last_count > 0) add(last_middle, last_count);
    last_middle = middle;
    last_count = count;
  });
  if (last_count > 1) add(std::min(last_middle, histogram.Max()), last_count - 1);
  if (last_count > 0) add(std::min(histogram.Max(), kv::Histogram::kMaxNanos), 1);

  std::string bytes;
  for (size_t i = 0; i < counts.size();) {
    if (counts[i] > 0) {
      AppendZigZag(static_cast<int64_t>(counts[i++]), &bytes);
      continue;
    }
    int64_t empty = 0;
    for (; i < counts.size() && counts[i] == 0; ++i) ++empty;
    AppendZigZag(-empty, &bytes);
  }
  return bytes;
}

std::string Compress(const std::string& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string compressed(size, '\0');
  const int done = compress2(reinterpret_cast<Bytef*>(compressed.data()), &size,
                             reinterpret_cast<const Bytef*>(bytes.data()),
                             static_cast<uLong>(bytes.size()), Z_DEFAULT_COMPRESSION);
  if (done != Z_OK) std::abort();  // out of memory: the space is as zlib asks for
  compressed.resize(size);
  return compressed;
}

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    for (size_t j = 0; j < 3; ++j) {
      three = three << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0);
    }
    for (size_t j = 0; j < 4; ++j) {
      text += i + j > bytes.size() ? '=' : kAlphabet[three >> (18 - 6 * j) & 63];
    }
  }
  return text;
}

}  // namespace

std::string EncodeHistogram(const kv::Histogram& histogram) {
  const std::string counts = CountsOf(histogram);
  std::string bytes;
  AppendBigEndian(kCookie, 4, &bytes);
  AppendBigEndian(counts.size(), 4, &bytes);
  AppendBigEndian(0, 4, &bytes);
  AppendBigEndian(kDigits, 4, &bytes);
  AppendBigEndian(1, 8, &bytes);
  AppendBigEndian(kv::Histogram::kMaxNanos, 8, &bytes);
  AppendBigEndian(std::bit_cast<uint64_t>(1.0), 8, &bytes);
  const std::string compressed = Compress(bytes + counts);
  std::string outer;
  AppendBigEndian(kCompressedCookie, 4, &outer);
  AppendBigEndian(compressed.size(), 4, &outer);
  return Base64(outer + compressed);
}

std::string HdrLogHead(std::string_view comment, double start, std::string_view start_text) {
  return fmt::format(
      "#[{}]\n#[Histogram log format version 1.3]\n"
      "#[StartTime: {:.3f} (seconds since epoch), {}]\n#[BaseTime: {:.3f} (seconds since epoch)]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
      comment, start, start_text, start);
}

std::string HdrLogLine(std::string_view tag, double begin_seconds, double seconds,
                       const kv::Histogram& histogram) {
  std::string plain(tag);
  for (char& c : plain) {
    if (c == ',' || c == ' ' || c == '\n' || c == '\t' || c == '\r') c = '_';
  }
  return fmt::format("Tag={},{:.3f},{:.3f},{:.3f},{}\n", plain, begin_seconds, seconds,
                     static_cast<double>(histogram.Max()) / 1e6, EncodeHistogram(histogram));
}

}  // namespace bench::remote
