// kPolicyName<"name", values...>: the name of a policy with a shape, spelled by the compiler:
//
//   static constexpr std::string_view kName = kPolicyName<"leveled", 4, 10, 64 << 20>;
//   // "leveled<4,10,64M>"
//
// Values are integers, in the order in which they are given. From 65536 on, those that are whole
// KiB, MiB or GiB are written as such: 64K, 16M, 1G.
//
// The characters have static storage, are followed by a zero byte, and exist once for each name.
// Thread safety: constants.
#ifndef KV_BASE_POLICY_NAME_H_
#define KV_BASE_POLICY_NAME_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kv {

namespace policy_name_internal {

// A string literal as a template argument.
template <size_t kSize>
struct Literal {
  constexpr Literal(const char (&text)[kSize]) {  // NOLINT: implicit, so that "..." is one
    std::copy_n(text, kSize, bytes);
  }
  char bytes[kSize];
};

// Sign, 20 digits and what stands behind a value.
inline constexpr size_t kMaxValueBytes = 22;

// Writes `value` at `to`; returns one past the last character.
constexpr char* Spell(int64_t value, char* to) {
  // Unsigned before it is negated: the smallest int64_t has no positive counterpart.
  uint64_t rest =
      value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  if (value < 0) *to++ = '-';
  constexpr std::string_view kUnits = "KMG";
  size_t unit = 0;
  if (rest >= 65'536) {
    for (; unit < kUnits.size() && rest >= 1024 && rest % 1024 == 0; ++unit) rest /= 1024;
  }
  uint64_t power = 1;
  while (rest / power >= 10) power *= 10;
  for (; power > 0; power /= 10) *to++ = static_cast<char>('0' + rest / power % 10);
  if (unit > 0) *to++ = kUnits[unit - 1];
  return to;
}

template <Literal kPolicy, int64_t... kValues>
struct Name {
  static constexpr size_t kPrefix = sizeof(kPolicy.bytes) - 1;
  static constexpr auto kBytes = [] {
    std::array<char, kPrefix + 2 + kMaxValueBytes * sizeof...(kValues)> name{};
    char* next = std::copy_n(kPolicy.bytes, kPrefix, name.data());
    char before = '<';
    ((*next++ = before, before = ',', next = Spell(kValues, next)), ...);
    *next++ = '>';
    return name;
  }();
};

}  // namespace policy_name_internal

template <policy_name_internal::Literal kPolicy, int64_t... kValues>
inline constexpr std::string_view kPolicyName{
    policy_name_internal::Name<kPolicy, kValues...>::kBytes.data()};

}  // namespace kv

#endif  // KV_BASE_POLICY_NAME_H_
