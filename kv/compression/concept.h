// Compression: how a block's bytes are stored.
//
// What a model promises, beyond the signatures:
//
//   Round trip. Decompress(Compress(bytes)) is `bytes`, for every string of bytes up to
//   kMaxUncompressedBytes, the empty one included. So it is with what a Compressor makes, given the
//   dictionary that its Train() returned, or, if that was empty or it was not asked, none.
//   Depth. A Compressor is for one table, and is told where in its tree the table will lie: the
//   bottommost level holds most of the data and is rewritten least, so compressing it harder pays
//   there first. What it makes is read without knowing the depth.
//   Dictionaries. Train() looks at the first blocks of a table and may return bytes that, stored
//   once, make all of its blocks smaller; at most kDictionaryBytes. Empty: there are none that pay.
//   A model with kDictionaryBytes == 0 is not asked. A Dictionary is those bytes made ready for
//   use, of which it keeps no view. It is read by the model, whatever its own kDictionaryBytes is.
//   Identity on disk. kId is stored with each block and never changes its meaning; a reader picks
//   the model by it. 0 means that the stored bytes are the block, so a reader may use them in
//   place and never call Decompress.
//   Hostile bytes. Dictionary::Open() takes any bytes, and answers kDataLoss if they can be none.
//   Decompress() takes any `bytes`, `expected_size` and Dictionary: it answers kDataLoss unless
//   `bytes` hold exactly `expected_size` bytes, never reads or writes out of bounds, and allocates
//   no more than these bytes could expand to. Damage within a block that leaves its structure
//   intact may go unnoticed: that is what the block's checksum is for. Output. `*out` is replaced,
//   not appended to, and its capacity is reused. After an error its content is unspecified. It must
//   not hold `bytes`. Thread safety. The static functions may be called from many threads at once,
//   with one Dictionary too. A Compressor has one user.
//
// Omits: streaming, and the choice by block of whether compression pays: that is the engine's
// (CompressionPays).
#ifndef KV_COMPRESSION_CONCEPT_H_
#define KV_COMPRESSION_CONCEPT_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kv {

// Stored in files: never renumber.
inline constexpr uint8_t kCompressionNone = 0;
inline constexpr uint8_t kCompressionZstd = 1;

// No block is larger: the largest value (256 MiB) and the rest of its block fit.
inline constexpr size_t kMaxUncompressedBytes = size_t{512} << 20;

// No dictionary is larger.
inline constexpr size_t kMaxDictionaryBytes = size_t{1} << 20;

// Whether a block of `bytes` is stored as the `compressed` ones, or else as it is, under id 0:
// below an eighth, the saving is not worth decompressing the block on every read.
inline constexpr bool CompressionPays(size_t compressed, size_t bytes) {
  return compressed <= bytes - bytes / 8;
}

// Where in its tree a table lies: on the bottommost level, or above it.
enum class CompressionDepth : uint8_t { kUpper, kBottom };

// Of one table.
template <typename C>
concept TableCompressor = std::movable<C> && std::constructible_from<C, CompressionDepth> &&
    requires(C& compressor, std::string_view samples, std::span<const size_t> sizes,
             std::string_view bytes, std::string* out) {
  // `samples` are blocks of the table one after the other, of these sizes. At most once, before
  // the first Compress(), which then uses the dictionary. Takes some 200 ms a MiB at most.
  { compressor.Train(samples, sizes) } -> std::same_as<std::string>;
  // As C::Compress of the model, with the level and dictionary of the table.
  { compressor.Compress(bytes, out) } -> std::same_as<absl::Status>;
};

// Default-constructed: none.
template <typename D>
concept CompressionDictionary = std::default_initializable<D> && std::movable<D> &&
    requires(const D& dictionary, std::string_view bytes) {
  { D::Open(bytes) } -> std::same_as<absl::StatusOr<D>>;
  // Allocated.
  { dictionary.Bytes() } -> std::same_as<size_t>;
};

template <typename C>
concept Compression = TableCompressor<typename C::Compressor> &&
    CompressionDictionary<typename C::Dictionary> &&
    requires(std::string_view bytes, std::string* out, size_t expected_size,
             const typename C::Dictionary& dictionary) {
  { C::kName } -> std::same_as<const std::string_view&>;
  { C::kId } -> std::same_as<const uint8_t&>;
  { C::kDictionaryBytes } -> std::same_as<const size_t&>;
  // At the depth kUpper, without a dictionary: for bytes that belong to no table, too. Fails with
  // kInvalidArgument when `bytes` is too large, kResourceExhausted without memory.
  { C::Compress(bytes, out) } -> std::same_as<absl::Status>;
  // Fails with kDataLoss as above; the caller knows the path and offset and adds them.
  { C::Decompress(bytes, out, expected_size) } -> std::same_as<absl::Status>;
  { C::Decompress(bytes, out, expected_size, dictionary) } -> std::same_as<absl::Status>;
};

}  // namespace kv

#endif  // KV_COMPRESSION_CONCEPT_H_
