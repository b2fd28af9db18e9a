// Entry: one key with its value, in one allocation, immutable from the moment it is published.
//
//   key_size:u32  value_size:u31 expires:1  [expires_at:u64]  key  value
//
// So an entry costs 8 bytes (16 with an expiry) besides its own bytes and the allocator's. Key and
// value take eight bytes at least.
//
// Thread safety: written by its creator alone, then read by anyone.
#ifndef ENGINES_MEMORY_ENTRY_H_
#define ENGINES_MEMORY_ENTRY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

#include "kv/base/bytes.h"
#include "kv/contract/record.h"

namespace kv::memory_internal {

class Entry {
 public:
  struct Deleter {
    void operator()(const Entry* entry) const { ::operator delete(const_cast<Entry*>(entry)); }
  };
  using Owned = std::unique_ptr<const Entry, Deleter>;

  static Owned New(std::string_view key, std::string_view value, uint64_t expires_at) {
    const bool expires = expires_at != kNeverExpires;
    const size_t header = sizeof(Entry) + (expires ? sizeof expires_at : 0);
    const size_t payload = std::max(key.size() + value.size(), kReadable);
    void* const memory = ::operator new(header + payload);
    Entry* const entry =
        new (memory) Entry(static_cast<uint32_t>(key.size()),
                           static_cast<uint32_t>(value.size()) | (expires ? kExpires : 0));
    char* to = reinterpret_cast<char*>(entry + 1);
    if (expires) {
      StoreFixed64(to, expires_at);
      to += sizeof expires_at;
    }
    if (!key.empty()) std::memcpy(to, key.data(), key.size());
    if (!value.empty()) std::memcpy(to + key.size(), value.data(), value.size());
    return Owned(entry);
  }

  bool expires() const { return (value_size_ & kExpires) != 0; }
  uint64_t expires_at() const { return expires() ? LoadFixed64(payload()) : kNeverExpires; }
  std::string_view key() const { return {bytes(), key_size_}; }
  std::string_view value() const { return {bytes() + key_size_, value_size_ & ~kExpires}; }
  // Of key and value.
  size_t UserBytes() const { return key_size_ + size_t{value_size_ & ~kExpires}; }
  size_t AllocatedBytes() const {
    const auto header = static_cast<size_t>(bytes() - reinterpret_cast<const char*>(this));
    return header + std::max(UserBytes(), kReadable);
  }
  // The key's first eight bytes as LoadFixed64 has them, whatever follows a shorter one.
  uint64_t KeyHead() const { return LoadFixed64(bytes()); }

 private:
  static constexpr uint32_t kExpires = uint32_t{1} << 31;
  // Bytes from the key on that are always there to be read.
  static constexpr size_t kReadable = sizeof(uint64_t);

  Entry(uint32_t key_size, uint32_t value_size) : key_size_(key_size), value_size_(value_size) {}

  const char* payload() const { return reinterpret_cast<const char*>(this + 1); }
  const char* bytes() const { return payload() + (expires() ? sizeof(uint64_t) : 0); }

  uint32_t key_size_;
  uint32_t value_size_;
};

static_assert(sizeof(Entry) == 8);

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_ENTRY_H_
