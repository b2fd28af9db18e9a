#include "bench/value_generator.h"

#include <algorithm>

#include "bench/random.h"

namespace bench {
namespace {

constexpr size_t kSmallestPool = size_t{1} << 20;

}  // namespace

ValuePool::ValuePool(size_t largest, ValueText text, uint64_t seed) {
  constexpr size_t kFragment = 100;
  constexpr size_t kRandomPart = kFragment / 2;
  const size_t size = std::max(kSmallestPool, largest);
  Random random(seed);
  bytes_.reserve(size + kFragment);
  if (text == ValueText::kAlphanumeric) {
    constexpr std::string_view kLetters =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    while (bytes_.size() < size) bytes_.push_back(kLetters[random.Uniform(kLetters.size())]);
    return;
  }
  while (bytes_.size() < size) {
    const size_t begin = bytes_.size();
    for (size_t i = 0; i < kRandomPart; ++i) {
      bytes_.push_back(static_cast<char>(' ' + random.Uniform(95)));
    }
    bytes_.append(bytes_, begin, kFragment - kRandomPart);
  }
}

ValuePool ValuePool::Compressible(double share, size_t largest, uint64_t seed) {
  constexpr size_t kFragment = 128;
  const size_t size = std::max(kSmallestPool, largest);
  Random random(seed);
  ValuePool pool{Empty()};
  pool.bytes_.reserve(size + kFragment);
  // Fractions of a byte are carried on to the next fragment.
  double random_bytes = 0;
  while (pool.bytes_.size() < size) {
    const size_t end = pool.bytes_.size() + kFragment;
    for (random_bytes += (1 - share) * kFragment; random_bytes >= 1; random_bytes -= 1) {
      pool.bytes_.push_back(static_cast<char>(random.Next()));
    }
    pool.bytes_.resize(std::max(end, pool.bytes_.size()), 'x');
  }
  return pool;
}

}  // namespace bench
