// No compression: a block is stored as it is, and a mapped file is read in place.
//
// For: data that fits in memory, or does not compress: no read costs more than finding its bytes.
// Not for: data that exceeds memory and compresses; the device is then slower than zstd.
#ifndef KV_COMPRESSION_NONE_H_
#define KV_COMPRESSION_NONE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "kv/compression/concept.h"
#include "kv/compression/plain.h"

namespace kv {

struct NoCompression {
  static constexpr std::string_view kName = "none";
  static constexpr uint8_t kId = kCompressionNone;
  static constexpr size_t kDictionaryBytes = 0;

  using Compressor = PlainCompressor<NoCompression>;
  using Dictionary = NoDictionary;

  static absl::Status Compress(std::string_view bytes, std::string* out) {
    if (bytes.size() > kMaxUncompressedBytes) {
      return absl::InvalidArgumentError("block is larger than kMaxUncompressedBytes");
    }
    out->assign(bytes);
    return absl::OkStatus();
  }

  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t expected_size) {
    if (bytes.size() != expected_size || expected_size > kMaxUncompressedBytes) {
      return absl::DataLossError("stored block has another size than it should");
    }
    out->assign(bytes);
    return absl::OkStatus();
  }

  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t expected_size,
                                 const Dictionary&) {
    return Decompress(bytes, out, expected_size);
  }
};

static_assert(Compression<NoCompression>);

}  // namespace kv

#endif  // KV_COMPRESSION_NONE_H_
