// How numbers become the texts of keys, members and values: always as many decimal digits, so that
// every key of a kind has one length.
//
// Thread safety: pure functions. Complexity: constant; some 5 ns.
#ifndef BENCH_REMOTE_LOAD_KEY_TEXT_H_
#define BENCH_REMOTE_LOAD_KEY_TEXT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace bench::remote {

inline constexpr size_t kDigits = 12;
inline constexpr std::string_view kElementHead = "element:";  // of members and fields
inline constexpr std::string_view kFieldHead = "field";       // of YCSB's fields
inline constexpr std::string_view kRecordHead = "user";       // of YCSB's keys
inline constexpr size_t kElementBytes = kElementHead.size() + kDigits;

namespace internal {

constexpr std::array<char, 200> MakePairs() {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}
inline constexpr std::array<char, 200> kPairs = MakePairs();

inline void WriteSix(uint32_t number, char* to) {
  std::memcpy(to, &kPairs[2 * (number / 10'000)], 2);
  std::memcpy(to + 2, &kPairs[2 * (number / 100 % 100)], 2);
  std::memcpy(to + 4, &kPairs[2 * (number % 100)], 2);
}

}  // namespace internal

// Twelve digits of a number below 10^12.
inline void WriteDigits(uint64_t number, char* to) {
  internal::WriteSix(static_cast<uint32_t>(number / 1'000'000), to);
  internal::WriteSix(static_cast<uint32_t>(number % 1'000'000), to + 6);
}

}  // namespace bench::remote

#endif  // BENCH_REMOTE_LOAD_KEY_TEXT_H_
