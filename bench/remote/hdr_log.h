// Latency histograms in the log format of HdrHistogram, which its own tools plot and merge.
//
// A log is text:
//
//   #[Comment]
//   #[Histogram log format version 1.3]
//   #[StartTime: 1700000000.000 (seconds since epoch), 2023-11-14T22:13:20Z]
//   #[BaseTime: 1700000000.000 (seconds since epoch)]
//   "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
//   Tag=redis/getset/GET/connections:50,3.102,5.000,0.832,HISTFAAAA...
//
// with seconds since the base time, seconds, and the largest value in milliseconds; then base64 of
//
//   compressed    cookie 0x1c849314 | bytes that follow | zlib stream of:
//   histogram     cookie 0x1c849313 | bytes of counts | 0 | significant digits | lowest (8 bytes)
//                 | highest (8 bytes) | 1.0 (8 bytes) | counts
//   counts        in the order of buckets, each a ZigZag LEB128: a count, or less than zero for as
//                 many empty buckets; none behind the last that has something
//
// Integers are big-endian and of 4 bytes unless it says otherwise. LEB128 has 7 bits a byte, the
// lowest first, and a ninth byte has 8. A bucket of HdrHistogram with 3 digits is one value wide
// below 2048 and from there half as wide as one of kv::Histogram, which is counted in the bucket
// of its middle; the largest value is exact.
//
// Thread safety: pure functions. Complexity: linear in the buckets (some 33,000).
// Source: HdrHistogram 2.1 (Gil Tene), HistogramLogWriter and encodeIntoCompressedByteBuffer V2.
#ifndef BENCH_REMOTE_HDR_LOG_H_
#define BENCH_REMOTE_HDR_LOG_H_

#include <string>
#include <string_view>

#include "kv/base/histogram.h"

namespace bench::remote {

// Base64 of the compressed histogram.
std::string EncodeHistogram(const kv::Histogram& histogram);

// Everything above the lines of histograms. `start` is in seconds since 1970.
std::string HdrLogHead(std::string_view comment, double start, std::string_view start_text);

// One line. A comma or white space in the tag becomes "_": the format has no way to write them.
std::string HdrLogLine(std::string_view tag, double begin_seconds, double seconds,
                       const kv::Histogram& histogram);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_HDR_LOG_H_
