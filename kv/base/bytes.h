// Byte encodings shared by every format: fixed-width little-endian integers, LEB128 varints, and
// the big-endian key head that lets an integer comparison stand in for a byte comparison.
//
// Thread safety: pure functions. Source of varints: Protocol Buffers encoding guide.
#ifndef KV_BASE_BYTES_H_
#define KV_BASE_BYTES_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace kv {

static_assert(std::endian::native == std::endian::little, "formats are written as loaded");

inline uint32_t LoadFixed32(const char* from) {
  uint32_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline uint64_t LoadFixed64(const char* from) {
  uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline void StoreFixed32(char* to, uint32_t value) { std::memcpy(to, &value, sizeof value); }
inline void StoreFixed64(char* to, uint64_t value) { std::memcpy(to, &value, sizeof value); }

inline void AppendFixed32(std::string* to, uint32_t value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof value);
}

inline void AppendFixed64(std::string* to, uint64_t value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof value);
}

inline uint64_t LoadBig64(const char* from) { return __builtin_bswap64(LoadFixed64(from)); }
inline void StoreBig64(char* to, uint64_t value) { StoreFixed64(to, __builtin_bswap64(value)); }

inline constexpr size_t kMaxVarint64Bytes = 10;

// Writes `value` at `to`, which has room for kMaxVarint64Bytes; returns one past the last byte.
inline char* StoreVarint64(char* to, uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}

inline void AppendVarint64(std::string* to, uint64_t value) {
  char buffer[kMaxVarint64Bytes];
  to->append(buffer, static_cast<size_t>(StoreVarint64(buffer, value) - buffer));
}

inline constexpr size_t VarintBytes(uint64_t value) {
  return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7;
}

// Reads a varint from [from, end) into `value`; returns one past it, or nullptr when it is cut
// short or longer than 64 bits.
inline const char* LoadVarint64(const char* from, const char* end, uint64_t* value) {
  if (from < end && static_cast<unsigned char>(*from) < 0x80) [[likely]] {
    *value = static_cast<unsigned char>(*from);
    return from + 1;
  }
  uint64_t result = 0;
  for (unsigned shift = 0; shift < 64 && from < end; shift += 7) {
    const uint64_t byte = static_cast<unsigned char>(*from++);
    if (shift == 63 && byte > 1) return nullptr;
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = result;
      return from;
    }
  }
  return nullptr;
}

// A varint length followed by that many bytes.
inline void AppendLengthPrefixed(std::string* to, std::string_view bytes) {
  AppendVarint64(to, bytes.size());
  to->append(bytes);
}

// Takes a length-prefixed string off the front of `from`; false when it is cut short.
inline bool TakeLengthPrefixed(std::string_view* from, std::string_view* bytes) {
  uint64_t length;
  const char* const end = from->data() + from->size();
  const char* const begin = LoadVarint64(from->data(), end, &length);
  if (begin == nullptr || length > static_cast<uint64_t>(end - begin)) return false;
  *bytes = std::string_view(begin, length);
  *from = std::string_view(begin + length, static_cast<size_t>(end - begin) - length);
  return true;
}

inline bool TakeVarint64(std::string_view* from, uint64_t* value) {
  const char* const end = from->data() + from->size();
  const char* const next = LoadVarint64(from->data(), end, value);
  if (next == nullptr) return false;
  *from = std::string_view(next, static_cast<size_t>(end - next));
  return true;
}

// As a.compare(b). Most comparisons of keys are decided by their first words, which takes no call.
inline int CompareBytes(std::string_view a, std::string_view b) {
  for (int word = 0; word < 2 && a.size() >= 8 && b.size() >= 8; ++word) {
    const uint64_t left = LoadBig64(a.data());
    const uint64_t right = LoadBig64(b.data());
    if (left != right) return left < right ? -1 : 1;
    a.remove_prefix(8);
    b.remove_prefix(8);
  }
  return a.compare(b);
}

// The first 8 bytes of `key` as a big-endian integer, zero-filled. If the heads of two keys
// differ, they order the keys; if they are equal, compare the whole keys ("a" and "a\0" share one).
inline uint64_t KeyHead(std::string_view key) {
  if (key.size() >= 8) [[likely]]
    return LoadBig64(key.data());
  char padded[8] = {};
  if (!key.empty()) std::memcpy(padded, key.data(), key.size());
  return LoadBig64(padded);
}

inline size_t CommonPrefixLength(std::string_view a, std::string_view b) {
  const size_t limit = a.size() < b.size() ? a.size() : b.size();
  size_t i = 0;
  for (; i + 8 <= limit; i += 8) {
    const uint64_t difference = LoadFixed64(a.data() + i) ^ LoadFixed64(b.data() + i);
    if (difference != 0) return i + static_cast<size_t>(std::countr_zero(difference)) / 8;
  }
  while (i < limit && a[i] == b[i]) ++i;
  return i;
}

// Where the first byte from `from` on is that is not zero; bytes.size() where there is none.
inline size_t SkipZeros(std::string_view bytes, size_t from) {
  while (from + 8 <= bytes.size() && LoadFixed64(bytes.data() + from) == 0) from += 8;
  while (from < bytes.size() && bytes[from] == 0) ++from;
  return from;
}

// The least string above every string that begins with `prefix`; empty when there is none
// (a prefix of 0xff bytes, or the empty prefix).
inline std::string PrefixSuccessor(std::string_view prefix) {
  std::string successor(prefix);
  while (!successor.empty() && static_cast<unsigned char>(successor.back()) == 0xff) {
    successor.pop_back();
  }
  if (!successor.empty()) ++successor.back();
  return successor;
}

}  // namespace kv

#endif  // KV_BASE_BYTES_H_
