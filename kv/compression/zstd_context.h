// What the zstd model is made of: contexts and digested dictionaries with owners, and bounds.
//
// Each thread keeps one context in each direction (some hundred KiB at the default level, freed
// when the thread ends): creating one costs more than compressing a 4 KiB block.
//
// Thread safety: as each function says; digested dictionaries are immutable.
#ifndef KV_COMPRESSION_ZSTD_CONTEXT_H_
#define KV_COMPRESSION_ZSTD_CONTEXT_H_

#include <zdict.h>
#include <zstd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/compression/concept.h"

namespace kv::zstd_internal {

struct Free {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  void operator()(ZSTD_CDict* dictionary) const { ZSTD_freeCDict(dictionary); }
  void operator()(ZSTD_DDict* dictionary) const { ZSTD_freeDDict(dictionary); }
};

// Null when there is no memory for it.
inline ZSTD_CCtx* ThreadCompressor() {
  thread_local const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  return context.get();
}

inline ZSTD_DCtx* ThreadDecompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  return context.get();
}

// A compressed block holds at most 128 KiB and takes at least 4 bytes (a 3-byte header and the
// byte to repeat), so no frame expands further than this.
inline constexpr size_t kMaxExpansion = (size_t{128} << 10) / 4;

// Runs `compress(to, capacity)`, which returns a size or a zstd error, into `*out`.
template <typename Compress>
absl::Status CompressInto(std::string_view bytes, std::string* out, Compress compress) {
  if (bytes.size() > kMaxUncompressedBytes) {
    return absl::InvalidArgumentError("block is larger than kMaxUncompressedBytes");
  }
  out->resize(ZSTD_compressBound(bytes.size()));
  const size_t size = compress(out->data(), out->size());
  if (ZSTD_isError(size) != 0) return absl::ResourceExhaustedError(ZSTD_getErrorName(size));
  out->resize(size);
  return absl::OkStatus();
}

// A dictionary that was trained on a table's blocks, digested for reading: some 30 KiB beside its
// own bytes.
class Dictionary {
 public:
  Dictionary() = default;

  static absl::StatusOr<Dictionary> Open(std::string_view bytes) {
    if (bytes.empty()) return Dictionary();
    if (bytes.size() > kMaxDictionaryBytes) return absl::DataLossError("dictionary is too large");
    Dictionary dictionary;
    dictionary.digested_.reset(ZSTD_createDDict(bytes.data(), bytes.size()));
    if (dictionary.digested_ == nullptr) return absl::DataLossError("dictionary is malformed");
    return dictionary;
  }

  // Null if there is none.
  const ZSTD_DDict* get() const { return digested_.get(); }
  size_t Bytes() const { return digested_ == nullptr ? 0 : ZSTD_sizeof_DDict(digested_.get()); }

 private:
  std::unique_ptr<ZSTD_DDict, Free> digested_;
};

// Compresses the blocks of one table.
class Compressor {
 public:
  explicit Compressor(int level) : level_(level) {}

  // At most `most` bytes; empty when the samples are too few, or when what the dictionary saves on
  // them, going by every eighth, is less than it takes.
  std::string Train(std::string_view samples, std::span<const size_t> sizes, size_t most) {
    // zstd advises a hundred times the dictionary, and needs a few; of blocks with huge values
    // there is nothing to learn.
    if (samples.size() < 8 * most || samples.size() > kMostSampleBytes) return {};
    std::string dictionary(most, '\0');
    const size_t size = ZDICT_trainFromBuffer(dictionary.data(), most, samples.data(), sizes.data(),
                                              static_cast<unsigned>(sizes.size()));
    if (ZDICT_isError(size) != 0) return {};
    dictionary.resize(size);
    const size_t plain = SizeOfSome(samples, sizes);
    if (Use(dictionary) && SizeOfSome(samples, sizes) + size / kSampleStep < plain) {
      return dictionary;
    }
    context_.reset();
    digested_.reset();
    return {};
  }

  // Compresses with this dictionary from now on; false without memory for it. A context of its own,
  // because a dictionary sticks to the context.
  bool Use(std::string_view dictionary) {
    digested_.reset(ZSTD_createCDict(dictionary.data(), dictionary.size(), level_));
    context_.reset(ZSTD_createCCtx());
    // The table's checksums say which dictionary it is: its id in every block would be a waste.
    return digested_ != nullptr && context_ != nullptr &&
           ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_dictIDFlag, 0)) == 0 &&
           ZSTD_isError(ZSTD_CCtx_refCDict(context_.get(), digested_.get())) == 0;
  }

  absl::Status Compress(std::string_view bytes, std::string* out) {
    if (digested_ != nullptr) {
      return CompressInto(bytes, out, [&](char* to, size_t capacity) {
        return ZSTD_compress2(context_.get(), to, capacity, bytes.data(), bytes.size());
      });
    }
    ZSTD_CCtx* const context = ThreadCompressor();
    if (context == nullptr) return absl::ResourceExhaustedError("no memory to compress with");
    return CompressInto(bytes, out, [&](char* to, size_t capacity) {
      return ZSTD_compressCCtx(context, to, capacity, bytes.data(), bytes.size(), level_);
    });
  }

 private:
  static constexpr size_t kMostSampleBytes = size_t{4} << 20;
  static constexpr size_t kSampleStep = 8;

  // Of every eighth sample, as it would be stored.
  size_t SizeOfSome(std::string_view samples, std::span<const size_t> sizes) {
    std::string out;
    size_t total = 0;
    size_t offset = 0;
    for (size_t i = 0; i < sizes.size(); offset += sizes[i++]) {
      if (i % kSampleStep != 0) continue;
      if (!Compress(samples.substr(offset, sizes[i]), &out).ok()) return SIZE_MAX / 2;
      total += CompressionPays(out.size(), sizes[i]) ? out.size() : sizes[i];
    }
    return total;
  }

  int level_;
  std::unique_ptr<ZSTD_CDict, Free> digested_;  // null: no dictionary
  std::unique_ptr<ZSTD_CCtx, Free> context_;    // that refers to it
};

}  // namespace kv::zstd_internal

#endif  // KV_COMPRESSION_ZSTD_CONTEXT_H_
