// Values that differ and cost nothing to make: successive slices of a buffer of at least 1 MiB.
//
//   half          100-byte fragments of which the first half is random printable text and the
//                 second half repeats it (db_bench's compression_ratio 0.5): about 2:1
//   alphanumeric  random letters and digits: 5.95 bits a byte, so at best 26 % less
//   compressible  128-byte fragments, a set share of which is one byte repeated and the rest random
//                 bytes: a compressor takes that share away, and can do nothing about the rest
//
// Omits: values that depend on their key; replay verification has its own (replay_model.h).
// Thread safety: a ValuePool is immutable and shared; a ValueGenerator belongs to one thread.
#ifndef BENCH_VALUE_GENERATOR_H_
#define BENCH_VALUE_GENERATOR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

enum class ValueText : uint8_t { kHalf, kAlphanumeric };

class ValuePool {
 public:
  // Serves slices of up to `largest` bytes.
  explicit ValuePool(size_t largest = 0, ValueText text = ValueText::kHalf, uint64_t seed = 301);

  // `share` from 0 (random bytes) to 1 (one byte repeated). Values of a few fragments and more
  // compress by it, less some 3 % for the compressor's own; smaller ones on average.
  static ValuePool Compressible(double share, size_t largest = 0, uint64_t seed = 301);

  std::string_view bytes() const { return bytes_; }

 private:
  struct Empty {};
  explicit ValuePool(Empty) {}

  std::string bytes_;
};

class ValueGenerator {
 public:
  // The pool must outlive the generator. `start` tells the streams of several threads apart.
  ValueGenerator(const ValuePool& pool, uint64_t start)
      : bytes_(pool.bytes()), position_(start % pool.bytes().size()) {}

  // The next `size` bytes; at most the pool's size.
  std::string_view Next(size_t size) {
    if (position_ + size > bytes_.size()) position_ = 0;
    const std::string_view slice = bytes_.substr(position_, size);
    position_ += size;
    return slice;
  }

 private:
  std::string_view bytes_;
  size_t position_;
};

}  // namespace bench

#endif  // BENCH_VALUE_GENERATOR_H_
