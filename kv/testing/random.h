// Random numbers for tests: small, seeded, the same on every machine (the distributions of the
// standard library are not). SplitMix64: Steele, Lea and Flood, OOPSLA 2014.
//
// Thread safety: none; one for each thread.
#ifndef KV_TESTING_RANDOM_H_
#define KV_TESTING_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "kv/base/bytes.h"

namespace kv::testing {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  // Below `limit`, which is not 0. The bias of the remainder does not matter to a test.
  uint64_t Below(uint64_t limit) { return Next() % limit; }

  bool OneIn(uint64_t n) { return Below(n) == 0; }

  std::string Bytes(size_t size) {
    std::string bytes;
    bytes.reserve(size + 8);
    while (bytes.size() < size) AppendFixed64(&bytes, Next());
    bytes.resize(size);
    return bytes;
  }

 private:
  uint64_t state_;
};

}  // namespace kv::testing

#endif  // KV_TESTING_RANDOM_H_
