// Compression: how a block's bytes are stored.
//
// What a model promises, beyond the signatures:
//
//   Round trip. Decompress(Compress(bytes)) is `bytes`, for every string of bytes up to
//   kMaxUncompressedBytes, the empty one included.
//   Identity on disk. kId is stored with each block and never changes its meaning; a reader picks
//   the model by it. 0 means that the stored bytes are the block, so a reader may use them in
//   place and never call Decompress.
//   Hostile bytes. Decompress() takes any `bytes` and any `expected_size`: it answers kDataLoss
//   unless `bytes` hold exactly `expected_size` bytes, never reads or writes out of bounds, and
//   allocates no more than these bytes could expand to. Damage within a block that leaves its
//   structure intact may go unnoticed: that is what the block's checksum is for.
//   Output. `*out` is replaced, not appended to, and its capacity is reused. After an error its
//   content is unspecified. It must not hold `bytes`.
//   Thread safety. All functions may be called from many threads at once.
//
// Omits: dictionaries, streaming, and the choice by block of whether compression pays; an engine
// that finds the result too large stores the block under id 0.
#ifndef KV_COMPRESSION_CONCEPT_H_
#define KV_COMPRESSION_CONCEPT_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace kv {

// Stored in files: never renumber.
inline constexpr uint8_t kCompressionNone = 0;
inline constexpr uint8_t kCompressionZstd = 1;

// No block is larger: the largest value (256 MiB) and the rest of its block fit.
inline constexpr size_t kMaxUncompressedBytes = size_t{512} << 20;

template <typename C>
concept Compression = requires(std::string_view bytes, std::string* out, size_t expected_size) {
  { C::kName } -> std::same_as<const std::string_view&>;
  { C::kId } -> std::same_as<const uint8_t&>;
  // Fails with kInvalidArgument when `bytes` is too large, kResourceExhausted without memory.
  { C::Compress(bytes, out) } -> std::same_as<absl::Status>;
  // Fails with kDataLoss as above; the caller knows the path and offset and adds them.
  { C::Decompress(bytes, out, expected_size) } -> std::same_as<absl::Status>;
};

}  // namespace kv

#endif  // KV_COMPRESSION_CONCEPT_H_
