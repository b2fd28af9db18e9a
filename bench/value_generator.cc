#include "bench/value_generator.h"

#include <algorithm>

#include "bench/random.h"

namespace bench {

ValuePool::ValuePool(size_t largest, uint64_t seed) {
  constexpr size_t kFragment = 100;
  constexpr size_t kRandomPart = kFragment / 2;
  const size_t size = std::max(size_t{1} << 20, largest);
  Random random(seed);
  bytes_.reserve(size + kFragment);
  while (bytes_.size() < size) {
    const size_t begin = bytes_.size();
    for (size_t i = 0; i < kRandomPart; ++i) {
      bytes_.push_back(static_cast<char>(' ' + random.Uniform(95)));
    }
    bytes_.append(bytes_, begin, kFragment - kRandomPart);
  }
}

}  // namespace bench
