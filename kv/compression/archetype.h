// CompressionArchetype: the least that models Compression, and a trivially right one: every byte
// twice. For tests. It wears zstd's id so that an engine takes the path of compressed blocks; its
// bytes must not be read by anything else.
#ifndef KV_COMPRESSION_ARCHETYPE_H_
#define KV_COMPRESSION_ARCHETYPE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "kv/compression/concept.h"
#include "kv/compression/plain.h"

namespace kv {

struct CompressionArchetype {
  static constexpr std::string_view kName = "archetype";
  static constexpr uint8_t kId = kCompressionZstd;
  static constexpr size_t kDictionaryBytes = 0;

  using Compressor = PlainCompressor<CompressionArchetype>;
  using Dictionary = NoDictionary;

  static absl::Status Compress(std::string_view bytes, std::string* out) {
    out->clear();
    for (const char byte : bytes) out->append(2, byte);
    return absl::OkStatus();
  }

  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t expected_size) {
    if (bytes.size() % 2 != 0 || bytes.size() / 2 != expected_size) {
      return absl::DataLossError("block has another size");
    }
    out->clear();
    for (size_t i = 0; i < bytes.size(); i += 2) {
      if (bytes[i] != bytes[i + 1]) return absl::DataLossError("bytes differ");
      out->push_back(bytes[i]);
    }
    return absl::OkStatus();
  }

  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t expected_size,
                                 const Dictionary&) {
    return Decompress(bytes, out, expected_size);
  }
};

static_assert(Compression<CompressionArchetype>);

}  // namespace kv

#endif  // KV_COMPRESSION_ARCHETYPE_H_
