// Sharding: into how many independently locked tables a hash engine is split, and which of them a
// key is in. A slot of HashMemory.
//
// Why not kv/striping: its stripes order a compare-and-set against writes that something else
// orders among themselves. Here nothing else does: each write has its table to itself.
//
// Thread safety: constants and pure functions.
#ifndef ENGINES_MEMORY_SHARDING_H_
#define ENGINES_MEMORY_SHARDING_H_

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kv {

// ShardOf() is below kShards and depends on the low 12 bits of the hash alone (the others place
// the key within its shard).
template <typename S>
concept Sharding = requires(uint64_t key_hash) {
  { S::kName } -> std::same_as<const std::string_view&>;
  { S::kShards } -> std::same_as<const size_t&>;
  { S::ShardOf(key_hash) } -> std::same_as<size_t>;
};

// kCount shards by the low bits of the hash. Each costs about 450 bytes when it is empty; two
// writers meet with probability 1 / kCount.
//
// For: 256, many processors that write. 16, few: on two, random puts of 4 threads are 1.3 times as
// many as with 256, whose tables take more of the caches (docs/policies.md). 1, one writer.
template <size_t kCount = 256>
struct HashedShards {
  static_assert(std::has_single_bit(kCount) && kCount <= 4096, "a shard is chosen by 12 bits");

 private:
  // "hashed<256>", spelled by the compiler.
  static constexpr auto kNameBytes = [] {
    constexpr std::string_view kPrefix = "hashed<";
    std::array<char, kPrefix.size() + 6> name{};
    size_t size = kPrefix.copy(name.data(), kPrefix.size());
    for (size_t power = 1000; power > 0; power /= 10) {
      if (kCount >= power) name[size++] = static_cast<char>('0' + kCount / power % 10);
    }
    name[size] = '>';
    return name;
  }();

 public:
  static constexpr std::string_view kName{kNameBytes.data()};
  static constexpr size_t kShards = kCount;
  static constexpr size_t ShardOf(uint64_t key_hash) { return key_hash & (kCount - 1); }
};

static_assert(Sharding<HashedShards<256>>);

}  // namespace kv

#endif  // ENGINES_MEMORY_SHARDING_H_
