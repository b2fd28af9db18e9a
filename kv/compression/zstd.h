// Zstandard compression (RFC 8878, https://facebook.github.io/zstd/).
//
// Bytes: one zstd frame with its content size and without zstd's own checksum, since blocks carry
// theirs. Every level writes the same format, so the level is no part of the identity on disk.
//
// Each thread keeps one context in each direction (some hundred KiB at the default level, freed
// when the thread ends): creating one costs more than compressing a 4 KiB block.
//
// Omits: dictionaries.
// Not for: blocks that are decompressed on most reads and fit in memory anyway (see none.h).
#ifndef KV_COMPRESSION_ZSTD_H_
#define KV_COMPRESSION_ZSTD_H_

#include <zstd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "kv/base/policy_name.h"
#include "kv/compression/concept.h"

namespace kv {

namespace zstd_internal {

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// Null when there is no memory for it.
inline ZSTD_CCtx* ThreadCompressor() {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  return context.get();
}

inline ZSTD_DCtx* ThreadDecompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  return context.get();
}

// A compressed block holds at most 128 KiB and takes at least 4 bytes (a 3-byte header and the
// byte to repeat), so no frame expands further than this.
inline constexpr size_t kMaxExpansion = (size_t{128} << 10) / 4;

}  // namespace zstd_internal

// `kLevel` from -50 (fastest) to 22 (smallest); 1 suits blocks on the write path, 3 is zstd's own
// default.
template <int kLevel = 1>
struct ZstdCompression {
  static_assert(-50 <= kLevel && kLevel <= 22);

  static constexpr std::string_view kName = kPolicyName<"zstd", kLevel>;
  static constexpr uint8_t kId = kCompressionZstd;

  static absl::Status Compress(std::string_view bytes, std::string* out) {
    if (bytes.size() > kMaxUncompressedBytes) {
      return absl::InvalidArgumentError("block is larger than kMaxUncompressedBytes");
    }
    ZSTD_CCtx* const context = zstd_internal::ThreadCompressor();
    if (context == nullptr) return absl::ResourceExhaustedError("no memory to compress with");
    out->resize(ZSTD_compressBound(bytes.size()));
    const size_t size =
        ZSTD_compressCCtx(context, out->data(), out->size(), bytes.data(), bytes.size(), kLevel);
    if (ZSTD_isError(size) != 0) return absl::ResourceExhaustedError(ZSTD_getErrorName(size));
    out->resize(size);
    return absl::OkStatus();
  }

  static absl::Status Decompress(std::string_view bytes, std::string* out, size_t expected_size) {
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
    const size_t size =
        ZSTD_decompressDCtx(context, out->data(), out->size(), bytes.data(), bytes.size());
    if (ZSTD_isError(size) != 0) return absl::DataLossError(ZSTD_getErrorName(size));
    if (size != expected_size) return absl::DataLossError("compressed block is cut short");
    return absl::OkStatus();
  }
};

static_assert(Compression<ZstdCompression<1>>);

}  // namespace kv

#endif  // KV_COMPRESSION_ZSTD_H_
