// HashProbes: the entries of many keys, all as of one instant.
//
// Takes no lock: it looks the keys up and looks again if a shard's version has changed meanwhile
// (hash_shard.h); after kTries, as under heavy writing to those shards, it locks them. The misses
// of kAhead keys overlap.
//
// Thread safety: within the caller's epoch guard, for as long as the entries are used.
#ifndef ENGINES_MEMORY_HASH_PROBES_H_
#define ENGINES_MEMORY_HASH_PROBES_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "engines/memory/entry.h"
#include "engines/memory/hash_shard.h"
#include "engines/memory/hash_table.h"
#include "engines/memory/shard_locks.h"
#include "engines/memory/sharding.h"
#include "kv/base/hash.h"

namespace kv::memory_internal {

template <Sharding ShardsPart>
class HashProbes {
 public:
  using Shards = std::array<std::unique_ptr<HashShard>, ShardsPart::kShards>;

  // `shards` and `keys` outlive it.
  HashProbes(Shards& shards, std::span<const std::string_view> keys)
      : shards_(shards), keys_(keys) {
    if (keys.size() > few_.size()) many_ = std::make_unique<Probe[]>(keys.size());
    probes_ = {many_ != nullptr ? many_.get() : few_.data(), keys.size()};
    for (int tries = 0; tries < kTries; ++tries) {
      if (FindAll()) return;
    }
    FindAllLocked();
  }
  HashProbes(const HashProbes&) = delete;
  HashProbes& operator=(const HashProbes&) = delete;

  // Of the key at `i`; null: absent. Expiry is not judged.
  const Entry* operator[](size_t i) const { return probes_[i].entry; }

 private:
  static constexpr int kTries = 4;
  static constexpr size_t kAhead = 16;
  static constexpr size_t kOnStack = 64;

  struct Probe {
    uint64_t hash;
    const HashShard* shard;
    uint64_t version;
    uint64_t table;  // its bits
    Word word;       // the first with the key's tag, or empty
    const Entry* entry;
  };

  const HashShard& ShardOf(uint64_t hash) const { return *shards_[ShardsPart::ShardOf(hash)]; }

  // False when a change in between may have torn the answers apart.
  bool FindAll() {
    for (size_t begin = 0; begin < keys_.size(); begin += kAhead) {
      const size_t end = std::min(begin + kAhead, keys_.size());
      for (size_t i = begin; i < end; ++i) {
        Probe& probe = probes_[i];
        probe.hash = HashKey(keys_[i]);
        probe.shard = &ShardOf(probe.hash);
        probe.version = probe.shard->Version();
        if ((probe.version & 1) != 0) return false;
        const HashTable table = probe.shard->Table();
        probe.table = table.bits();
        table.Prefetch(probe.hash);
      }
      for (size_t i = begin; i < end; ++i) {
        Probe& probe = probes_[i];
        probe.word = HashTable::FromBits(probe.table).FirstWithTag(probe.hash);
        __builtin_prefetch(EntryOf(probe.word));
      }
      for (size_t i = begin; i < end; ++i) {
        Probe& probe = probes_[i];
        probe.entry = Resolve(probe.word);
        if (probe.word == kEmpty) continue;
        const bool found = probe.entry != nullptr && probe.entry->key() == keys_[i];
        if (!found) probe.entry = HashTable::FromBits(probe.table).Find(probe.hash, keys_[i]);
      }
    }
    return std::ranges::all_of(
        probes_, [](const Probe& probe) { return probe.shard->Version() == probe.version; });
  }

  void FindAllLocked() {
    typename ShardLocks<ShardsPart::kShards>::Set set;
    for (size_t i = 0; i < keys_.size(); ++i) {
      probes_[i].hash = HashKey(keys_[i]);
      set.Add(ShardsPart::ShardOf(probes_[i].hash));
    }
    ShardLocks<ShardsPart::kShards> locks(shards_, set);
    for (size_t i = 0; i < keys_.size(); ++i) {
      probes_[i].entry = ShardOf(probes_[i].hash).Find(probes_[i].hash, keys_[i]);
    }
  }

  Shards& shards_;
  std::span<const std::string_view> keys_;
  std::span<Probe> probes_;
  std::array<Probe, kOnStack> few_;
  std::unique_ptr<Probe[]> many_;
};

}  // namespace kv::memory_internal

#endif  // ENGINES_MEMORY_HASH_PROBES_H_
