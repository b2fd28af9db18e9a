// Fast random numbers for load generation: xoshiro256++ seeded by SplitMix64.
//
// Source: D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47
// (2021), and their reference code at https://prng.di.unimi.it. Equal seeds give equal streams on
// every machine.
//
// Thread safety: none; one generator a thread, seeded with its index. Cost: about 1 ns a number.
// Not for: secrets.
#ifndef BENCH_RANDOM_H_
#define BENCH_RANDOM_H_

#include <bit>
#include <cstdint>

namespace bench {

// A bijection of 64-bit integers that looks random; also the step that seeds Random.
constexpr uint64_t SplitMix64(uint64_t state) {
  uint64_t z = state + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

class Random {
 public:
  explicit constexpr Random(uint64_t seed) {
    for (uint64_t& word : state_) {
      word = SplitMix64(seed);
      seed += 0x9e3779b97f4a7c15;
    }
  }

  constexpr uint64_t Next() {
    const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound); bound > 0. Multiply-shift: the bias is at most bound / 2^64.
  constexpr uint64_t Uniform(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * bound) >> 64);
  }

  // Uniform in [0, 1).
  constexpr double UnitDouble() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

 private:
  uint64_t state_[4] = {};
};

}  // namespace bench

#endif  // BENCH_RANDOM_H_
