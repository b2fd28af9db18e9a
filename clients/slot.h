// The slot of a key in a cluster: CRC-16 of the key, or of its hash tag, modulo 16384.
//
//   slot("{user1000}.following") == slot("{user1000}.followers") == slot("user1000")
//
// The hash tag is what stands between the first { and the next } behind it, if that is not empty.
//
// Thread safety: pure functions. Complexity: linear in the key.
// Source: the Redis cluster specification, "Key distribution model" and appendix A; the CRC is
// XMODEM's (polynomial 0x1021, nothing reflected, from 0).
#ifndef CLIENTS_SLOT_H_
#define CLIENTS_SLOT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace clients {

inline constexpr uint16_t kSlots = 16384;

namespace internal {

constexpr std::array<uint16_t, 256> MakeCrcTable() {
  std::array<uint16_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x8000) != 0 ? 0x1021 : 0);
    table[byte] = static_cast<uint16_t>(crc);
  }
  return table;
}

inline constexpr std::array<uint16_t, 256> kCrcTable = MakeCrcTable();

}  // namespace internal

constexpr uint16_t Crc16(std::string_view bytes) {
  uint16_t crc = 0;
  for (const char c : bytes) {
    const auto index = static_cast<uint8_t>((crc >> 8) ^ static_cast<uint8_t>(c));
    crc = static_cast<uint16_t>((crc << 8) ^ internal::kCrcTable[index]);
  }
  return crc;
}

// The part of the key that decides.
constexpr std::string_view HashTag(std::string_view key) {
  const size_t open = key.find('{');
  if (open == std::string_view::npos) return key;
  const size_t close = key.find('}', open + 1);
  if (close == std::string_view::npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

constexpr uint16_t SlotOf(std::string_view key) { return Crc16(HashTag(key)) % kSlots; }

}  // namespace clients

#endif  // CLIENTS_SLOT_H_
