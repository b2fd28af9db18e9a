// Zstandard compression (RFC 8878, https://facebook.github.io/zstd/).
//
// Bytes: one zstd frame with its content size and without zstd's own checksum, since blocks carry
// theirs, nor the id of a dictionary, since tables carry that. Every level writes the same format,
// so the level is no part of the identity on disk, and every shape reads what any other wrote.
//
// With `dictionary_bytes`, a table's blocks share a dictionary that is trained on the first of them
// (ZDICT_trainFromBuffer): a block of 4 KiB alone is too short for zstd to learn from.
//
// For: bytes on disk, and through them data that exceeds memory; with a dictionary, small records
// with much in common (docs/policies.md has the sizes).
// Not for: blocks that are decompressed on most reads and fit in memory anyway (see none.h). A
// dictionary is not for loads of writes, whose compactions train and use one a table (overwrites of
// 1 KB take twice the processor time), nor for tables below a few hundred KiB, which go without: it
// takes its bytes in each of them.
//
// Thread safety: as the concept has it.
#ifndef KV_COMPRESSION_ZSTD_H_
#define KV_COMPRESSION_ZSTD_H_

#include <zstd.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "kv/base/policy_name.h"
#include "kv/compression/concept.h"
#include "kv/compression/zstd_context.h"

namespace kv {

// Levels go from -50 (fastest) to 22 (smallest); 1 suits blocks on the write path, 3 is zstd's own
// default.
struct ZstdShape {
  int level = 1;
  // Of tables on the bottommost level of a tree.
  int bottom_level = level;
  // The most that a table's dictionary may take; 0: none. 4-16 KiB serve most tables.
  size_t dictionary_bytes = 0;
};

template <ZstdShape kShape = ZstdShape{}>
struct ZstdCompression {
  static_assert(-50 <= kShape.level && kShape.level <= 22);
  static_assert(-50 <= kShape.bottom_level && kShape.bottom_level <= 22);
  // Below 2 KiB zstd works with tables that fit the dictionary, not the blocks, and loses more than
  // it gains.
  static_assert(kShape.dictionary_bytes == 0 ||
                (kShape.dictionary_bytes >= 2048 &&
                 kShape.dictionary_bytes <= kMaxDictionaryBytes / 16));

  // The level; or level, bottom level and dictionary.
  static constexpr std::string_view kName =
      kShape.bottom_level == kShape.level && kShape.dictionary_bytes == 0
          ? kPolicyName<"zstd", kShape.level>
          : kPolicyName<"zstd", kShape.level, kShape.bottom_level,
                        static_cast<int64_t>(kShape.dictionary_bytes)>;
  static constexpr uint8_t kId = kCompressionZstd;
  static constexpr size_t kDictionaryBytes = kShape.dictionary_bytes;

  using Dictionary = zstd_internal::Dictionary;

  class Compressor : public zstd_internal::Compressor {
   public:
    explicit Compressor(CompressionDepth depth)
        : zstd_internal::Compressor(depth == CompressionDepth::kBottom ? kShape.bottom_level
                                                                       : kShape.level) {}

    std::string Train(std::string_view samples, std::span<const size_t> sizes) {
      if (kDictionaryBytes == 0) return {};
      return zstd_internal::Compressor::Train(samples, sizes, kDictionaryBytes);
    }
  };

  static absl::Status Compress(std::string_view bytes, std::string* out) {
    return Compressor(CompressionDepth::kUpper).Compress(bytes, out);
  }

  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t expected_size) {
    return Decompress(bytes, out, expected_size, Dictionary());
  }

  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t expected_size,
                                 const Dictionary& dictionary) {
    // The frame's own claim and `expected_size` may both come from a hostile file, so neither
    // alone decides how much is allocated.
    if (expected_size > kMaxUncompressedBytes ||
        expected_size / zstd_internal::kMaxExpansion > bytes.size() ||
        ZSTD_getFrameContentSize(bytes.data(), bytes.size()) != expected_size) {
      return absl::DataLossError("compressed block does not hold the size it should");
    }
    ZSTD_DCtx* const context = zstd_internal::ThreadDecompressor();
    if (context == nullptr) return absl::ResourceExhaustedError("no memory to decompress with");
    out->resize(expected_size);
    const size_t size = ZSTD_decompress_usingDDict(context, out->data(), out->size(), bytes.data(),
                                                   bytes.size(), dictionary.get());
    if (ZSTD_isError(size) != 0) return absl::DataLossError(ZSTD_getErrorName(size));
    if (size != expected_size) return absl::DataLossError("compressed block is cut short");
    return absl::OkStatus();
  }
};

static_assert(Compression<ZstdCompression<>>);

}  // namespace kv

#endif  // KV_COMPRESSION_ZSTD_H_
