#include "bench/value_generator.h"

#include <algorithm>

#include "bench/random.h"

namespace bench {

ValuePool::ValuePool(size_t largest, ValueText text, uint64_t seed) {
  constexpr size_t kFragment = 100;
  constexpr size_t kRandomPart = kFragment / 2;
  const size_t size = std::max(size_t{1} << 20, largest);
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

}  // namespace bench
