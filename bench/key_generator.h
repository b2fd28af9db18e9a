// Keys of the two best-known load generators, keys to count, and a permutation of key numbers
// without memory.
//
//   db_bench  the number as 8 big-endian bytes, then ASCII '0' up to the key size; a key size under
//             8 keeps the low bytes. Order of numbers = order of keys.
//   prefixed  a letter, three digits, the number: prefixes of known selectivity (not of any tool).
//   paths     40 bytes that all keys share, then the number as 12 decimal digits (not of any tool).
//   YCSB      "user" and the decimal of |FNV-1a-64(number as 8 little-endian bytes)|, the absolute
//             value as a signed integer, as YCSB's Java does: number 0 is user6284781860667377211.
//
// Thread safety: pure functions. Cost: 2 ns (db_bench), 20 ns (YCSB, permutation).
#ifndef BENCH_KEY_GENERATOR_H_
#define BENCH_KEY_GENERATOR_H_

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "bench/random.h"
#include "kv/base/bytes.h"

namespace bench {

// Writes the key of `number` into the `size` bytes at `to`.
inline void WriteDbBenchKey(uint64_t number, size_t size, char* to) {
  if (size >= 8) [[likely]] {
    kv::StoreBig64(to, number);
    std::memset(to + 8, '0', size - 8);
    return;
  }
  char whole[8];
  kv::StoreBig64(whole, number);
  std::memcpy(to, whole + 8 - size, size);
}

inline constexpr size_t kPrefixedKeyBytes = 12;

// Writes a letter (a to e), two digits, one digit and the number as 8 decimal digits: the first 1,
// 3 and 4 bytes select a fifth, a hundredth and a thousandth of any 1000 numbers in a row.
inline void WritePrefixedKey(uint64_t number, char* to) {
  const uint64_t of_thousand = number % 1000;
  const uint64_t of_letter = of_thousand % 200;
  to[0] = static_cast<char>('a' + of_thousand / 200);
  to[1] = static_cast<char>('0' + of_letter / 100);
  to[2] = static_cast<char>('0' + of_letter / 10 % 10);
  to[3] = static_cast<char>('0' + of_letter % 10);
  for (size_t i = kPrefixedKeyBytes; i-- > 4; number /= 10) {
    to[i] = static_cast<char>('0' + number % 10);
  }
}

inline constexpr std::string_view kPathHead = "/objects/by-owner/0000000000/attachment/";
static_assert(kPathHead.size() == 40);
inline constexpr size_t kPathKeyBytes = kPathHead.size() + 12;

inline void WritePathKey(uint64_t number, char* to) {
  std::memcpy(to, kPathHead.data(), kPathHead.size());
  for (size_t i = kPathKeyBytes; i-- > kPathHead.size(); number /= 10) {
    to[i] = static_cast<char>('0' + number % 10);
  }
}

constexpr uint64_t Fnv1a64(uint64_t number) {
  uint64_t hash = 0xCBF29CE484222325;
  for (int i = 0; i < 8; ++i) {
    hash ^= (number >> (8 * i)) & 0xff;
    hash *= 1099511628211;
  }
  return hash;
}

// YCSB takes the absolute value of the hash as a signed long.
constexpr uint64_t YcsbHash(uint64_t number) {
  const uint64_t hash = Fnv1a64(number);
  return static_cast<int64_t>(hash) < 0 ? -hash : hash;
}

inline constexpr size_t kMaxYcsbKeyBytes = 4 + 20;

// Writes the key at `to`, which has room for kMaxYcsbKeyBytes; returns its size.
inline size_t WriteYcsbKey(uint64_t number, char* to) {
  std::memcpy(to, "user", 4);
  return static_cast<size_t>(std::to_chars(to + 4, to + kMaxYcsbKeyBytes, YcsbHash(number)).ptr -
                             to);
}

// A bijection of [0, size) that looks random: a 4-round Feistel network over the next even power of
// two, walked until it falls inside the range (J. Black and P. Rogaway, "Ciphers with arbitrary
// finite domains", CT-RSA 2002). Fewer than 4 walks on average.
class Permutation {
 public:
  Permutation(uint64_t size, uint64_t seed)
      : size_(size),
        half_bits_((static_cast<unsigned>(std::bit_width(size > 1 ? size - 1 : 1)) + 1) / 2),
        mask_((uint64_t{1} << half_bits_) - 1),
        seed_(seed) {}

  uint64_t operator()(uint64_t index) const {
    do {
      uint64_t left = index >> half_bits_;
      uint64_t right = index & mask_;
      for (uint64_t round = 0; round < 4; ++round) {
        const uint64_t mixed = SplitMix64(right ^ (seed_ + (round << 56))) & mask_;
        const uint64_t next = left ^ mixed;
        left = right;
        right = next;
      }
      index = (left << half_bits_) | right;
    } while (index >= size_);
    return index;
  }

 private:
  uint64_t size_;
  unsigned half_bits_;
  uint64_t mask_;
  uint64_t seed_;
};

}  // namespace bench

#endif  // BENCH_KEY_GENERATOR_H_
